"""Batch normalization: each image is summed up on its own, and the batch from its images.

The mean of a batch is the mean of its images' means, and its variance is the mean of their
variances plus the variance of their means. So no sum crosses threads, and none of a million
numbers loses its last ones.
"""

import numpy as np
from numba import prange

from tinycnn.kernels.jit import parallel_kernel, part
from tinycnn.kernels.memory import empty


def batchnorm(x, w, b, epsilon):
    """See ``reference.batchnorm``."""
    mean, variance = _moments(x)
    scale = w / np.sqrt(variance + x.dtype.type(epsilon))
    y = empty(x.shape, x.dtype)
    _normalize(_by_image(x), mean, scale, b, _by_image(y))
    return y, mean, variance


def batchnorm_backward(dy, x, w, mean, variance, epsilon):
    """See ``reference.batchnorm_backward``."""
    N, C = len(x), x.shape[-1]
    M = max(1, x.size // C)
    inverse = 1 / np.sqrt(variance + x.dtype.type(epsilon))
    dws, dbs = np.empty((2, N, C), x.dtype)
    _sum_gradients(_by_image(dy), _by_image(x), mean, inverse, dws, dbs)
    dw, db = dws.sum(axis=0), dbs.sum(axis=0)
    dx = empty(x.shape, x.dtype)
    scale = w * inverse
    _input_gradient(
        _by_image(dy), _by_image(x), mean, scale, scale * inverse * dw / M, db / M, _by_image(dx)
    )
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
    _moments_by_image(_by_image(x), means, variances)
    return means.mean(axis=0), variances.mean(axis=0) + means.var(axis=0)


@parallel_kernel
def _moments_by_image(x, means, variances):
    for n in prange(len(x)):  # n owns means[n] and variances[n]
        _moments_of_image(x[n], means[n], variances[n])


@part
def _moments_of_image(x, mean, variance):
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


@parallel_kernel
def _normalize(x, mean, scale, b, y):
    for n in prange(len(x)):  # n owns y[n]
        _normalize_image(x[n], mean, scale, b, y[n])


@part
def _normalize_image(x, mean, scale, b, y):
    P, C = x.shape
    for p in range(P):
        for c in range(C):
            y[p, c] = scale[c] * (x[p, c] - mean[c]) + b[c]


@parallel_kernel
def _sum_gradients(dy, x, mean, inverse, dws, dbs):
    for n in prange(len(x)):  # n owns dws[n] and dbs[n]
        _sum_gradients_of_image(dy[n], x[n], mean, inverse, dws[n], dbs[n])


@part
def _sum_gradients_of_image(dy, x, mean, inverse, dw, db):
    P, C = x.shape
    dw[:] = 0
    db[:] = 0
    for p in range(P):
        for c in range(C):
            dw[c] += dy[p, c] * (x[p, c] - mean[c])
            db[c] += dy[p, c]
    dw *= inverse


@parallel_kernel
def _input_gradient(dy, x, mean, scale, slope, level, dx):
    for n in prange(len(x)):  # n owns dx[n]
        _input_gradient_of_image(dy[n], x[n], mean, scale, slope, level, dx[n])


@part
def _input_gradient_of_image(dy, x, mean, scale, slope, level, dx):
    P, C = x.shape
    for p in range(P):
        for c in range(C):
            dx[p, c] = scale[c] * (dy[p, c] - level[c]) - slope[c] * (x[p, c] - mean[c])
