"""The light operations: plain loops are enough for them."""

from functools import partial

import numpy as np
from numba import prange

from tinycnn.kernels.jit import kernel, parallel_kernel, part

MANY = 4096
"""Numbers of an update that one thread does by itself: to wake others takes about as long."""


@kernel
def scale(values, factor, scaled):
    """Write values * factor to ``scaled``; all flat and of one length."""
    for m in range(values.size):
        scaled[m] = values[m] * factor


def maxpool2d(x, size):
    """See ``reference.maxpool2d``."""
    N, H, W, C = x.shape
    y = np.empty((N, H // size, W // size, C), x.dtype)
    winner = np.empty(y.shape, np.uint8)
    _maxpool2d(x, size, y, winner)
    return y, winner


@parallel_kernel
def _maxpool2d(x, size, y, winner):
    N, OH, OW, C = y.shape
    for n in prange(N):  # n owns y[n] and winner[n]
        for i in range(OH):
            for j in range(OW):
                y[n, i, j] = x[n, i * size, j * size]
                winner[n, i, j] = 0
                for place in range(1, size * size):
                    u, v = divmod(place, size)
                    for c in range(C):
                        value, best = x[n, i * size + u, j * size + v, c], y[n, i, j, c]
                        if not value <= best and best == best:  # larger, or the first NaN
                            y[n, i, j, c] = value
                            winner[n, i, j, c] = place


def maxpool2d_backward(dy, winner, input_size, size):
    """See ``reference.maxpool2d_backward``."""
    N, _, _, C = dy.shape
    dx = np.zeros((N, *input_size, C), dy.dtype)
    _maxpool2d_backward(dy, winner, size, dx)
    return dx


@parallel_kernel
def _maxpool2d_backward(dy, winner, size, dx):
    N, OH, OW, C = dy.shape
    for n in prange(N):  # n owns dx[n]
        for i in range(OH):
            for j in range(OW):
                for c in range(C):
                    u, v = divmod(np.intp(winner[n, i, j, c]), size)
                    dx[n, i * size + u, j * size + v, c] = dy[n, i, j, c]


def relu(x):
    """See ``reference.relu``."""
    y = np.empty_like(x)
    _relu(x.ravel(), x.ravel(), y.ravel())
    return y


def relu_backward(dy, y):
    """See ``reference.relu_backward``."""
    dx = np.empty_like(dy)
    _relu(dy.ravel(), y.ravel(), dx.ravel())
    return dx


@parallel_kernel
def _relu(values, gate, passed):
    """Pass each value whose gate is open (not <= 0): ReLU gates x by x, and dy by y."""
    for m in prange(values.size):  # m owns passed[m]
        passed[m] = 0 if gate[m] <= 0 else values[m]


def dropout(x, draw, rate):
    """See ``reference.dropout``."""
    y = np.empty_like(x)
    _dropout(x.ravel(), draw.ravel(), float(rate), y.ravel())
    return y


def dropout_backward(dy, draw, rate):
    """See ``reference.dropout_backward``."""
    return dropout(dy, draw, rate)


@parallel_kernel
def _dropout(values, draw, rate, passed):
    for m in prange(values.size):  # m owns passed[m]
        passed[m] = values[m] / (1 - rate) if draw[m] >= rate else 0


def softmax(logits):
    """See ``reference.softmax``."""
    p = np.empty_like(logits)
    _softmax(logits, p)
    return p


def softmax_for_one_example(logits):
    """Return p (1,K) and what fills it with ``softmax`` of the logits (1,K)."""
    p = np.empty_like(logits)
    return p, partial(_softmax, logits, p)


@part
def _largest(logits, n):
    largest = logits[n, 0]
    for k in range(1, logits.shape[1]):
        largest = max(largest, logits[n, k])
    return largest


@kernel
def _softmax(logits, p):
    N, K = p.shape
    for n in range(N):
        largest = _largest(logits, n)
        total = p.dtype.type(0)
        for k in range(K):
            p[n, k] = np.exp(logits[n, k] - largest)
            total += p[n, k]
        for k in range(K):
            p[n, k] /= total


def softmax_cross_entropy(logits, labels):
    """See ``reference.softmax_cross_entropy``."""
    p = np.empty_like(logits)
    return _softmax_cross_entropy(logits, labels, p), p


@kernel
def _softmax_cross_entropy(logits, labels, p):
    _softmax(logits, p)
    N, K = p.shape
    loss = 0.0
    for n in range(N):
        largest = _largest(logits, n)
        total = 0.0
        for k in range(K):
            total += np.exp(logits[n, k] - largest)
        loss += np.log(total) - (logits[n, labels[n]] - largest)
    return loss / N


def sgd_update(z, dz, velocity, learning_rate, momentum, weight_decay):
    """See ``reference.sgd_update``."""
    numbers = np.array([learning_rate, momentum, weight_decay], z.dtype)
    update = _sgd_update if z.size < MANY else _sgd_update_by_blocks
    update(z.ravel(), dz.ravel(), velocity.ravel(), numbers)


@parallel_kernel
def _sgd_update_by_blocks(z, dz, velocity, numbers):
    for block in prange((z.size + MANY - 1) // MANY):  # block owns its part of z and velocity
        part = slice(block * MANY, (block + 1) * MANY)
        _sgd_update(z[part], dz[part], velocity[part], numbers)


@kernel
def _sgd_update(z, dz, velocity, numbers):
    learning_rate, momentum, weight_decay = numbers
    for m in range(z.size):
        gradient = dz[m] + weight_decay * z[m]
        velocity[m] = momentum * velocity[m] - learning_rate * gradient
        z[m] += velocity[m]


def adam_update(z, dz, mean, square, step, learning_rate, beta1, beta2, epsilon, weight_decay):
    """See ``reference.adam_update``."""
    corrections = 1 - beta1**step, 1 - beta2**step
    numbers = np.array([learning_rate, beta1, beta2, epsilon, weight_decay, *corrections], z.dtype)
    _adam_update(z.ravel(), dz.ravel(), mean.ravel(), square.ravel(), numbers)


@kernel
def _adam_update(z, dz, mean, square, numbers):
    learning_rate, beta1, beta2, epsilon, weight_decay, correction1, correction2 = numbers
    for m in range(z.size):
        mean[m] += (1 - beta1) * (dz[m] - mean[m])
        square[m] += (1 - beta2) * (dz[m] * dz[m] - square[m])
        step = mean[m] / correction1 / (np.sqrt(square[m] / correction2) + epsilon)
        z[m] -= learning_rate * (step + weight_decay * z[m])
