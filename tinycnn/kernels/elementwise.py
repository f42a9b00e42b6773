"""The light operations, for which plain loops are enough, and batch normalization.

Batch normalization sums up each image on its own: the mean of a batch is the mean of its images'
means, its variance the mean of their variances plus the variance of their means. So no sum crosses
threads, and none of a million numbers loses its last ones.
"""

from functools import partial

import numpy as np

from tinycnn.kernels.jit import part
from tinycnn.kernels.microkernels import MANY, Plan, blocks, empty, in_rows
from tinycnn.kernels.simd import LANES, add, fma, full, load, store
from tinycnn.kernels.threads import between, parallel_over

LEAST = {np.dtype(z): np.finfo(z).tiny / np.finfo(z).eps for z in (np.float32, np.float64)}
"""The smallest numbers that ``reference.flush`` leaves."""


def relu(x):
    """See ``reference.relu``."""
    y = empty(x.shape, x.dtype)
    return Plan(y, partial(_relu, blocks(x), (x.ravel(), x.ravel()), (y.ravel(),)))


def relu_backward(dy, y):
    """See ``reference.relu_backward``."""
    dx = empty(dy.shape, dy.dtype)
    _relu(blocks(dy), (dy.ravel(), y.ravel()), (dx.ravel(),))
    return dx


@parallel_over  # block owns its part of passed
def _relu(block, read, written):
    """Pass each value whose gate is open (not <= 0): ReLU gates x by x, and dy by y."""
    mine = slice(block * MANY, (block + 1) * MANY)
    values, gate, passed = read[0][mine], read[1][mine], written[0][mine]
    for m in range(passed.size):
        passed[m] = 0 if gate[m] <= 0 else values[m]


@parallel_over  # block owns nothing: all set the same flag
def compare(block, read, written):
    """Set a flag if a block of an array differs from what was seen there."""
    mine = slice(block * MANY, (block + 1) * MANY)
    now, seen, differ = read[0][mine], read[1][mine], False
    for m in range(now.size):
        differ |= now[m] != seen[m]
    if differ:
        written[0][0] = 1


def dropout(x, draw, rate):
    """See ``reference.dropout``."""
    y = empty(x.shape, x.dtype)
    _dropout(blocks(x), (x.ravel(), draw.ravel(), float(rate)), (y.ravel(),))
    return y


@parallel_over  # block owns its part of passed
def _dropout(block, read, written):
    mine = slice(block * MANY, (block + 1) * MANY)
    values, draw, rate, passed = read[0][mine], read[1][mine], read[2], written[0][mine]
    for m in range(passed.size):
        passed[m] = values[m] / (1 - rate) if draw[m] >= rate else 0


def softmax(logits):
    """See ``reference.softmax``."""
    p, no_labels = empty(logits.shape, logits.dtype), np.empty(0, np.intp)
    return Plan(p, partial(_softmax, len(p), (logits, no_labels), (p, np.empty(0))))


def softmax_cross_entropy(logits, labels):
    """See ``reference.softmax_cross_entropy``."""
    p, losses = empty(logits.shape, logits.dtype), np.empty(len(labels))
    _softmax(len(p), (logits, labels), (p, losses))
    return float(losses.cumsum()[-1] / len(losses)), p


@parallel_over  # n owns p[n] and losses[n]
def _softmax(n, read, written):
    (logits, labels), (p, losses) = read, written
    largest, total, exact = logits[n, 0], p.dtype.type(0), 0.0
    for k in range(1, p.shape[1]):
        largest = max(largest, logits[n, k])
    for k in range(p.shape[1]):
        p[n, k] = np.exp(logits[n, k] - largest)
        total += p[n, k]
        exact += p[n, k]
    for k in range(p.shape[1]):
        p[n, k] /= total
    if labels.size:
        losses[n] = np.log(exact) - (logits[n, labels[n]] - largest)


@part
def _flush(number, least):
    return least - least if abs(number) < least else number  # a zero of the same dtype


def sgd_update(z, dz, velocity, learning_rate, momentum, weight_decay):
    """See ``reference.sgd_update``."""
    numbers = np.array([learning_rate, momentum, weight_decay, LEAST[z.dtype]], z.dtype)
    _sgd_update(blocks(z), (dz.ravel(), numbers), (z.ravel(), velocity.ravel()))


@parallel_over  # block owns its part of z and velocity
def _sgd_update(block, read, written):
    mine = slice(block * MANY, (block + 1) * MANY)
    dz, z, velocity = read[0][mine], written[0][mine], written[1][mine]
    learning_rate, momentum, weight_decay, least = read[1]
    for m in range(z.size):
        gradient = dz[m] + weight_decay * z[m]
        velocity[m] = _flush(momentum * velocity[m] - learning_rate * gradient, least)
        z[m] += velocity[m]


def adam_update(z, dz, mean, square, step, learning_rate, beta1, beta2, epsilon, weight_decay):
    """See ``reference.adam_update``."""
    corrections = 1 - beta1**step, 1 - beta2**step
    numbers = [learning_rate, beta1, beta2, epsilon, weight_decay, *corrections, LEAST[z.dtype]]
    read = dz.ravel(), np.array(numbers, z.dtype)
    _adam_update(blocks(z), read, (z.ravel(), mean.ravel(), square.ravel()))


@parallel_over  # block owns its part of z, mean and square
def _adam_update(block, read, written):
    mine = slice(block * MANY, (block + 1) * MANY)
    dz, z, mean, square = read[0][mine], written[0][mine], written[1][mine], written[2][mine]
    learning_rate, beta1, beta2, epsilon, weight_decay, correction1, correction2, least = read[1]
    for m in range(z.size):
        mean[m] = _flush(mean[m] + (1 - beta1) * (dz[m] - mean[m]), least)
        square[m] = _flush(square[m] + (1 - beta2) * (dz[m] * dz[m] - square[m]), least)
        step = mean[m] / correction1 / (np.sqrt(square[m] / correction2) + epsilon)
        z[m] -= learning_rate * (step + weight_decay * z[m])


def batchnorm(x, w, b, epsilon):
    """See ``reference.batchnorm``."""
    N, C = len(x), x.shape[-1]
    mean, variance, scale = np.zeros((3, C), x.dtype)
    means, variances = np.empty((2, N, C), x.dtype)
    _moments(N, (in_rows(x),), (means, variances))

    def join():
        if N:
            np.divide(means.sum(axis=0), N, out=mean)
            spread = np.square(means - mean).sum(axis=0) / N
            np.add(variances.sum(axis=0) / N, spread, out=variance)
        scale[:] = w / np.sqrt(variance + x.dtype.type(epsilon))

    between(join)
    plan = normalize(x, mean, scale, b)
    plan.fill()
    return plan.y, mean, variance


def normalize(x, mean, scale, b):
    """Return the plan of scale * (x - mean) + b, of which all but x are (C,)."""
    y = empty(x.shape, x.dtype)
    return Plan(y, partial(_normalize, len(x), (in_rows(x), mean, scale, b), (in_rows(y),)))


def batchnorm_backward(dy, x, w, mean, variance, epsilon):
    """See ``reference.batchnorm_backward``."""
    N, C = len(x), x.shape[-1]
    M = max(1, x.size // C)
    dx, (dws, dbs) = empty(x.shape, x.dtype), np.empty((2, N, C), x.dtype)
    dw, db, inverse, scale, slope, level = np.empty((6, C), x.dtype)
    between(lambda: np.divide(1, np.sqrt(variance + x.dtype.type(epsilon)), out=inverse))
    _sum_gradients(N, (in_rows(dy), in_rows(x), mean, inverse), (dws, dbs))

    def join():
        dw[:], db[:], scale[:] = dws.sum(axis=0), dbs.sum(axis=0), w * inverse
        slope[:], level[:] = scale * inverse * dw / M, db / M

    between(join)
    _input_gradient(N, (in_rows(dy), in_rows(x), mean, scale, slope, level), (in_rows(dx),))
    return dx, dw, db


@parallel_over  # n owns means[n] and variances[n]
def _moments(n, read, written):
    x, mean, variance = read[0][n], written[0][n], written[1][n]
    C, P = mean.size, x.size // mean.size  # channels, and places of each
    for c in range(0, C, LANES):
        total = full(0, x)
        for at in range(c, x.size, C):
            total = add(total, load(x, at, C - c))
        store(mean, c, total, C - c)
    mean /= P
    for c in range(0, C, LANES):
        center, total = load(mean, c, C - c), full(0, x)
        for at in range(c, x.size, C):
            away = _away(x, at, center, C - c)
            total = add(total, fma(away, away, full(0, x)))
        store(variance, c, total, C - c)
    variance /= P


@part
def _away(x, at, center, count):
    """Return the first ``count`` numbers at x[at], minus ``center``."""
    return fma(full(-1, center), center, load(x, at, count))


@parallel_over  # n owns y[n]
def _normalize(n, read, written):
    (x, mean, scale, b), (y,) = read, written
    C, x, y = b.size, x[n], y[n]
    for c in range(0, C, LANES):
        center, slope, shift = load((mean, scale, b), c, C - c)
        for at in range(c, x.size, C):
            scaled = fma(slope, _away(x, at, center, C - c), full(0, x))
            store(y, at, add(scaled, shift), C - c)


@parallel_over  # n owns dws[n] and dbs[n]
def _sum_gradients(n, read, written):
    (dy, x, mean, inverse), (dws, dbs) = read, written
    C, dy, x, dw = mean.size, dy[n], x[n], dws[n]
    for c in range(0, C, LANES):
        center, total, product = load(mean, c, C - c), full(0, x), full(0, x)
        for at in range(c, x.size, C):
            gradient = load(dy, at, C - c)
            total = add(total, gradient)
            product = add(product, fma(gradient, _away(x, at, center, C - c), full(0, x)))
        store((dbs[n], dw), c, (total, product), C - c)
    dw *= inverse


@parallel_over  # n owns dx[n]
def _input_gradient(n, read, written):
    (dy, x, mean, scale, slope, level), (dx,) = read, written
    C, dy, x, dx = mean.size, dy[n], x[n], dx[n]
    for c in range(0, C, LANES):
        centers, factors = load((level, mean), c, C - c), load((scale, slope), c, C - c)
        for at in range(c, x.size, C):
            away = _away((dy, x), at, centers, C - c)
            straight, turned = fma(factors, away, full(0, x))
            store(dx, at, fma(full(-1, turned), turned, straight), C - c)
