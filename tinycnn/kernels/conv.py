"""Convolution, max-pooling, and both in one step with a ReLU between them; all their gradients.

In one step with ReLU and pooling, the map between them is never stored. In the backward pass, one
output of the convolution in four is the winner of its window, and the ReLU has stopped most of
those. So only living winners are visited, or every output by fewer multiplications: ``winograd``.
"""

import math
from functools import lru_cache, partial

import numpy as np

from tinycnn.kernels import winograd
from tinycnn.kernels.microkernels import (
    FEW,
    ROWS,
    Plan,
    axpy_rows,
    empty,
    gemm_tile,
    in_rows,
    keep_larger,
    pieces,
    store_living,
    store_winner,
    sum_of_pieces,
    unpool,
    window_offsets,
    window_slots,
    windows_from,
)
from tinycnn.kernels.simd import EIGHT, HALF, LANES, add, full, load, row_at, store
from tinycnn.kernels.threads import between, parallel_over

MANY_PAIRS = 4096  # of channel and filter: more, and Winograd pays among zeros, too

POOL = 2  # the size of a pooling window: eight sums are just two; 1, no pooling, is fused as well


def conv2d(x, w, b):
    """See ``reference.conv2d``."""
    plan = _plan(x, w, b, 1, False)
    return plan._replace(y=plan.y[0])


def conv2d_relu_maxpool2d(x, w, b, size):
    """See ``reference.conv2d_relu_maxpool2d``; the map before pooling is never stored."""
    return _plan(x, w, b, size, True) if size <= POOL else NotImplemented


def _plan(x, w, b, size, competing):
    """Return the plan of a convolution, whose outputs compete, against zero too, if asked."""
    (N, H, W, C), (F, KH, KW, _) = x.shape, w.shape
    OH, OW = (H - KH + 1) // size, (W - KW + 1) // size
    y = empty((N, OH, OW, F), x.dtype)
    winner = np.empty(y.shape if competing else (N, 0, 0, 0), np.uint8)
    if winograd.serves(w.shape, (OH, OW), size, N):
        fill, turn = winograd.filled_and_packed(x, w, b, size, y, winner)
        return Plan((y, winner), fill, turn, (w,))
    windows, places, shared, together = sites(x.shape, y.shape, size)
    by_rows = shared == size == 2 and KH == KW and (KW == 5 or (KW == 3 and C >= 8))
    shift = 0 if by_rows else size  # where neighbors have their weights: by rows, in one place
    run = KW + (shared - 1) * shift
    by_tap, biases = empty((KH, run, C, shared, F), w.dtype), empty((shared, F), w.dtype)

    def pack():
        by_tap[:], biases[:] = 0, b
        for k in range(shared):
            by_tap[:, k * shift :][:, :KW, :, k] = w.transpose(1, 2, 3, 0)

    if by_rows:
        fill, turn = winograd.filled_by_rows(x, by_tap, biases, y, winner)
        return Plan((y, winner), fill, (pack, turn), (w, b))
    parts, images = 1 if N > FEW else 4, (N // together, together)
    taps = window_offsets(W * C, 1, KH, run * C, 1)  # windows of one number each
    x, *written = (in_rows(z.reshape(*images, *z.shape[1:])) for z in (x, y, winner))
    read = x, windows, places, taps, by_tap.ravel(), biases.ravel(), size, parts
    fill = partial(_convolve, len(x) * parts, read, tuple(written))
    return Plan((y, winner), fill, (pack,), (w, b))


@lru_cache
def sites(x_shape, y_shape, size):
    """Return where windows begin, where their results go, how many share a vector, and how many
    images are taken as one, lest few windows leave the last of eight places empty.

    Windows share a vector if filters fill a half or a quarter of it. They are one, wide enough.
    """
    (N, H, W, C), (_, OH, OW, F) = x_shape, y_shape
    shared = LANES // F if F in (HALF, HALF // 2) and F * OW >= LANES else 1
    columns = np.minimum(np.arange(0, OW, shared), OW - shared)  # the last, with some again
    windows = window_offsets(W, C, OH, OW, size).reshape(OH, OW, -1)[:, columns].ravel()
    places = np.add.outer(np.arange(OH) * OW, columns).ravel() * F
    together = math.gcd(N, ROWS) if N > FEW and windows.size < 2 * ROWS else 1
    windows = np.add.outer(np.arange(together) * H * W * C, windows)
    places = np.add.outer(np.arange(together) * OH * OW * F, places)
    return windows.ravel(), places.ravel(), shared, together


@parallel_over  # piece owns its part of y[n] and winner[n], of one image or of some
def _convolve(piece, read, written):
    """Multiply eight windows at a time by a vector of filters.

    If there is pooling, ``windows`` lists all places of the first pooling window, then those of
    the second, and so on; the places of two compete at a time.
    """
    (x, windows, places, taps, w, b, size, parts), (y, winner) = read, written
    (n, part), eights, F = divmod(piece, parts), (windows.size + ROWS - 1) // ROWS, b.size
    all_eights = (F + LANES - 1) // LANES * eights  # of all vectors of filters
    first, last = part * all_eights // parts, (part + 1) * all_eights // parts
    x, y, winner = x[n], y[n], winner[n]
    for f in range(first // eights * LANES, F, LANES):
        bias, before = load(b, f, F - f), f // LANES * eights
        for m in range(max(first - before, 0), min(last - before, eights)):
            p, row = m * ROWS, (f, F, F - f)
            sums = gemm_tile(x, windows_from(p, windows, 0), taps, w, row, bias)
            at = windows_from(p // (size * size), places, f)
            if size == POOL:
                store_winner(sums[:4], y, winner, at[0], F - f)
                if p + 4 < windows.size:
                    store_winner(sums[4:], y, winner, at[1], F - f)
            elif winner.size:
                store_living(sums, y, winner, at, F - f)
            else:
                store(y, at, sums, F - f)


def conv2d_backward_params(dy, x, kernel_size):
    """See ``reference.conv2d_backward_params``.

    Seen from one image, dw is a valid convolution of x with dy in the place of the kernel: what
    was a window is a tap now, and what was a tap a window.
    """
    all_live = np.zeros(dy.shape, np.uint8)
    return conv2d_relu_maxpool2d_backward_params(dy, all_live, x, kernel_size, 1)


@parallel_over  # piece owns dw[piece] and db[piece]
def _correlate(piece, read, written):
    """Add up what each image and its gradient give; dy after pooling is unpooled first."""
    (dy, winner, x, windows, places, taps, cuts, size), (dw, db) = read, written
    flat, F = dw[piece].reshape(-1), db.shape[1]
    outputs = np.zeros(windows.size * F, dy.dtype)
    dw[piece], db[piece] = 0, 0
    for n in range(cuts[piece], cuts[piece + 1]):
        unpool(dy[n], winner[n], outputs, places, size, db[piece])
        for f in range(0, F, LANES):
            for t in range(0, taps.size, ROWS):
                eight, row = windows_from(t, taps, 0), (f, F, F - f)
                sums = gemm_tile(x[n], eight, windows, outputs, row, full(0, x))
                at = add(row_at(add(EIGHT, t), taps.size, F), f)
                store(flat, at, add(load(flat, at, F - f), sums), F - f)


def conv2d_backward_input(dy, w):
    """See ``reference.conv2d_backward_input``."""
    (_, OH, OW, _), (_, KH, KW, _) = dy.shape, w.shape
    all_live, input_size = np.zeros(dy.shape, np.uint8), (OH + KH - 1, OW + KW - 1)
    return conv2d_relu_maxpool2d_backward_input(dy, all_live, w, input_size, 1)


def conv2d_relu_maxpool2d_backward_params(dy, winner, x, kernel_size, size):
    """See ``reference.conv2d_relu_maxpool2d_backward_params``.

    After pooling, only living winners are visited, unless channels and filters are so many that
    Winograd's sums of all cost less. Where a kernel row is short (few input channels) a vector
    would be mostly empty; there every output is visited, a vector of filters at a time.
    """
    (N, H, W, C), (_, OH, OW, F), (KH, KW) = x.shape, dy.shape, kernel_size
    cuts, pairs = pieces(N)
    db = empty((len(cuts) - 1, F), x.dtype)
    dw = empty((len(db), F, KH, KW, C), x.dtype)
    wide = size == 1 or C * F > MANY_PAIRS
    if wide and winograd.serves((F, KH, KW, C), (OH * size, OW * size)):
        winograd.params_gradient(dy, winner, x, size, (cuts, dw, db))
        dw = sum_of_pieces(dw, pairs)
    elif size == 1 or visiting_all_pays(KW * C):
        windows = window_offsets(W, C, H - KH + 1, W - KW + 1, 1)
        taps = window_offsets(W * C, 1, KH, KW * C, 1)  # windows of one number each
        places = np.arange(OH * size) * (W - KW + 1) * F, np.arange(OW * size) * F
        read = in_rows(dy), in_rows(winner), in_rows(x), windows, places, taps, cuts, size
        _correlate(len(db), read, (dw.reshape(len(db), -1, F), db))
        by_filter, dw = sum_of_pieces(dw, pairs).reshape(-1, F).T, empty((F, KH * KW * C), x.dtype)
        between(lambda: np.copyto(dw, by_filter))
    else:
        sites = window_offsets(W, C, OH, OW, size), window_slots(KH, KW * C, KW * C, W * C)
        dy, winner = (z.reshape(N, OH * OW, F) for z in (dy, winner))
        dw, parts = dw.reshape(len(db), F, KH * KW * C), max(1, 4 // len(db))
        read = dy, winner, in_rows(x), *sites, cuts, size * size, parts
        _visit_living(len(db) * parts, read, (dw, db))
        dw = sum_of_pieces(dw, pairs)
    return dw.reshape(F, KH, KW, C), sum_of_pieces(db, pairs)


def visiting_all_pays(run: int) -> bool:
    """Return whether kernel rows of ``run`` numbers would leave vectors mostly empty."""
    return run < LANES


@parallel_over  # piece owns the dw and db of some filters, of which there are ``parts``
def _visit_living(piece, read, written):
    """For each image and filter, list the living winners; dw[f] collects their windows."""
    (dy, winner, x, offsets, slots, cuts, places, parts), (dw, db) = read, written
    (piece, part), (_, OUT, F) = divmod(piece, parts), dy.shape
    filters = range(part * F // parts, (part + 1) * F // parts)
    windows = np.empty(OUT, np.intp)
    gradients = np.empty(OUT, dy.dtype)
    for f in filters:
        dw[piece, f], db[piece, f] = 0, 0
    for n in range(cuts[piece], cuts[piece + 1]):
        for f in filters:
            count = np.intp(0)
            for p in range(OUT):
                place = int(winner[n, p, f])
                windows[count] = offsets[p * places + min(place, places - 1)]
                gradients[count] = dy[n, p, f]
                count += place < places  # a silenced winner is overwritten by the next one
            for m in range(count):
                db[piece, f] += gradients[m]
            axpy_rows(dw[piece, f], x[n], windows, gradients, (0, 0, count), slots)


def conv2d_relu_maxpool2d_backward_input(dy, winner, w, input_size, size):
    """See ``reference.conv2d_relu_maxpool2d_backward_input``; by Winograd, or living winners."""
    (N, OH, OW, F), (_, KH, KW, C), (H, W) = dy.shape, w.shape, input_size
    dx = empty((N, H, W, C), w.dtype)
    wide = size == 1 or LANES > 8  # in short vectors, living winners take less time
    if wide and winograd.serves((C, KH, KW, F), (OH * size, OW * size)):
        fill, turn = winograd.input_gradient(dy, winner, w, size, dx)
        return Plan(dx, fill, turn, (w,))
    sites = window_offsets(W, C, OH, OW, size), window_slots(KH, KW * C, W * C, KW * C)
    dy, winner = (z.reshape(N, OH * OW, F) for z in (dy, winner))
    read = dy, winner, w.ravel(), *sites, size * size
    return Plan(dx, partial(_backward_input, N, read, (in_rows(dx),)))


@parallel_over  # n owns dx[n]
def _backward_input(n, read, written):
    """For each place of each window, list the filters that it won; dx collects them there."""
    (dy, winner, w, offsets, slots, places), (dx,) = read, written
    _, OUT, F = dy.shape
    filters = np.empty((places + 1) * F, np.intp)
    gradients = np.empty((places + 1) * F, dy.dtype)
    count = np.empty(places + 1, np.intp)
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
        for q in range(places):
            span = offsets[p * places + q], q * F, count[q]
            axpy_rows(dx_n, w, filters, gradients, span, slots)


def maxpool2d(x, size):
    """See ``reference.maxpool2d``."""
    N, H, W, C = x.shape
    y = empty((N, H // size, W // size, C), x.dtype)
    winner = np.empty(y.shape, np.uint8)
    windows = window_offsets(W, C, *y.shape[1:3], size)
    _maxpool2d(N, (in_rows(x), windows, C, size * size), (in_rows(y), in_rows(winner)))
    return y, winner


@parallel_over  # n owns y[n] and winner[n]
def _maxpool2d(n, read, written):
    (x, windows, C, places), (y, winner) = read, written
    for p in range(windows.size // places):
        for c in range(0, C, LANES):
            best, where = load(x[n], windows[p * places] + c, C - c), full(0, y)
            for place in range(1, places):
                value = load(x[n], windows[p * places + place] + c, C - c)
                best, where = keep_larger(best, where, value, place)
            store((y[n], winner[n]), p * C + c, (best, where), C - c)


def maxpool2d_backward(dy, winner, input_size, size):
    """See ``reference.maxpool2d_backward``."""
    (N, OH, OW, C), (H, W) = dy.shape, input_size
    dx = empty((N, H, W, C), dy.dtype)
    places = np.arange(OH * size) * W * C, np.arange(OW * size) * C
    _maxpool2d_backward(N, (in_rows(dy), in_rows(winner), places, size, C), (in_rows(dx),))
    return dx


@parallel_over  # n owns dx[n]
def _maxpool2d_backward(n, read, written):
    (dy, winner, places, size, C), (dx,) = read, written
    dx_n = dx[n]
    dx_n[:] = 0
    unpool(dy[n], winner[n], dx_n, places, size, np.zeros(C, dy.dtype))
