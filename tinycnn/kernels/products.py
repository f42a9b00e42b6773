"""The dense layer and its gradients: three matrix products made by the convolution's loop."""

from functools import partial

import numpy as np

from tinycnn.kernels.jit import kernel
from tinycnn.kernels.microkernels import (
    FEW,
    ROWS,
    Plan,
    add_rows,
    axpy_rows,
    empty,
    gemm_tile,
    pieces,
    sum_of_pieces,
    window_slots,
    windows_from,
)
from tinycnn.kernels.simd import (
    EIGHT,
    LANES,
    add,
    load,
    load_first,
    store,
    store_first,
    times,
    zeros,
)
from tinycnn.kernels.threads import parallel_over


def dense(x, w, b):
    """See ``reference.dense``."""
    if len(x) > FEW:
        return product(x, w, b)
    y = empty((len(x), b.size), x.dtype)
    rest = w.ravel(), b, y.ravel(), window_slots(1, b.size, 0, 0)
    return Plan(y, partial(_living_inputs, x, *rest))


@kernel
def _living_inputs(x, w, b, y, slots):
    """Add to the biases the weights of each input that a ReLU has not silenced."""
    N, D = x.shape
    K = b.size
    rows, factors = np.empty(D, np.intp), np.empty(D, x.dtype)
    for n in range(N):
        y[n * K : (n + 1) * K] = b
        count = np.intp(0)
        for d in range(D):
            rows[count], factors[count] = d * K, x[n, d]
            count += x[n, d] != 0  # a silenced input is overwritten by the next one
        axpy_rows(y, w, rows, factors, (n * K, np.intp(0), count), slots)


def dense_backward_params(dy, x):
    """See ``reference.dense_backward_params``; sums over examples are made by pieces."""
    (N, D), K = x.shape, dy.shape[1]
    dw, (cuts, pairs) = empty((D, K), x.dtype), pieces(N)
    read = x.ravel(), np.arange(D), np.arange(N) * D, dy.ravel(), cuts, pairs
    _multiply_pieces((D + ROWS - 1) // ROWS, read, (dw.ravel(),))
    db = np.zeros((len(cuts) - 1, K), dy.dtype)
    _add_pieces(len(db), (dy, cuts), (db,))
    return dw, sum_of_pieces(db, pairs)


@parallel_over  # piece owns db[piece]
def _add_pieces(piece, read, written):
    (dy, cuts), (db,) = read, written
    add_rows(dy[cuts[piece] : cuts[piece + 1]].reshape(-1), db[piece])


@parallel_over  # block owns eight rows of dw
def _multiply_pieces(block, read, written):
    """Add each piece to earlier ones as soon as the order allows; only those too early are kept."""
    (x, inputs, examples, dy, cuts, pairs), (dw,) = read, written
    d, D = block * ROWS, inputs.size
    PIECES, K, windows = len(cuts) - 1, dw.size // D, windows_from(d, inputs, 0)
    waiting = np.empty(PIECES * ROWS * LANES, dw.dtype)
    for k in range(0, K, LANES):
        pair = 0
        for piece in range(PIECES):
            first, taps = piece, examples[cuts[piece] : cuts[piece + 1]]
            row = cuts[piece] * K + k, K, K - k
            sums = gemm_tile(x, windows, taps, dy, row, zeros(dy))
            while pair < len(pairs) and pairs[pair, 2] == piece:
                first = pairs[pair, 0]
                sums = add(load(waiting, times(add(EIGHT, first * ROWS), LANES)), sums)
                pair += 1
            for q in range(ROWS):
                if piece < PIECES - 1:
                    store(waiting, (first * ROWS + q) * LANES, sums[q])
                elif q < D - d:
                    store_first(dw, (d + q) * K + k, sums[q], K - k)


def dense_backward_input(dy, w):
    """See ``reference.dense_backward_input``."""
    turned = empty(w.shape[::-1], w.dtype)
    turned[...] = w.T
    return product(dy, turned, np.zeros(w.shape[0], w.dtype))


def product(x, w, b):
    """Return a plan of x @ w + b; NumPy's own would wake threads that compete with ours."""
    R, T = x.shape
    y = empty((R, w.shape[1]), x.dtype)
    read = x.ravel(), np.arange(R) * T, np.arange(T), w.ravel(), b
    return Plan(y, partial(_matmul, (R + ROWS - 1) // ROWS, read, (y.ravel(),)))


@parallel_over  # block owns eight rows of y
def _matmul(block, read, written):
    (x, offsets, taps, w, b), (y,) = read, written
    r, R, K = block * ROWS, offsets.size, b.size
    windows = windows_from(r, offsets, 0)
    for k in range(0, K, LANES):
        bias = load_first(b, k, K - k)
        sums = gemm_tile(x, windows, taps, w, (k, K, K - k), bias)
        for q in range(min(ROWS, R - r)):
            store_first(y, (r + q) * K + k, sums[q], K - k)
