"""Convolution, ReLU and max-pooling in one go, and gradients that visit only living winners.

The map before pooling is never stored. On the way back, one output of the convolution in four
has won its window, and the ReLU has silenced most of those: the rest would be sums of zeros.
"""

from functools import partial

import numpy as np
from numba import prange

from tinycnn.kernels import winograd
from tinycnn.kernels.conv import correlate
from tinycnn.kernels.jit import kernel, parallel_kernel, part
from tinycnn.kernels.memory import (
    FEW,
    by_tap,
    empty,
    pieces,
    sum_by_filter,
    sum_of_pieces,
    tap_offsets,
    window_offsets,
)
from tinycnn.kernels.microkernels import (
    ROWS,
    axpy_rows,
    gemm_tile,
    keep_larger,
    store_largest_of_four,
    store_winner,
    window_slots,
)
from tinycnn.kernels.shapes import valid_size
from tinycnn.kernels.simd import LANES, add, equals, load_first, select, store_first, zeros


def conv2d_relu_maxpool2d(x, w, b, size):
    """See ``reference.conv2d_relu_maxpool2d``; the map before pooling is never stored."""
    N, H, W, C = x.shape
    F, KH, KW, _ = w.shape
    OH, OW = (H - KH + 1) // size, (W - KW + 1) // size
    y = empty((N, OH, OW, F), x.dtype)
    winner = np.empty((N, OH, OW, F), np.uint8)
    if winograd.pays(w.shape, size):
        winograd.for_arrays(x, w, b, y, winner)()
        return y, winner
    windows, taps = window_offsets(W, C, OH, OW, size), tap_offsets(W, C, KH, KW)
    rest = x.ravel(), N, windows, size * size, taps, by_tap(w), b, y.ravel(), winner.ravel()
    if N <= FEW:
        for n in range(N):
            _compete_in_image(n, *rest)
    else:
        _compete(*rest)
    return y, winner


def for_one_image(x, w, b, size):
    """Return y and what fills it with ``conv2d_relu_maxpool2d`` of the image in x (1,H,W,C).

    Weights are packed and arrays are made here, once; what is left is the sum itself.
    """
    _, H, W, C = x.shape
    F, KH, KW, _ = w.shape
    OH, OW = (H - KH + 1) // size, (W - KW + 1) // size
    y, winner = empty((1, OH, OW, F), w.dtype), np.empty((1, OH, OW, F), np.uint8)
    if winograd.pays(w.shape, size):
        return y, winograd.for_arrays(x, w, b, y, winner)
    windows, taps = window_offsets(W, C, OH, OW, size), tap_offsets(W, C, KH, KW)
    rest = windows, size * size, taps, by_tap(w), b, y.ravel(), winner.ravel()
    return y, partial(_compete_in_image, 0, x.ravel(), 1, *rest)


@parallel_kernel
def _compete(x, N, windows, places, taps, w, b, y, winner):
    for n in prange(N):  # n owns y[n] and winner[n]
        _compete_in_image(np.intp(n), x, N, windows, places, taps, w, b, y, winner)


@kernel
def _compete_in_image(n, x, N, windows, places, taps, w, b, y, winner):
    """Let the places of each pooling window compete, eight sums at a time.

    ``windows`` lists all places of the first pooling window, then those of the second, and so on.
    """
    F, base = b.size, n * (x.size // N)
    for f in range(0, F, LANES):
        at = n * (windows.size // places) * F + f
        if places == 4:
            _compete_by_fours(at, x, base, windows, taps, w, f, b, y, winner)
        else:
            _compete_by_any(at, x, base, windows, places, taps, w, f, b, y, winner)


@part
def _compete_by_fours(at, x, base, windows, taps, w, f, b, y, winner):
    """Eight sums are just two pooling windows, and need not leave their registers."""
    F = b.size
    bias = load_first(b, f, F - f)
    for p in range(0, windows.size, ROWS):
        y0, y1, y2, y3, z0, z1, z2, z3 = gemm_tile(x, base, windows, p, taps, w, f, F, F - f, bias)
        store_largest_of_four(y0, y1, y2, y3, y, winner, at, F - f)
        if p + 4 < windows.size:
            store_largest_of_four(z0, z1, z2, z3, y, winner, at + F, F - f)
        at += 2 * F


@part
def _compete_by_any(at, x, base, windows, places, taps, w, f, b, y, winner):
    F, place = b.size, 0
    bias = load_first(b, f, F - f)
    best = where = zeros(x)
    for p in range(0, windows.size, ROWS):
        sums = gemm_tile(x, base, windows, p, taps, w, f, F, F - f, bias)
        for q in range(min(ROWS, windows.size - p)):
            if place == 0:
                best, where = sums[q], zeros(x)
            else:
                best, where = keep_larger(best, where, sums[q], place)
            place += 1
            if place == places:
                store_winner(best, where, places, y, winner, at, F - f)
                place, at = 0, at + F


def conv2d_relu_maxpool2d_backward_params(dy, winner, x, kernel_size, size):
    """See ``reference.conv2d_relu_maxpool2d_backward_params``.

    Usually only living winners are visited. Where a kernel row is short (few input channels) a
    vector would be mostly empty; there every output is visited, a vector of filters at a time.
    """
    N, H, W, C = x.shape
    _, OH, OW, F = dy.shape
    KH, KW = kernel_size
    cuts, pairs = pieces(N)
    db = empty((len(cuts) - 1, F), x.dtype)
    if visiting_all_pays(KW * C):
        output_size = valid_size((H, W), kernel_size)
        dw = empty((len(cuts) - 1, KH * KW * C, F), x.dtype)
        windows, taps = window_offsets(W, C, *output_size, 1), tap_offsets(W, C, KH, KW)
        _dense_backward_params(
            cuts, dy, winner, x.ravel(), windows, taps, size, output_size[1], dw, db
        )
        return sum_by_filter(dw, pairs, (F, KH, KW, C)), sum_of_pieces(db, pairs)
    dw = empty((len(cuts) - 1, F, KH, KW, C), x.dtype)
    _backward_params(
        cuts, dy.reshape(N, OH * OW, F), winner.reshape(N, OH * OW, F), x.ravel(),
        window_offsets(W, C, OH, OW, size), size * size,
        *window_slots(KH, KW * C, KW * C, W * C), dw, db,
    )  # fmt: skip
    return sum_of_pieces(dw, pairs), sum_of_pieces(db, pairs)


def visiting_all_pays(run: int) -> bool:
    """Return whether kernel rows of ``run`` numbers would leave vectors mostly empty."""
    return run < LANES


@parallel_kernel
def _backward_params(cuts, dy, winner, x, offsets, places, slots, tail, dw, db):
    for piece in prange(len(db)):  # piece owns dw[piece] and db[piece]
        _backward_params_of(
            np.intp(piece), cuts, dy, winner, x, offsets, places, slots, tail, dw, db
        )


@part
def _backward_params_of(piece, cuts, dy, winner, x, offsets, places, slots, tail, dw, db):
    """For each image and filter, list the living winners; dw[f] collects their windows."""
    N, OUT, F = dy.shape
    T, first = dw.size // db.size, np.intp(0)
    windows = np.empty(OUT, np.intp)
    gradients = np.empty(OUT, dy.dtype)
    flat_dw = dw.reshape(-1)
    dw[piece], db[piece] = 0, 0
    for n in range(cuts[piece], cuts[piece + 1]):
        base = n * (x.size // N)
        for f in range(F):
            count = np.intp(0)
            for p in range(OUT):
                place = np.intp(winner[n, p, f])
                windows[count] = base + offsets[p * places + min(place, places - 1)]
                gradients[count] = dy[n, p, f]
                count += place < places  # a silenced winner is overwritten by the next one
            for m in range(count):
                db[piece, f] += gradients[m]
            at = (piece * F + f) * T
            axpy_rows(flat_dw, at, x, windows, gradients, first, count, slots, tail)


@parallel_kernel
def _dense_backward_params(cuts, dy, winner, x, windows, taps, size, run, dw, db):
    for piece in prange(len(db)):  # piece owns dw[piece] and db[piece]
        _dense_backward_params_of(
            np.intp(piece), cuts, dy, winner, x, windows, taps, size, run, dw, db
        )


@part
def _dense_backward_params_of(piece, cuts, dy, winner, x, windows, taps, size, run, dw, db):
    """Bring dy back to the map before pooling, image by image; dw is x convolved with it."""
    N, OH, OW, F = dy.shape
    unpooled = np.zeros(windows.size * F, dy.dtype)
    dw[piece], db[piece] = 0, 0
    for n in range(cuts[piece], cuts[piece + 1]):
        _unpool_image(dy.reshape(-1), winner.reshape(-1), n, OH, OW, size, run, unpooled, db[piece])
        x_n = n * (x.size // N)
        correlate(x, x_n, windows, taps, unpooled, np.intp(0), dw[piece])


@part
def _unpool_image(dy, winner, n, OH, OW, size, run, unpooled, db):
    """Write the gradient of image n to where its winners stood, zeros elsewhere; add it to db."""
    F = db.size
    for f in range(0, F, LANES):
        total = load_first(db, f, F - f)
        for i in range(OH):
            for j in range(OW):
                at = ((n * OH + i) * OW + j) * F + f
                gradient = load_first(dy, at, F - f)
                for place in range(size * size):
                    u, v = divmod(place, size)
                    to = ((i * size + u) * run + j * size + v) * F + f
                    won = select(equals(winner, at, place, F - f), gradient, zeros(dy))
                    store_first(unpooled, to, won, F - f)
                    total = add(total, won)
        store_first(db, f, total, F - f)


def conv2d_relu_maxpool2d_backward_input(dy, winner, w, input_size, size):
    """See ``reference.conv2d_relu_maxpool2d_backward_input``; visits only living winners."""
    N, OH, OW, F = dy.shape
    H, W = input_size
    _, KH, KW, C = w.shape
    dx = empty((N, H, W, C), w.dtype)
    _backward_input(
        dy.reshape(N, OH * OW, F), winner.reshape(N, OH * OW, F), w.ravel(),
        window_offsets(W, C, OH, OW, size), size * size,
        *window_slots(KH, KW * C, W * C, KW * C), dx.ravel(),
    )  # fmt: skip
    return dx


@parallel_kernel
def _backward_input(dy, winner, w, offsets, places, slots, tail, dx):
    for n in prange(len(dy)):  # n owns dx[n]
        _backward_input_of(np.intp(n), dy, winner, w, offsets, places, slots, tail, dx)


@part
def _backward_input_of(n, dy, winner, w, offsets, places, slots, tail, dx):
    """For each place of each window, list the filters that it won; dx collects them there."""
    N, OUT, F = dy.shape
    filters = np.empty((places + 1) * F, np.intp)
    gradients = np.empty((places + 1) * F, dy.dtype)
    count = np.empty(places + 1, np.intp)
    dx_n = n * (dx.size // N)
    dx[dx_n : dx_n + dx.size // N] = 0
    for p in range(OUT):
        count[:] = 0
        for f in range(F):
            place = np.intp(winner[n, p, f])  # the silenced are listed too, and left lying
            at = place * F + count[place]
            filters[at] = f * (w.size // F)
            gradients[at] = dy[n, p, f]
            count[place] += 1
        for q in range(places):
            at, first = dx_n + offsets[p * places + q], q * F
            axpy_rows(dx, at, w, filters, gradients, first, count[q], slots, tail)
