"""Convolution and its gradients, alone, and in one step with ReLU and max-pooling.

In one step with ReLU and pooling, the map between them is never stored. In the backward pass, one
output of the convolution in four is the winner of its window, and the ReLU has stopped most of
those. So only living winners are visited; all else would be sums of zeros.
"""

from functools import partial

import numpy as np

from tinycnn.kernels import winograd
from tinycnn.kernels.jit import part
from tinycnn.kernels.microkernels import (
    FEW,
    ROWS,
    Plan,
    add_rows,
    axpy_rows,
    by_tap,
    empty,
    gemm_tile,
    in_rows,
    pieces,
    store_winner,
    sum_of_pieces,
    tap_offsets,
    window_offsets,
    window_slots,
    windows_from,
)
from tinycnn.kernels.simd import LANES, add, equals, load_first, select, store_first, zeros
from tinycnn.kernels.threads import parallel_over

POOL = 2
"""The size of a pooling window: eight sums are just two of them. Others are not fused."""

PLACES = POOL * POOL

NO_WINNER = np.empty((0, 0, 0, 0), np.uint8)  # where nothing is pooled


def conv2d(x, w, b):
    """See ``reference.conv2d``."""
    plan = _plan(x, w, b, 1)
    return plan._replace(y=plan.y[0])


def conv2d_relu_maxpool2d(x, w, b, size):
    """See ``reference.conv2d_relu_maxpool2d``; the map before pooling is never stored."""
    return _plan(x, w, b, POOL) if size == POOL else NotImplemented


def _plan(x, w, b, size):
    """Return the plan of a convolution, whose outputs compete if ``size`` is not 1."""
    (N, H, W, C), (F, KH, KW, _) = x.shape, w.shape
    OH, OW = (H - KH + 1) // size, (W - KW + 1) // size
    y = empty((N, OH, OW, F), x.dtype)
    winner = NO_WINNER if size == 1 else np.empty(y.shape, np.uint8)
    if winograd.pays(w.shape) and winograd.tile_outputs(y.shape, KH, size):
        fill, pack = winograd.filled_and_packed(x, w, b, y, winner)
        return Plan((y, winner), fill, pack, (w,))
    packed, pack = by_tap(w)
    windows, taps = window_offsets(W, C, OH, OW, size), tap_offsets(W, C, KH, KW)
    read, written = (in_rows(x), windows, taps, packed, b), (in_rows(y), in_rows(winner))
    parts = 1 if N > FEW else 4
    return Plan((y, winner), partial(_convolve, N * parts, (*read, parts), written), pack, (w,))


@parallel_over  # piece owns its part of y[n] and winner[n]
def _convolve(piece, read, written):
    """Multiply eight windows at a time by a vector of filters.

    If there is pooling, ``windows`` lists all places of the first pooling window, then those of
    the second, and so on; the places of two compete at a time.
    """
    (x, windows, taps, w, b, parts), (y, winner) = read, written
    F, eights = b.size, (windows.size + ROWS - 1) // ROWS
    n, part = divmod(piece, parts)
    first, last = part * eights // parts, (part + 1) * eights // parts
    for f in range(0, F, LANES):
        bias, at = load_first(b, f, F - f), 2 * first * F + f
        for p in range(first * ROWS, last * ROWS, ROWS):
            eight = windows_from(p, windows, 0)
            sums = gemm_tile(x[n], eight, taps, w, (f, F, F - f), bias)
            if winner.size:
                store_winner(sums[:PLACES], y[n], winner[n], at, F - f)
                if p + PLACES < windows.size:
                    store_winner(sums[PLACES:], y[n], winner[n], at + F, F - f)
                at += 2 * F
            else:
                for q in range(min(ROWS, windows.size - p)):
                    store_first(y[n], (p + q) * F + f, sums[q], F - f)


def conv2d_backward_params(dy, x, kernel_size):
    """See ``reference.conv2d_backward_params``.

    Seen from one image, dw is a valid convolution of x with dy in the place of the kernel: what
    was a window is a tap now, and what was a tap a window.
    """
    read, written, pairs = _every_output(dy, NO_WINNER, x, kernel_size)
    _correlate(len(read[-1]) - 1, read, written)
    return _sums(written, pairs, kernel_size)


def _every_output(dy, winner, x, kernel_size):
    """Return what ``_correlate`` reads and writes, and which pairs of pieces are added up then."""
    (_, H, W, C), F, (KH, KW) = x.shape, dy.shape[3], kernel_size
    cuts, pairs = pieces(len(x))
    windows = window_offsets(W, C, H - KH + 1, W - KW + 1, 1).reshape(-1, W - KW + 1)
    dw = empty((len(cuts) - 1, KH * KW * C, F), x.dtype)
    db = empty((len(cuts) - 1, F), x.dtype)
    return (dy, winner, in_rows(x), windows, tap_offsets(W, C, KH, KW), cuts), (dw, db), pairs


def _sums(parts, pairs, kernel_size):
    """Return dw (F,KH,KW,C) and db (F,), the sums of pieces (PIECES,KH*KW*C,F) and (PIECES,F)."""
    dw, db = parts
    dw = np.ascontiguousarray(sum_of_pieces(dw, pairs).T)
    return dw.reshape(len(dw), *kernel_size, -1), sum_of_pieces(db, pairs)


@parallel_over  # piece owns dw[piece] and db[piece]
def _correlate(piece, read, written):
    """Add up what each image and its gradient give; dy after pooling is unpooled first."""
    (dy, winner, x, windows, taps, cuts), (dw, db) = read, written
    T, F = dw[piece].shape
    dw_flat = dw[piece].reshape(-1)
    outputs = np.zeros(windows.size * F, dy.dtype)
    dw[piece], db[piece] = 0, 0
    for n in range(cuts[piece], cuts[piece + 1]):
        if winner.size:
            _unpool(dy[n], winner[n], outputs, windows.shape[1], db[piece])
        else:
            outputs = dy[n].reshape(-1)
            add_rows(outputs, db[piece])
        for f in range(0, F, LANES):
            for t in range(0, T, ROWS):
                eight, row = windows_from(t, taps, 0), (f, F, F - f)
                sums = gemm_tile(x[n], eight, windows.reshape(-1), outputs, row, zeros(x))
                for q in range(min(ROWS, T - t)):
                    at = (t + q) * F + f
                    store_first(dw_flat, at, add(load_first(dw_flat, at, F - f), sums[q]), F - f)


def conv2d_backward_input(dy, w):
    """See ``reference.conv2d_backward_input``: a convolution of the framed dy."""
    (N, OH, OW, F), (_, KH, KW, C) = dy.shape, w.shape
    framed = empty((N, OH + 2 * (KH - 1), OW + 2 * (KW - 1), F), w.dtype)
    framed[...] = 0
    framed[:, KH - 1 : KH - 1 + OH, KW - 1 : KW - 1 + OW] = dy
    turned = w[:, ::-1, ::-1, :].transpose(3, 1, 2, 0)  # (C,KH,KW,F): channels are its filters
    return conv2d(framed, turned, np.zeros(C, w.dtype))


def conv2d_relu_maxpool2d_backward_params(dy, winner, x, kernel_size, size):
    """See ``reference.conv2d_relu_maxpool2d_backward_params``.

    Usually only living winners are visited. Where a kernel row is short (few input channels) a
    vector would be mostly empty; there every output is visited, a vector of filters at a time.
    """
    if size != POOL:
        return NotImplemented
    N, _, W, C = x.shape
    _, OH, OW, F = dy.shape
    KH, KW = kernel_size
    if visiting_all_pays(KW * C):
        read, written, pairs = _every_output(dy, winner, x, kernel_size)
        _correlate(len(read[-1]) - 1, read, written)
        return _sums(written, pairs, kernel_size)
    cuts, pairs = pieces(N)
    db = empty((len(cuts) - 1, F), x.dtype)
    dw = empty((len(cuts) - 1, F, KH, KW, C), x.dtype)
    sites = window_offsets(W, C, OH, OW, POOL), window_slots(KH, KW * C, KW * C, W * C)
    dy, winner = (z.reshape(N, OH * OW, F) for z in (dy, winner))
    read = dy, winner, in_rows(x), *sites, cuts
    _visit_living(len(db), read, (dw.reshape(len(db), F, KH * KW * C), db))
    return sum_of_pieces(dw, pairs), sum_of_pieces(db, pairs)


def visiting_all_pays(run: int) -> bool:
    """Return whether kernel rows of ``run`` numbers would leave vectors mostly empty."""
    return run < LANES


@parallel_over  # piece owns dw[piece] and db[piece]
def _visit_living(piece, read, written):
    """For each image and filter, list the living winners; dw[f] collects their windows."""
    (dy, winner, x, offsets, slots, cuts), (dw, db) = read, written
    _, OUT, F = dy.shape
    windows = np.empty(OUT, np.intp)
    gradients = np.empty(OUT, dy.dtype)
    dw_flat = dw[piece].reshape(-1)
    dw[piece], db[piece] = 0, 0
    for n in range(cuts[piece], cuts[piece + 1]):
        for f in range(F):
            count = np.intp(0)
            for p in range(OUT):
                place = int(winner[n, p, f])
                windows[count] = offsets[p * PLACES + min(place, PLACES - 1)]
                gradients[count] = dy[n, p, f]
                count += place < PLACES  # a silenced winner is overwritten by the next one
            for m in range(count):
                db[piece, f] += gradients[m]
            at = f * dw.shape[2]
            axpy_rows(dw_flat, x[n], windows, gradients, (at, np.intp(0), count), slots)


@part
def _unpool(dy, winner, unpooled, columns, db):
    """Write an image's gradient to where its winners are, zeros elsewhere; add it to db."""
    OH, OW, F = dy.shape
    dy, winner = dy.reshape(-1), winner.reshape(-1)
    for f in range(0, F, LANES):
        total = load_first(db, f, F - f)
        for i in range(OH):
            for j in range(OW):
                at = (i * OW + j) * F + f
                gradient = load_first(dy, at, F - f)
                for place in range(PLACES):
                    u, v = divmod(place, POOL)
                    to = ((i * POOL + u) * columns + j * POOL + v) * F + f
                    won = select(equals(winner, at, place, F - f), gradient, zeros(dy))
                    store_first(unpooled, to, won, F - f)
                    total = add(total, won)
        store_first(db, f, total, F - f)


def conv2d_relu_maxpool2d_backward_input(dy, winner, w, input_size, size):
    """See ``reference.conv2d_relu_maxpool2d_backward_input``; visits only living winners."""
    if size != POOL:
        return NotImplemented
    N, OH, OW, _ = dy.shape
    H, W = input_size
    F, KH, KW, C = w.shape
    dx = empty((N, H, W, C), w.dtype)
    sites = window_offsets(W, C, OH, OW, POOL), window_slots(KH, KW * C, W * C, KW * C)
    dy, winner = (z.reshape(N, OH * OW, F) for z in (dy, winner))
    _backward_input(N, (dy, winner, w.ravel(), *sites), (in_rows(dx),))
    return dx


@parallel_over  # n owns dx[n]
def _backward_input(n, read, written):
    """For each place of each window, list the filters that it won; dx collects them there."""
    (dy, winner, w, offsets, slots), (dx,) = read, written
    _, OUT, F = dy.shape
    filters = np.empty((PLACES + 1) * F, np.intp)
    gradients = np.empty((PLACES + 1) * F, dy.dtype)
    count = np.empty(PLACES + 1, np.intp)
    dx_n = dx[n]
    dx_n[:] = 0
    for p in range(OUT):
        count[:] = 0
        for f in range(F):
            place = int(winner[n, p, f])  # the silenced are listed too, and ignored
            at = place * F + count[place]
            filters[at] = f * (w.size // F)
            gradients[at] = dy[n, p, f]
            count[place] += 1
        for q in range(PLACES):
            span = offsets[p * PLACES + q], q * F, count[q]
            axpy_rows(dx_n, w, filters, gradients, span, slots)
