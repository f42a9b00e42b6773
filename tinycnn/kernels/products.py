"""The dense layer and its gradients: three matrix products made by the convolution's loop."""

from functools import partial

import numpy as np
from numba import prange

from tinycnn.kernels.jit import kernel, parallel_kernel, part
from tinycnn.kernels.memory import FEW, empty, pieces, sum_over_batch
from tinycnn.kernels.microkernels import ROWS, axpy_rows, gemm_tile, window_slots
from tinycnn.kernels.simd import LANES, add, load, load_first, store, store_first, zeros


def dense(x, w, b):
    """See ``reference.dense``."""
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
        axpy_rows(y, n * K, w, rows, factors, first, count, slots, tail)


def dense_backward_params(dy, x):
    """See ``reference.dense_backward_params``."""
    return gradient_product(x, dy), sum_over_batch(dy)


def gradient_product(x, dy):
    """Return x.T @ dy, whose sums over examples are made by pieces."""
    (N, D), K = x.shape, dy.shape[1]
    dw = empty((D, K), x.dtype)
    inputs, examples = np.arange(D), np.arange(N) * D
    _multiply_pieces(x.ravel(), inputs, examples, dy.ravel(), K, *pieces(N), dw.ravel())
    return dw


@parallel_kernel
def _multiply_pieces(x, inputs, examples, dy, K, cuts, pairs, dw):
    for block in prange((inputs.size + ROWS - 1) // ROWS):  # block owns eight rows of dw
        _eight_inputs(np.intp(block * ROWS), x, inputs, examples, dy, K, cuts, pairs, dw)


@part
def _eight_inputs(d, x, inputs, examples, dy, K, cuts, pairs, dw):
    """Add each piece to those before it as soon as it may be; only these wait in memory."""
    D, PIECES, base = inputs.size, len(cuts) - 1, np.intp(0)
    waiting = np.empty(PIECES * ROWS * LANES, dw.dtype)
    for k in range(0, K, LANES):
        pair = 0
        for piece in range(PIECES):
            first, taps = piece, examples[cuts[piece] : cuts[piece + 1]]
            at = cuts[piece] * K + k
            sums = gemm_tile(x, base, inputs, d, taps, dy, at, K, K - k, zeros(dy))
            while pair < len(pairs) and pairs[pair, 2] == piece:
                first = pairs[pair, 0]
                sums = _add_waiting(waiting, first * ROWS * LANES, sums)
                pair += 1
            for q in range(ROWS):
                if piece < PIECES - 1:
                    store(waiting, (first * ROWS + q) * LANES, sums[q])
                elif q < D - d:
                    store_first(dw, (d + q) * K + k, sums[q], K - k)


@part
def _add_waiting(waiting, at, sums):
    y0, y1, y2, y3, y4, y5, y6, y7 = sums
    return (
        add(load(waiting, at), y0),
        add(load(waiting, at + LANES), y1),
        add(load(waiting, at + 2 * LANES), y2),
        add(load(waiting, at + 3 * LANES), y3),
        add(load(waiting, at + 4 * LANES), y4),
        add(load(waiting, at + 5 * LANES), y5),
        add(load(waiting, at + 6 * LANES), y6),
        add(load(waiting, at + 7 * LANES), y7),
    )


def dense_backward_input(dy, w):
    """See ``reference.dense_backward_input``."""
    return product(dy, np.ascontiguousarray(w.T), np.zeros(w.shape[0], w.dtype))


def product(x, w, b):
    """Return x @ w + b.

    NumPy's own product would wake the threads of its library, which then compete with ours.
    """
    R, T = x.shape
    y = empty((R, w.shape[1]), x.dtype)
    _matmul(x.ravel(), np.arange(R) * T, np.arange(T), w.ravel(), b, y.ravel())
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
        sums = gemm_tile(x, base, offsets, r, taps, w, k, K, K - k, bias)
        for q in range(min(ROWS, R - r)):
            store_first(y, (r + q) * K + k, sums[q], K - k)
