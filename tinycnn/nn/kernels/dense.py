"""The dense layer and its gradients: three matrix products made by the convolution's loop."""

from functools import partial

import numpy as np
from numba import prange

from tinycnn.nn.kernels import checks
from tinycnn.nn.kernels.arrays import FEW, empty
from tinycnn.nn.kernels.blocks import ROWS, add_windows, eight_sums, window_slots
from tinycnn.nn.kernels.compile import kernel, parallel_kernel, part
from tinycnn.nn.kernels.vectors import LANES, load_first, store_first


def dense(x, w, b):
    """See ``reference.dense``."""
    x, w, b = checks.dense(x, w, b)
    if len(x) > FEW:
        return product(x, w, b)
    y = np.empty((len(x), b.size), x.dtype)
    _living_inputs(x, w.ravel(), b, y.ravel(), *window_slots(1, b.size, 0, 0))
    return y


def for_one_example(x, w, b):
    """Return y (1,K) and what fills it with ``dense`` of the example in x (1,D)."""
    y = empty((1, b.size), w.dtype)
    rest = w.ravel(), b, y.ravel(), *window_slots(1, b.size, 0, 0)
    return y, partial(_living_inputs, x, *rest)


@kernel
def _living_inputs(x, w, b, y, slots, tail):
    """Add to the biases the weights of each input that a ReLU has not silenced."""
    N, D = x.shape
    K, first = b.size, np.intp(0)
    rows, factors = np.empty(D, np.intp), np.empty(D, x.dtype)
    for n in range(N):
        y[n * K : (n + 1) * K] = b
        count = np.intp(0)
        for d in range(D):
            rows[count], factors[count] = d * K, x[n, d]
            count += x[n, d] != 0  # a silenced input is overwritten by the next one
        add_windows(y, n * K, w, rows, factors, first, count, slots, tail)


def dense_backward_params(dy, x):
    """See ``reference.dense_backward_params``."""
    dy, x = checks.arrays(dy=dy, x=x)
    checks.rank("dy", dy, "N K")
    checks.rank("x", x, "N D")
    checks.same("the number of examples of dy", dy.shape[0], x.shape[0])
    return product(x.T, dy, np.zeros(dy.shape[1], dy.dtype)), dy.sum(axis=0)


def dense_backward_input(dy, w):
    """See ``reference.dense_backward_input``."""
    dy, w = checks.arrays(dy=dy, w=w)
    checks.rank("dy", dy, "N K")
    checks.rank("w", w, "D K")
    checks.same("the number of outputs of dy", dy.shape[1], w.shape[1])
    return product(dy, np.ascontiguousarray(w.T), np.zeros(w.shape[0], w.dtype))


def product(x, w, b):
    """Return x @ w + b; x may be a transposed view, its numbers are not moved.

    NumPy's own product would wake the threads of its library, which then compete with ours.
    """
    R, T = x.shape
    y = empty((R, w.shape[1]), x.dtype)
    row, step = (stride // x.itemsize for stride in x.strides)
    _matmul(x.ravel(order="K"), np.arange(R) * row, np.arange(T) * step, w.ravel(), b, y.ravel())
    return y


@parallel_kernel
def _matmul(x, offsets, taps, w, b, y):
    for block in prange((offsets.size + ROWS - 1) // ROWS):  # block owns eight rows of y
        _eight_rows(np.intp(block * ROWS), x, offsets, taps, w, b, y)


@part
def _eight_rows(r, x, offsets, taps, w, b, y):
    R, K, base = offsets.size, b.size, np.intp(0)
    for k in range(0, K, LANES):
        bias = load_first(b, k, K - k)
        sums = eight_sums(x, base, offsets, r, taps, w, k, K, K - k, bias)
        for q in range(min(ROWS, R - r)):
            store_first(y, (r + q) * K + k, sums[q], K - k)
