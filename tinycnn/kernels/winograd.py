"""Fewer multiplications for the same convolution: Winograd's minimal filtering.

A few neighboring numbers of a convolution are coefficients of a product of polynomials. Such a
product is known from its values at enough points, and at a point it costs one multiplication:
so evaluate both polynomials at the points, multiply, and interpolate. Turned around, the same
product filters: the kernel is evaluated as before (G), x goes through the transpose of the
interpolation (B^T), the results through that of the evaluation (A^T). For m outputs and r taps that
takes n = m + r - 1 points and not m * r multiplications; in two dimensions, 4x4 outputs of
a 5x5 kernel cost 64 instead of 400 (Winograd 1980, Lavin and Gray 2016).

    y = A^T [ (G w G^T) * (B^T x B) ] A        for each tile, channel and filter

That is linear in w and in x, so its gradients are the same sums, read in the other directions:

    dw = G^T [ (A dy A^T) * (B^T x B) ] G      summed over all tiles
    dx = B [ (G w G^T) * (A dy A^T) ] B^T      added up where tiles of x overlap

G w G^T is made once for all images. Between the transforms, the sums at each of the n**2 points,
over channels, filters or tiles, are ordinary matrix products, left to ``gemm_tile``. Where pooling
follows, the outputs of a tile are pooling windows of 2x2. (A NaN in x is seen by a whole tile.)
"""

import math
from fractions import Fraction
from functools import lru_cache, partial, reduce

import numpy as np

from tinycnn.kernels.jit import kernel, part
from tinycnn.kernels.microkernels import (
    FEW,
    ROWS,
    empty,
    gemm_tile,
    gemm_tile_along,
    in_rows,
    store_living,
    store_winner,
    unpool,
    windows_from,
)
from tinycnn.kernels.products import dense, turning
from tinycnn.kernels.simd import EIGHT, LANES, add, dot, fill, full, joined, load, row_at, store
from tinycnn.kernels.threads import parallel_over

POINTS = tuple(Fraction(p) for p in ("0", "1", "-1", "1/2", "-2", "2", "-1/2"))
"""Where polynomials are evaluated, and at infinity: small numbers lose few digits."""

GROUP = 16  # tiles between whose transforms and products the second cache keeps everything

SUMMED = 32  # tiles over which one product for dw sums: then the numbers of both fit there

PIECES = 16  # of a batch that run side by side


@lru_cache
def matrices(taps: int, outputs: int, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    """Return A^T, B^T, G^T, A, B, each flat, with rows of 8, and G x G (n*n, taps*taps).

    Row j of G evaluates the kernel at point j, scaled; A^T evaluates the outputs' counterpart;
    row j of B^T holds the coefficients of the polynomial that vanishes at all other points. There
    are n = taps + outputs - 1 points, and zeros fill the rows. G w G^T is the Kronecker product
    G x G times the numbers of w as one column.
    """
    n = taps + outputs - 1
    points = POINTS[: n - 1]
    at = [[p**i for p in points] + [Fraction(i == outputs - 1)] for i in range(outputs)]
    g = [
        [p**k / math.prod(p - q for q in points if q != p) for k in range(taps)] for p in points
    ] + [[Fraction(k == taps - 1) for k in range(taps)]]
    bt = [[*_vanishing([q for q in points if q != p]), Fraction(0)] for p in points]
    bt.append(_vanishing(points))
    a, b, gt = (np.array(z).T for z in (at, bt, g))
    padded = (np.pad(z, ((0, 0), (0, 8 - z.shape[1]))) for z in (a.T, b.T, gt, a, b))
    return *(z.astype(dtype).ravel() for z in padded), np.kron(gt.T, gt.T).astype(dtype)


def _vanishing(points):
    """Return the coefficients, lowest first, of the product of (x - p) over ``points``."""
    return reduce(np.convolve, [np.array([-p, 1]) for p in points], np.array([Fraction(1)]))


def pays(w_shape: tuple[int, ...]) -> bool:
    """Return whether the transforms cost less than the multiplications that they save."""
    F, KH, KW, C = w_shape
    return KH == KW and 3 <= KH <= 5 and C * KH >= 80 and F > 16


def serves(w_shape: tuple[int, ...], y_size: tuple[int, int], size: int = 1, N: int = FEW) -> bool:
    """Return whether a convolution is made this way. Of one image, a single tile is not."""
    m = tile_outputs(y_size, w_shape[1], size)
    return pays(w_shape) and m > 0 and (N > 1 or m < size * max(y_size))


def filled_and_packed(x, w, b, size, y, winner):
    """Return what fills y and winner as ``conv2d_relu_maxpool2d`` does for windows of ``size``, 1
    or 2, and what packs the weights for it. Without winners, y becomes what ``conv2d`` returns.
    """
    (_, _, W, C), (_, OH, OW, F), K = x.shape, y.shape, w.shape[1]
    m, z_size = tile_outputs((OH, OW), K, size), (OH * size, OW * size)
    at, bt, *_, gg = matrices(K, m, w.dtype)
    places = where_begin(z_size, m, 1, W, C), where_begin(z_size, m, size, OW, F)
    source = in_rows(x), np.empty((0, 0), np.uint8), *[np.arange(0)] * 2
    numbers = m + K - 1, 0, W * C, OW * F, size
    units = len(x) if z_size[0] % m or z_size[1] % m else len(x) * len(places[0])
    return _plan(source, (w, b, gg, bt, at), places, numbers, (in_rows(y), in_rows(winner)), units)


def filled_by_rows(x, by_tap, biases, y, winner):
    """Return what ``filled_and_packed`` does, where few channels would leave vectors empty.

    This is the method in one dimension: whole rows are combined, and at each point, a convolution
    along a row remains, whose taps are summed like its channels. Weights are (K,K,C,2,F).
    """
    (N, _, W, C), (_, OH, OW, F), K = x.shape, y.shape, len(by_tap)
    m = tile_outputs((OH, OW), K, 2)
    at, bt, gt, *_ = matrices(K, m, x.dtype)
    g = gt.reshape(K, 8)[:, : m + K - 1].T
    packed = dense(g, by_tap.reshape(K, -1), np.zeros(by_tap[0].size, x.dtype))
    tops = np.arange(0, 2 * OH, m)
    pairs = np.minimum(np.arange(-(-OW // 6) * 3) * 2, OW - 2)
    where = np.minimum(tops, 2 * OH - m), 2 * pairs * C, pairs * F
    parts, weights = len(tops) if N <= FEW else 1, (packed.y.ravel(), biases.ravel(), at, bt)
    read = in_rows(x), weights, where, EIGHT[:K], (C, W * C, OW * F, parts)
    return partial(_row_pieces, N * parts, read, (in_rows(y), in_rows(winner))), packed.fill


def input_gradient(dy, winner, w, size, dx):
    """Return what fills dx as ``conv2d_relu_maxpool2d_backward_input`` does, and what packs w."""
    (N, _, W, C), (F, K, _, _) = dx.shape, w.shape
    m, area, row, places, unpooling = _unpooled(dy.shape[1:3], size, K, W, C, F)
    *_, a, b, gg = matrices(K, m, w.dtype)
    turned = w.transpose(3, 1, 2, 0)  # (C,KH,KW,F): channels are its filters
    source, numbers = (in_rows(dy), in_rows(winner), *unpooling), (m, area, row, W * C, size)
    written = in_rows(dx), np.empty((N, 0), np.uint8)
    weights = turned, np.zeros(C, w.dtype), gg, a, b
    return _plan(source, weights, places[::-1], numbers, written, N)


def params_gradient(dy, winner, x, size, sums):
    """Add up dw and db of each piece of a batch; ``sums`` are (cuts, dw, db)."""
    (_, _, W, C), (cuts, dw, db), (_, OH, OW, F) = x.shape, sums, dy.shape
    K = dw.shape[2]
    m, area, row, places, unpooling = _unpooled((OH, OW), size, K, W, C, F)
    _, bt, gt, a, _, _ = matrices(K, m, x.dtype)
    source = in_rows(x), in_rows(dy), in_rows(winner), *unpooling
    lists = cuts, np.arange(F), np.arange(SUMMED) * whole(F)
    transforms, numbers = (bt, a, gt, np.zeros(C, x.dtype)), (m, area, W * C, row, size)
    _sum_tiles(len(db), (source, transforms, places, lists, numbers), (in_rows(dw), db))


def _plan(source, weights, places, numbers, written, units):
    """Return what does ``_pieces``, and what packs G w G^T as (n, n, C, F), flat, for it.

    There are zero filters up to a multiple of LANES. Pieces may be cut between ``units``, images or
    tiles, which do not overlap.
    """
    (w, b, gg, left, right), (x, _, rows, _) = weights, source
    (F, K, _, C), N, points = w.shape, len(x), len(gg)
    by_tap = empty((K, K, C, whole(F)), w.dtype)
    packed = dense(gg, by_tap.reshape(K * K, -1), np.zeros(C * whole(F), w.dtype))
    by_tap[..., F:] = 0  # once: ``turned`` writes the others
    steps = [w.strides[axis] // w.itemsize for axis in (2, 3, 0)]
    turned = turning((K * K, C, F), w, steps, by_tap, (C * whole(F), whole(F)))
    few = N <= FEW and not rows.size  # gradients of one image add up: it is not shared
    strips = np.unique([0, whole(whole(F) // 2) if few else 0, whole(F)])
    tiles = len(places[0]) * N
    parts = min(units, 4 - len(strips) if few else min(PIECES, -(-tiles // GROUP)))
    cuts = np.arange(parts + 1) * units // max(1, parts) * (tiles // max(1, units))
    step = C if 2 * C == LANES else whole(C)  # from the values at one point to those at the next
    lists = cuts, np.arange(C), np.arange(GROUP) * points * step, strips
    read = source, (packed.y.ravel(), b, left, right), tuple(places), lists, numbers
    return partial(_pieces, parts * (len(strips) - 1), read, written), (turned, packed.fill)


@lru_cache
def _unpooled(y_size, size, K, W, C, F):
    """Return the outputs of a tile; how many numbers dy unpooled has, and a row of it; where tiles
    begin in x and in dy; and where each row and column of dy goes.

    Where tiles of x overlap, those of dy have zeros instead, so that nothing counts twice.
    """
    z_size = y_size[0] * size, y_size[1] * size
    m = tile_outputs(z_size, K, 1)
    TH, TW = (-(-z // m) * m for z in z_size)
    i, j = (np.arange(z) + -z % m * (np.arange(z) >= z // m * m) for z in z_size)
    places = where_begin(z_size, m, 1, W, C), where_begin((TH, TW), m, 1, TW, F)
    return m, TH * TW * F, TW * F, places, (i * TW * F, j * F)


@lru_cache
def where_begin(z_size, outputs, size, W, C):
    """Return where tiles of a map of outputs begin in one, W wide, of every ``size``-th.

    The last tiles of a row and of a column overlap with others where the map has no room for them.
    """
    i, j = (np.minimum(np.arange(0, z, outputs), z - outputs) // size for z in z_size)
    return np.add.outer(i * W, j).ravel() * C


def tile_outputs(y_size: tuple[int, int], taps: int, size: int) -> int:
    """Return how many outputs in a row a tile has, so that all tiles together have few points.

    0 if none fits. Eight points at most give numbers that float32 can hold well.
    """
    OH, OW = (n * size for n in y_size)
    fitting = range(min(9 - taps, OH, OW) // size * size, 1, -size)
    return min(fitting, key=lambda m: -(-OH // m) * -(-OW // m) * (m + taps - 1) ** 2, default=0)


@kernel
def whole(count):
    """Return ``count`` rounded up to a multiple of LANES."""
    return (count + LANES - 1) // LANES * LANES


@part
def _room(like, count):
    """Return memory from a cache line on; a thread finds that of its last piece again, cached."""
    memory = np.empty(count + 64, like.dtype)  # a line, of any numbers
    first = -memory.ctypes.data % 64 // like.itemsize
    return memory[first : first + count]


@parallel_over  # piece owns its images, or a strip of their filters
def _pieces(piece, read, written):
    """Group by group: evaluate the tiles of x, multiply point by point, interpolate.

    u is G w G^T, flat. Where tiles overlap, the outputs are the later one's; or they are gradients,
    unpooled first, and add up.
    """
    (x, won, rows, columns), (u, b, left, right), (corners, places), lists, numbers = read
    (cuts, channels, offsets, strips), (taken, area, row, y_row, size) = lists, numbers
    n, m, C, F = len(left) // 8, len(right) // 8, len(channels), len(b)
    (part, strip), (y, winner) = divmod(piece, len(strips) - 1), written
    points, made, group, T = n * n, whole(F), len(offsets), len(corners)
    step = offsets[1] // points
    values = _room(b, group * points * (step + made) + 8 * n * LANES + area)
    products = values[group * points * step :]
    half = products[group * points * made :]
    unpooled, lost = half[8 * n * LANES :], np.zeros(C, b.dtype)
    unpooled[:] = 0
    filters = range(strips[strip], strips[strip + 1], LANES)
    for start in range(cuts[part], cuts[part + 1], group):
        tiles = range(start, min(start + group, cuts[part + 1]))
        for t in tiles:
            image, tile = divmod(t, T)
            if area and tile == 0:
                unpool(x[image], won[image], unpooled, (rows, columns), size, lost)
                y[image] = 0
            to = values, offsets[t - start], step
            z = unpooled if area else x[image]
            _evaluate(z, corners[tile], row, left, half, to, (n, taken, C))
        steps = points, step, C * made, made
        _multiply(values, offsets[: len(tiles)], channels, u, products, steps, filters)
        for t in tiles:
            image, tile = divmod(t, T)
            where = (t - start) * points * made, places[tile], filters
            sizes = n, m, y_row, F, 0 if area else size
            _interpolate(products, (right, b), half, (y[image], winner[image]), where, sizes)


@parallel_over  # piece owns some rows of y[n] and winner[n]
def _row_pieces(piece, read, written):
    """Evaluate down the columns of some rows, multiply along the rows, interpolate."""
    x, (u, b, at, bt), (tops, columns, places), taps, (C, row, y_row, parts) = read
    (n, part), (y, winner), T = divmod(piece, parts), written, len(tops)
    points, m, wide, made = len(bt) // 8, len(at) // 8, whole(row), len(columns) * 2 * LANES
    values = _room(b, points * wide + (points + m) * made)
    products = values[points * wide :]
    outputs = products[points * made :]
    window = 0, 3 * LANES, made, made + 3 * LANES  # left and right, above and below
    for t in range(part * T // parts, (part + 1) * T // parts):
        steps, sizes = (row, LANES, LANES), (points, points, wide // LANES)
        _transform_columns(x[n], tops[t] * row, steps, row, bt, values, sizes)
        for p in range(points):
            for q in range(0, len(columns), 3):
                three = windows_from(q, columns, p * wide, EIGHT[:3])
                six = gemm_tile_along(values, three, C, taps, u, p * len(taps) * C * LANES)
                store(products, add(row_at(EIGHT[:6], 6, LANES), p * made + q * 2 * LANES), six)
        steps, sizes = (made, LANES, 0), (m, points, made // LANES)
        _transform_columns(products, 0, steps, LANES, at, outputs, sizes)
        for i in range(t * m - tops[t], m, 2):  # of the last, what is not there yet
            for q in range(len(places)):
                here = i * made + (q // 3 * 6 + q % 3) * LANES
                four = add(load(b, 0), load(outputs, add(window, here)))
                to = (tops[t] + i) // 2 * y_row + places[q]
                store_winner(four, y[n], winner[n], to, LANES)


@parallel_over  # piece owns dw[piece] and db[piece]
def _sum_tiles(piece, read, written):
    """Group by group: evaluate the tiles of x and dy, multiply point by point, interpolate."""
    (x, dy, won, rows, columns), (bt, a, gt, b), (corners, places), lists, numbers = read
    (cuts, filters, offsets), (taken, area, row, dy_row, size) = lists, numbers
    n, K, C, F, T = len(a) // 8, len(gt) // 8, len(b), len(filters), len(corners)
    points, made, deep, group = n * n, whole(C), whole(F), len(offsets)
    dw, db, strips = written[0][piece], written[1][piece], range(0, made, LANES)
    step, dy_step = group * made + LANES, group * deep + LANES
    values = _room(b, points * (step + dy_step + ROWS * made) + 8 * n * LANES + area)
    gradients = values[points * step :]
    products = gradients[points * dy_step :]
    half = products[ROWS * points * made :]
    unpooled, none = half[8 * n * LANES :], np.empty(0, np.uint8)
    unpooled[:], dw[:], db[:] = 0, 0, 0
    end = cuts[piece + 1] * T
    for start in range(cuts[piece] * T, end, group):
        count = min(group, end - start)
        for t in range(count):
            image, tile = divmod(start + t, T)
            if tile == 0:
                unpool(dy[image], won[image], unpooled, (rows, columns), size, db)
            to, dy_to = (values, t * made, step), (gradients, t * deep, dy_step)
            _evaluate(x[image], corners[tile], row, bt, half, to, (n, n, C))
            _evaluate(unpooled, places[tile], dy_row, a, half, dy_to, (n, taken, F))
        for f in range(0, F, ROWS):
            eight, steps = filters[f : f + ROWS], (points, dy_step, step, made)
            _multiply(gradients, eight, offsets[:count], values, products, steps, strips)
            for q in range(len(eight)):
                where = q * points * made, (f + q) * K * K * C, strips
                _interpolate(products, (gt, b), half, (dw, none), where, (n, K, K * C, C, 0))


@part
def _transform_columns(x, at, steps, count, matrix, half, sizes):
    """Write matrix X to ``half``; X are ``taken`` rows of some vectors, ``steps`` apart, the first
    of ``count`` numbers and each of ``less`` than the one before.
    """
    (row, column, less), (made, taken, vectors) = steps, sizes
    rows = row_at(EIGHT, taken, row)  # below eight the last comes again, times zero
    for v in range(vectors):
        numbers = load(x, add(rows, at + v * column), count - v * less)
        for p in range(made):
            value = dot(fill(matrix, add(EIGHT, 8 * p)), numbers, full(0, x))
            store(half, (p * vectors + v) * LANES, value)


@part
def _transform_halves(x, at, steps, matrix, written, sizes):
    """Do the same for halves of vectors, two of which share one."""
    (row, column), (out, to), (made, taken, halves) = steps, written, sizes
    size = LANES // 2
    for v in range(0, halves, 2):
        pair = min(v, halves - 2)
        rows = add(row_at(EIGHT, taken, row), at + pair * column)
        numbers = joined(load(x, rows), load(x, add(rows, column - size)))
        for p in range(made):
            value = dot(fill(matrix, add(EIGHT, 8 * p)), numbers, full(0, x))
            store(out, to + (p * halves + pair) * size, value)


@part
def _evaluate(x, at, row, matrix, half, written, sizes):
    """Write matrix X matrix^T of the tile X at x[at] to values[to]: a ``step`` for each point."""
    (values, to, step), (made, taken, C) = written, sizes
    if 2 * step == LANES:  # two rows of X share a vector, and then two columns
        _transform_halves(x, at, (C, row), matrix, (half, 0), (made, taken, taken))
        columns = step, taken * step
        _transform_halves(half, 0, columns, matrix, (values, to), (made, taken, made))
        return
    places = row_at(EIGHT, taken, LANES)  # as in ``_transform_columns``
    for c in range(0, C, LANES):
        steps, sizes = (row, C, 0), (made, taken, taken)
        _transform_columns(x, at + c, steps, C - c, matrix, half, sizes)
        for p in range(made):
            line = load(half, add(places, p * taken * LANES))
            for q in range(made):
                value = dot(fill(matrix, add(EIGHT, 8 * q)), line, full(0, x))
                store(values, to + (p * made + q) * step + c, value)


@part
def _multiply(values, tiles, taps, u, products, steps, filters):
    """Multiply the values of all tiles at each point by u there, summed over ``taps``."""
    points, step, u_step, F = steps
    for p in range(points):
        for t in range(0, len(tiles), ROWS):
            windows = windows_from(t, tiles, p * step)
            to = row_at(add(EIGHT, t), len(tiles), points * F)
            for f in filters:
                row, at = (p * u_step + f, F, F - f), add(to, p * F + f)
                if len(tiles) - t > FEW:
                    store(products, at, gemm_tile(values, windows, taps, u, row, full(0, u)))
                else:
                    few = gemm_tile(values, windows[:FEW], taps, u, row, full(0, u))
                    store(products, at[:FEW], few)


@part
def _interpolate(products, weights, half, written, where, sizes):
    """Write A^T products A + b of the tile whose products begin at ``where`` to its place in y.

    Where pooling follows, the outputs of each window compete; of ``size`` 0, they are added to y.
    """
    (at, b), (y, winner), (begin, to, filters) = weights, written, where
    n, m, row, F, size = sizes
    places = row_at(EIGHT, n, LANES)  # as in ``_transform_columns``
    for f in filters:
        bias, nothing = load(b, f, F - f), full(0, b)
        steps = n * whole(F), whole(F), 0
        _transform_columns(products, begin + f, steps, LANES, at, half, (m, n, n))
        for i in range(0, m, max(1, size)):
            line = load(half, add(places, i * n * LANES))
            if size == 2:
                below = load(half, add(places, (i + 1) * n * LANES))
                for j in range(0, m, 2):
                    left, right = fill(at, add(EIGHT, 8 * j)), fill(at, add(EIGHT, 8 * j + 8))
                    upper = dot(left, line, bias), dot(right, line, bias)
                    lower = dot(left, below, bias), dot(right, below, bias)
                    window = to + (i * row + j * F) // 2 + f
                    store_winner((*upper, *lower), y, winner, window, F - f)
            else:
                for j in range(m):
                    value = add(bias, dot(fill(at, add(EIGHT, 8 * j)), line, nothing))
                    place = to + i * row + j * F + f
                    if winner.size:
                        store_living(value, y, winner, place, F - f)
                    elif size:
                        store(y, place, value, F - f)
                    else:
                        store(y, place, add(load(y, place, F - f), value), F - f)
