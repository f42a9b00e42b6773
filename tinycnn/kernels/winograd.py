"""Fewer multiplications for the same convolution: Winograd's minimal filtering.

A few neighboring numbers of a convolution are coefficients of a product of polynomials. Such a
product is known from its values at enough points, and at a point it costs one multiplication:
so evaluate both polynomials at the points, multiply, and interpolate. Turned around, the same
product filters: the kernel is evaluated as before (G), x goes through the transpose of the
interpolation (B^T), the results through that of the evaluation (A^T). For m outputs and r taps that
takes n = m + r - 1 points and not m * r multiplications; in two dimensions, 4x4 outputs of
a 5x5 kernel cost 64 instead of 400 (Winograd 1980, Lavin and Gray 2016).

    outputs = A^T [ (G w G^T) * (B^T x B) ] A        for each tile, channel and filter

G w G^T is made once for all images. Between the transforms, the sums over channels at each of
the n**2 points are ordinary matrix products, left to ``gemm_tile``. Where pooling follows, the
outputs of a tile are one pooling window of 2x2, or four of them. (A NaN in x is seen by all outputs
of a tile.)
"""

import math
from fractions import Fraction
from functools import lru_cache, partial, reduce

import numpy as np

from tinycnn.kernels.jit import kernel, part
from tinycnn.kernels.microkernels import (
    FEW,
    empty,
    gemm_tile,
    store_living,
    store_winner,
    windows_from,
)
from tinycnn.kernels.products import dense
from tinycnn.kernels.simd import (
    EIGHT,
    LANES,
    add,
    dot,
    fill,
    least,
    load,
    load_first,
    store,
    store_first,
    times,
    zeros,
)
from tinycnn.kernels.threads import parallel_over

POINTS = tuple(Fraction(p) for p in ("0", "1", "-1", "1/2", "-2", "2", "-1/2"))
"""Where polynomials are evaluated, and at infinity: small numbers lose few digits."""

GROUP = 8  # tiles between whose transforms and products the second cache keeps everything

PIECES = 16  # of a batch that run side by side, each with memory of its own


@lru_cache
def matrices(taps: int, outputs: int) -> tuple[np.ndarray, ...]:
    """Return A^T (outputs, 8), B^T (n, 8) and G x G (n*n, taps*taps), n = taps + outputs - 1.

    Row j of G evaluates the kernel at point j, scaled; A^T evaluates the outputs' counterpart;
    row j of B^T holds the coefficients of the polynomial that vanishes at all other points.
    G w G^T is the Kronecker product G x G times the numbers of w as one column. All are float64,
    and columns past n are zero.
    """
    n = taps + outputs - 1
    points = POINTS[: n - 1]
    at = [[p**i for p in points] + [Fraction(i == outputs - 1)] for i in range(outputs)]
    g = [
        [p**k / math.prod(p - q for q in points if q != p) for k in range(taps)] for p in points
    ] + [[Fraction(k == taps - 1) for k in range(taps)]]
    bt = [[*_vanishing([q for q in points if q != p]), Fraction(0)] for p in points]
    bt.append(_vanishing(points))
    padded = (np.pad(np.array(m, np.float64), ((0, 0), (0, 8 - n))) for m in (at, bt))
    return *padded, np.kron(*[np.array(g)] * 2).astype(np.float64)


def _vanishing(points):
    """Return the coefficients, lowest first, of the product of (x - p) over ``points``."""
    return reduce(np.convolve, [np.array([-p, 1]) for p in points], np.array([Fraction(1)]))


def pays(w_shape: tuple[int, ...]) -> bool:
    """Return whether the transforms cost less than the multiplications that they save."""
    F, KH, KW, C = w_shape
    return KH == KW and 3 <= KH <= 5 and C * KH >= 80 and F >= 16


def filled_and_packed(x, w, b, size, y, winner):
    """Return what fills y and winner as ``conv2d_relu_maxpool2d`` does for windows of ``size``, 1
    or 2, and what packs the weights for it. Without winners, y becomes what ``conv2d`` returns.

    G w G^T is packed as (n, n, C, F), flat, with zero filters up to a multiple of LANES.
    """
    (N, OH, OW, F), (_, K, _, C) = y.shape, w.shape
    outputs = tile_outputs((OH, OW), K, size)
    at, bt, gg = (m.astype(w.dtype) for m in matrices(K, outputs))
    by_tap = empty((K * K, C, whole(F)), w.dtype)
    packed = dense(gg, by_tap.reshape(K * K, -1), np.zeros(C * whole(F), w.dtype))

    def pack():
        by_tap[:, :, :F] = w.reshape(F, K * K, C).transpose(1, 2, 0)
        by_tap[:, :, F:] = 0
        packed.fill()

    strips = np.unique([0, whole(whole(F) // 2) if N <= FEW else 0, whole(F)])
    tiles = outputs, OH * size, OW * size
    corners, places = where_begin(x.shape, 1, *tiles), where_begin(y.shape, size, *tiles)
    parts = min(1 if N <= FEW else PIECES, N, (len(corners) + GROUP - 1) // GROUP)
    cuts = np.arange(parts + 1) * N // max(1, parts) * (len(corners) // max(1, N))
    pieces = parts * (len(strips) - 1)
    scratch = empty((pieces, GROUP * len(gg) * (whole(C) + whole(F) + LANES)), w.dtype)
    numbers = x.ravel(), packed.y.ravel(), b, at.ravel(), bt.ravel()
    sites = corners, places, cuts, np.arange(C), np.arange(GROUP) * len(gg) * whole(C)
    read = *numbers, *sites, strips, x.shape[2] * C, OW * F, size
    return partial(_pieces, pieces, read, (y.ravel(), winner.ravel(), scratch)), pack


@lru_cache
def where_begin(shape, size, outputs, rows, columns):
    """Return where tiles of rows x columns outputs begin in a map (N,H,W,C) of every ``size``-th.

    The last tiles of a row and of a column overlap with others where the map has no room for them.
    """
    N, H, W, C = shape
    i, j = (np.minimum(np.arange(0, z, outputs), z - outputs) // size for z in (rows, columns))
    n, i, j = np.ix_(np.arange(N), i, j)
    return (((n * H + i) * W + j) * C).ravel()


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


@parallel_over  # piece owns its images, or a strip of their filters, and scratch[piece]
def _pieces(piece, read, written):
    """Group by group: evaluate the tiles of x, multiply point by point, interpolate.

    u is G w G^T, flat. Where tiles overlap, the outputs are the later one's.
    """
    x, u, b, at, bt, corners, places, cuts, channels, offsets, strips, row, y_row, size = read
    y, winner, scratch = written
    (n, m), C, F = (len(bt) // 8, len(at) // 8), len(channels), len(b)
    part, strip = divmod(piece, len(strips) - 1)
    points, made, group = n * n, whole(F), len(offsets)  # a tile has n x n points
    values = scratch[piece]
    products = values[group * points * whole(C) :]
    half = products[group * points * made :]
    filters = range(strips[strip], strips[strip + 1], LANES)
    for start in range(cuts[part], cuts[part + 1], group):
        tiles = range(start, min(start + group, cuts[part + 1]))
        for t in tiles:
            _evaluate(x, corners[t], bt, half, values, offsets[t - start], (n, C, row))
        _multiply(values, offsets[: len(tiles)], channels, u, products, (points, made), filters)
        for t in tiles:
            where = (t - start) * points * made, places[t], filters
            _interpolate(products, (at, b), half, (y, winner), where, (n, m, y_row, F, size))


@part
def _evaluate(x, corner, bt, half, values, to, sizes):
    """Write B^T x B of the n x n tile at x[corner] to values[to]: point by point, whole(C)."""
    n, C, row = sizes
    first = least(EIGHT, n - 1)  # for n below eight the last comes again, and B has zeros for it
    nothing = zeros(x)
    for c in range(0, C, LANES):
        for v in range(n):
            column = load_first(x, add(times(first, row), corner + v * C + c), C - c)
            for p in range(n):
                store(half, (p * n + v) * LANES, dot(fill(bt, add(EIGHT, 8 * p)), column, nothing))
        for p in range(n):
            line = load(half, times(add(first, p * n), LANES))
            for q in range(n):
                value = dot(fill(bt, add(EIGHT, 8 * q)), line, nothing)
                store(values, to + (p * n + q) * whole(C) + c, value)


@part
def _multiply(values, tiles, channels, u, products, sizes, filters):
    """Multiply the values of all tiles at each point by u there, summed over channels."""
    (points, F), C = sizes, len(channels)
    for p in range(points):
        windows, to = windows_from(0, tiles, p * whole(C)), times(EIGHT, points * F)
        for f in filters:
            row, at = (p * C * F + f, F, F - f), add(to, p * F + f)
            if len(tiles) > FEW:
                store(products, at, gemm_tile(values, windows, channels, u, row, zeros(u)))
            else:
                few = gemm_tile(values, windows[:FEW], channels, u, row, zeros(u))
                store(products, at[:FEW], few)


@part
def _interpolate(products, weights, half, written, where, sizes):
    """Write A^T products A + b of the tile whose products begin at ``where`` to its place in y.

    Where pooling follows, the outputs of each window compete.
    """
    (at, b), (y, winner), (begin, to, filters) = weights, written, where
    n, m, row, F, size = sizes
    lines = least(EIGHT, n - 1)  # as in ``_evaluate``
    for f in filters:
        bias, nothing = load_first(b, f, F - f), zeros(b)
        for q in range(n):
            column = load(products, add(times(lines, n * whole(F)), begin + q * whole(F) + f))
            for i in range(m):
                store(half, (i * n + q) * LANES, dot(fill(at, add(EIGHT, 8 * i)), column, nothing))
        for i in range(0, m, size):
            line = load(half, times(add(lines, i * n), LANES))
            if size == 2:
                below = load(half, times(add(lines, (i + 1) * n), LANES))
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
                    else:
                        store_first(y, place, value, F - f)
