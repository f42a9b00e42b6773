"""The dense layer and its gradients: three matrix products made by the convolution's loop."""

from functools import partial

import numpy as np

from tinycnn.kernels.microkernels import FEW, ROWS, Plan, empty, gemm_tile, pieces, windows_from
from tinycnn.kernels.simd import EIGHT, LANES, add, full, load, row_at, store
from tinycnn.kernels.threads import parallel_over


def dense_backward_params(dy, x):
    """See ``reference.dense_backward_params``; b is the weight of an input that is always 1."""
    N, D = x.shape
    gradients = dy.ravel(), *pieces(N)
    dw, db = empty((D, dy.shape[1]), x.dtype), empty(dy.shape[1:], x.dtype)
    read = x.ravel(), np.arange(D), np.arange(N) * D, *gradients
    _multiply_pieces((D + ROWS - 1) // ROWS, read, (dw.ravel(),))
    one, here = np.ones(1, x.dtype), np.zeros(N + 1, np.intp)
    _multiply_pieces(1, (one, here[:1], here[1:], *gradients), (db,))
    return dw, db


@parallel_over  # block owns eight rows of dw
def _multiply_pieces(block, read, written):
    """Add each piece to earlier ones as soon as the order allows; only those too early are kept."""
    (x, inputs, examples, dy, cuts, pairs), (dw,) = read, written
    d, D = block * ROWS, inputs.size
    PIECES, K, windows = len(cuts) - 1, dw.size // D, windows_from(d, inputs, 0)
    waiting, size = np.empty(PIECES * ROWS * LANES, dw.dtype), ROWS * LANES
    rows, eight = row_at(add(EIGHT, d), D, K), row_at(EIGHT, ROWS, LANES)
    for k in range(0, K, LANES):
        pair = 0
        for piece in range(PIECES):
            first, taps = piece, examples[cuts[piece] : cuts[piece + 1]]
            row = cuts[piece] * K + k, K, K - k
            sums = gemm_tile(x, windows, taps, dy, row, full(0, dy))
            while pair < len(pairs) and pairs[pair, 2] == piece:
                first = pairs[pair, 0]
                sums = add(load(waiting, add(eight, first * size)), sums)
                pair += 1
            if piece < PIECES - 1:
                store(waiting, add(eight, first * size), sums)
            else:
                store(dw, add(rows, k), sums, K - k)


def dense_backward_input(dy, w):
    """See ``reference.dense_backward_input``."""
    (D, K), turned = w.shape, empty(w.shape[::-1], w.dtype)
    pack = (turning((1, K, D), w, (0, 1, K), turned, (0, D)),)
    return dense(dy, turned, np.zeros(D, w.dtype))._replace(pack=pack)


def turning(shape, x, x_steps, y, y_steps):
    """Return the loop y[i, j, k] = x[i, j, k]; ``steps`` say how far apart in memory these are."""
    read = x.ravel("K"), *map(int, (*shape[1:], *x_steps, *y_steps))
    return partial(_turn, -(-shape[2] // LANES) * shape[0], read, (y.ravel(),))


@parallel_over  # piece owns a strip of y[i], which comes from what the nearest cache can hold
def _turn(piece, read, written):
    (x, J, K, x_i, x_j, x_k, y_i, y_j), (y,) = read, written
    i, k = divmod(piece, (K + LANES - 1) // LANES)
    k *= LANES
    step, count = np.uintp(x_k), np.uintp(min(LANES, K - k))  # unsigned, as no x[-1] is meant
    for j in range(J):
        at, to = np.uintp(i * x_i + j * x_j + k * x_k), np.uintp(i * y_i + j * y_j + k)
        for m in range(count):
            y[to + m] = x[at + m * step]


def dense(x, w, b):
    """See ``reference.dense``; NumPy's own product would wake threads that compete with ours."""
    (R, T), K = x.shape, w.shape[1]
    y, blocks = empty((R, K), x.dtype), (R + ROWS - 1) // ROWS
    strips = min((K + 2 * LANES - 1) // (2 * LANES), max(1, 8 // max(1, blocks)))
    read = x.ravel(), np.arange(R) * T, np.arange(T), w.ravel(), b, strips
    return Plan(y, partial(_matmul, blocks * strips, read, (y.ravel(),)))


@parallel_over  # piece owns a strip of eight rows of y
def _matmul(piece, read, written):
    (x, offsets, taps, w, b, strips), (y,) = read, written
    (block, strip), R, K = divmod(piece, strips), offsets.size, b.size
    r, vectors = block * ROWS, (K + LANES - 1) // LANES
    k, last = strip * vectors // strips * LANES, (strip + 1) * vectors // strips * LANES
    windows, rows = windows_from(r, offsets, 0), row_at(add(EIGHT, r), R, K)
    while R - r > 1 and k < last:
        row, bias = (k, K, K - k), load(b, k, K - k)
        if R - r > FEW:
            store(y, add(rows, k), gemm_tile(x, windows, taps, w, row, bias), K - k)
        else:
            few = gemm_tile(x, windows[:FEW], taps, w, row, bias)
            store(y, add(rows[:FEW], k), few, K - k)
        k += LANES
    while k < last:  # one row alone: two vectors side by side; where there is one, it comes twice
        step = LANES if k + 2 * LANES <= min(last, K) else 0
        at = k, k + step
        row, bias = (at, K, K - k), load(b, at, K - k)
        store(y, add(at, r * K), gemm_tile(x, windows[:2], taps, w, row, bias), K - k)
        k += LANES + step
