"""Batch normalization: each image is summed up on its own, and the batch from its images.

The mean of a batch is the mean of its images' means, and its variance is the mean of their
variances plus the variance of their means. So no sum crosses threads, and none of a million
numbers loses its last ones.
"""

import numpy as np

from tinycnn.kernels.jit import parallel_over
from tinycnn.kernels.microkernels import empty


def batchnorm(x, w, b, epsilon):
    """See ``reference.batchnorm``."""
    mean, variance = _moments(x)
    scale = w / np.sqrt(variance + x.dtype.type(epsilon))
    y = empty(x.shape, x.dtype)
    _normalize(len(x), (_by_image(x), mean, scale, b), (_by_image(y),))
    return y, mean, variance


def batchnorm_backward(dy, x, w, mean, variance, epsilon):
    """See ``reference.batchnorm_backward``."""
    N, C = len(x), x.shape[-1]
    M = max(1, x.size // C)
    inverse = 1 / np.sqrt(variance + x.dtype.type(epsilon))
    dws, dbs = np.empty((2, N, C), x.dtype)
    _sum_gradients(N, (_by_image(dy), _by_image(x), mean, inverse), (dws, dbs))
    dw, db = dws.sum(axis=0), dbs.sum(axis=0)
    dx, scale = empty(x.shape, x.dtype), w * inverse
    slope, level = scale * inverse * dw / M, db / M
    read = _by_image(dy), _by_image(x), mean, scale, slope, level
    _input_gradient(N, read, (_by_image(dx),))
    return dx, dw, db


def _by_image(x):
    """Return x as (N,P,C), P places in each of N images."""
    N, C = len(x), x.shape[-1]
    return x.reshape(N, x[0, ..., 0].size if N else 1, C)


def _moments(x):
    """Return mean and variance (C,) of the channels of x."""
    N, C = len(x), x.shape[-1]
    if not N:
        return np.zeros((2, C), x.dtype)
    means, variances = np.empty((2, N, C), x.dtype)
    _moments_by_image(N, (_by_image(x),), (means, variances))
    return means.mean(axis=0), variances.mean(axis=0) + means.var(axis=0)


@parallel_over  # n owns means[n] and variances[n]
def _moments_by_image(n, read, written):
    x, mean, variance = read[0][n], written[0][n], written[1][n]
    P, C = x.shape
    mean[:] = 0
    variance[:] = 0
    for p in range(P):
        for c in range(C):
            mean[c] += x[p, c]
    mean /= P
    for p in range(P):
        for c in range(C):
            away = x[p, c] - mean[c]
            variance[c] += away * away
    variance /= P


@parallel_over  # n owns y[n]
def _normalize(n, read, written):
    (x, mean, scale, b), (y,) = read, written
    x, y = x[n], y[n]
    P, C = x.shape
    for p in range(P):
        for c in range(C):
            y[p, c] = scale[c] * (x[p, c] - mean[c]) + b[c]


@parallel_over  # n owns dws[n] and dbs[n]
def _sum_gradients(n, read, written):
    (dy, x, mean, inverse), (dws, dbs) = read, written
    dy, x, dw, db = dy[n], x[n], dws[n], dbs[n]
    P, C = x.shape
    dw[:] = 0
    db[:] = 0
    for p in range(P):
        for c in range(C):
            dw[c] += dy[p, c] * (x[p, c] - mean[c])
            db[c] += dy[p, c]
    dw *= inverse


@parallel_over  # n owns dx[n]
def _input_gradient(n, read, written):
    (dy, x, mean, scale, slope, level), (dx,) = read, written
    dy, x, dx = dy[n], x[n], dx[n]
    P, C = x.shape
    for p in range(P):
        for c in range(C):
            dx[p, c] = scale[c] * (dy[p, c] - level[c]) - slope[c] * (x[p, c] - mean[c])
