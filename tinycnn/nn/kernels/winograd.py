"""Fewer multiplications for the same convolution: Winograd's minimal filtering, with pooling.

A few neighbouring numbers of a convolution are coefficients of a product of polynomials. Such a
product is known from its values at enough points, and at a point it costs one multiplication:
so evaluate both polynomials at the points, multiply, and interpolate. For m outputs and r taps
that takes n = m + r - 1 points and not m * r multiplications; in two dimensions, 4x4 outputs of
a 5x5 kernel cost 64 instead of 400 (Winograd 1980, Lavin and Gray 2016).

    outputs = A^T [ (G w G^T) * (B^T x B) ] A        for each tile, channel and filter

G w G^T is made once for all images. Between the transforms, the sums over channels at each of
the n**2 points are ordinary matrix products, left to ``eight_sums``. The outputs of a tile are
one pooling window of 2x2, or four of them. (So a NaN in x is seen by all windows of a tile.)
"""

import functools
from fractions import Fraction
from functools import partial

import numpy as np
from numba import prange

from tinycnn.nn.kernels.arrays import FEW, empty
from tinycnn.nn.kernels.blocks import (
    ROWS,
    eight_sums,
    four_double_sums,
    store_largest_of_four,
)
from tinycnn.nn.kernels.compile import kernel, parallel_kernel
from tinycnn.nn.kernels.dense import product
from tinycnn.nn.kernels.vectors import LANES, fill, fma, load_first, store, store_first, zeros

POINTS = tuple(Fraction(p) for p in ("0", "1", "-1", "1/2", "-2", "2", "-1/2"))
"""Where polynomials are evaluated, and at infinity: small numbers lose few digits."""

GROUP = 8
"""Tiles between whose transforms and products the second cache keeps everything."""

PIECES = 16
"""Pieces of a batch that run side by side, each with memory of its own."""


@functools.lru_cache
def matrices(taps: int, outputs: int) -> tuple[np.ndarray, ...]:
    """Return A^T (outputs, n), B^T (n, n) and G x G (n*n, taps*taps), n = taps + outputs - 1.

    Row j of G evaluates the kernel at point j, scaled; A^T evaluates the outputs' counterpart;
    row j of B^T holds the coefficients of the polynomial that vanishes at all other points.
    G w G^T is the Kronecker product G x G times the numbers of w as one column. All are float64.
    """
    n = taps + outputs - 1
    points = POINTS[: n - 1]
    at = [[p**i for p in points] + [Fraction(i == outputs - 1)] for i in range(outputs)]
    g = [
        [p**k / _product(p - q for q in points if q != p) for k in range(taps)] for p in points
    ] + [[Fraction(k == taps - 1) for k in range(taps)]]
    bt = [[*_vanishing([q for q in points if q != p]), Fraction(0)] for p in points]
    bt.append(_vanishing(points))
    return tuple(np.array(m, np.float64) for m in (at, bt, np.kron(g, g)))


def _product(numbers):
    result = Fraction(1)
    for number in numbers:
        result *= number
    return result


def _vanishing(points):
    """Return the coefficients, lowest first, of the product of (x - p) over ``points``."""
    coefficients = [Fraction(1)]
    for p in points:
        by_x, by_p = [Fraction(0), *coefficients], [p * c for c in coefficients] + [Fraction(0)]
        coefficients = [a - b for a, b in zip(by_x, by_p, strict=True)]
    return coefficients


def pays(w_shape: tuple[int, ...], pool_size: int) -> bool:
    """Return whether the transforms cost less than the multiplications that they save."""
    F, KH, KW, C = w_shape
    return pool_size == 2 and KH == KW and 3 <= KH <= 5 and C >= 8 and F >= 16


def for_arrays(x, w, b, y, winner):
    """Return what fills y and winner as ``conv2d_relu_maxpool2d`` does for windows of 2 x 2.

    Weights are packed here, once.
    """
    outputs = tile_outputs(y.shape)
    packed, scratch = packed_weights(w, outputs), scratch_for(y.shape, w, outputs)
    shape = *x.shape[1:], *y.shape[1:3]
    rest = x.ravel(), shape, *packed, b, y.ravel(), winner.ravel(), scratch
    return partial(_piece, 0, *rest) if len(scratch) == 1 else partial(_pieces, *rest)


def tile_outputs(y_shape: tuple[int, ...]) -> int:
    """Return how many outputs in a row a tile has: 4 where tiles of 2x2 windows fit, else 2."""
    _, OH, OW, _ = y_shape
    return 4 if OH % 2 == OW % 2 == 0 else 2


def packed_weights(w: np.ndarray, outputs: int) -> tuple[np.ndarray, ...]:
    """Return what depends on the weights alone: G w G^T as (n, n, C, F), flat; A^T and B^T."""
    F, K, _, C = w.shape
    at, bt, gg = (m.astype(w.dtype) for m in matrices(K, outputs))
    by_tap = w.reshape(F, K * K, C).transpose(1, 2, 0).reshape(K * K, C * F)
    u = product(gg, by_tap, np.zeros(C * F, w.dtype))
    return u.ravel(), at, bt


def scratch_for(y_shape: tuple[int, ...], w: np.ndarray, outputs: int) -> np.ndarray:
    """Return memory (pieces, tiles of a group, numbers of a tile); few images are one piece."""
    N, OH, OW, F = y_shape
    tiles, points = N * OH * OW * 4 // outputs**2, (w.shape[1] + outputs - 1) ** 2
    pieces = 1 if N <= FEW else min(PIECES, (tiles + GROUP - 1) // GROUP)
    return empty((pieces, GROUP, points * (w.shape[3] + F + LANES)), w.dtype)


@parallel_kernel
def _pieces(x, shape, u, at, bt, b, y, winner, scratch):
    for piece in prange(len(scratch)):  # piece owns its tiles of y and winner, and scratch[piece]
        _piece(np.intp(piece), x, shape, u, at, bt, b, y, winner, scratch)


@kernel
def _piece(piece, x, shape, u, at, bt, b, y, winner, scratch):
    """Group by group: evaluate the tiles of x, multiply point by point, interpolate.

    ``shape`` is (H, W, C, OH, OW), the sizes of an image of x and of y; u is G w G^T, flat.
    """
    H, W, C, OH, OW = shape
    PIECES, group, _ = scratch.shape
    F, n, points, side = b.size, len(bt), bt.size, len(at) // 2  # a tile is side x side windows
    bt_flat, at_flat = bt.ravel(), at.ravel()
    tiles = y.size // F // side**2
    groups = (tiles + group - 1) // group
    offsets = np.arange(group) * points * C
    values = scratch[piece].reshape(-1)
    products = values[group * points * C :]
    half = products[group * points * F :]
    for g in range(piece * groups // PIECES, (piece + 1) * groups // PIECES):
        count = min(group, tiles - g * group)
        for m in range(count):
            image, i, j = _tile(g * group + m, OH // side, OW // side)
            corner = ((image * H + 2 * side * i) * W + 2 * side * j) * C
            _evaluate(x, corner, W * C, C, n, bt_flat, half, values, offsets[m])
        _multiply(values, offsets[:count], points, C, F, u, products)
        for m in range(count):
            image, i, j = _tile(g * group + m, OH // side, OW // side)
            for v in range(side):  # a row of windows
                to = ((image * OH + side * i + v) * OW + side * j) * F
                _interpolate(products, m * points * F, n, at_flat, 2 * v, side, b, y, winner, to)


@kernel
def _tile(number, rows, columns):
    """Return the image, row and column of a tile."""
    return number // (rows * columns), number // columns % rows, number % columns


@kernel
def _multiply(values, tiles, points, C, F, u, products):
    """Multiply the values of all tiles at each point by u there, summed over channels."""
    channels = np.arange(C)
    for p in range(points):
        if len(tiles) > ROWS // 2:
            _multiply_eight(p, values, tiles, points, channels, F, u, products)
        else:
            _multiply_four(p, values, tiles, points, channels, F, u, products)


@kernel
def _multiply_eight(p, values, tiles, points, channels, F, u, products):
    C, first, start = channels.size, np.intp(0), zeros(u)
    for f in range(0, F, LANES):
        at = p * C * F + f
        sums = eight_sums(values, p * C, tiles, first, channels, u, at, F, F - f, start)
        for q in range(len(tiles)):
            store_first(products, (q * points + p) * F + f, sums[q], F - f)


@kernel
def _multiply_four(p, values, tiles, points, channels, F, u, products):
    C = channels.size
    for f in range(0, F, 2 * LANES):
        at, count, first = p * C * F + f, F - f, min(F - f, LANES)
        sums = four_double_sums(values, p * C, tiles, channels, u, at, F, count)
        for q in range(len(tiles)):
            to = (q * points + p) * F + f
            store_first(products, to, sums[q], first)
            store_first(products, to + first, sums[ROWS // 2 + q], count - first)


@kernel
def _evaluate(x, corner, row, C, n, bt, half, values, to):
    """Write B^T x B of the n x n tile at x[corner] to values[to]: point by point, C numbers."""
    lanes = np.intp(LANES)
    for c in range(0, C, LANES):
        for v in range(n):
            column = _load_eight(x, corner + v * C + c, row, n, C - c)
            for p in range(n):
                store(half, (p * n + v) * LANES, _combine(bt, p, n, column))
        for p in range(n):
            line = _load_eight(half, p * n * LANES, lanes, n, lanes)
            for q in range(n):
                store_first(values, to + (p * n + q) * C + c, _combine(bt, q, n, line), C - c)


@kernel
def _load_eight(a, first, step, n, count):
    """Return n vectors of ``a``, ``step`` apart, and zeros in the place of those up to eight."""
    return (
        load_first(a, first, count),
        load_first(a, first + step, count),
        load_first(a, first + 2 * step, count),
        load_first(a, first + 3 * step, count),
        load_first(a, first + min(4, n - 1) * step, count if n > 4 else 0),
        load_first(a, first + min(5, n - 1) * step, count if n > 5 else 0),
        load_first(a, first + min(6, n - 1) * step, count if n > 6 else 0),
        load_first(a, first + min(7, n - 1) * step, count if n > 7 else 0),
    )


@kernel
def _combine(bt, p, n, eight):
    """Return row p of B^T times n <= 8 vectors, which stay in registers."""
    x0, x1, x2, x3, x4, x5, x6, x7 = eight
    total = fma(fill(bt, p * n), x0, zeros(bt))
    total = fma(fill(bt, p * n + 1), x1, total)
    total = fma(fill(bt, p * n + 2), x2, total)
    total = fma(fill(bt, p * n + 3), x3, total)
    total = fma(fill(bt, p * n + min(4, n - 1)), x4, total)
    total = fma(fill(bt, p * n + min(5, n - 1)), x5, total)
    total = fma(fill(bt, p * n + min(6, n - 1)), x6, total)
    return fma(fill(bt, p * n + min(7, n - 1)), x7, total)


@kernel
def _interpolate(products, first, n, at, v, side, b, y, winner, to):
    """Compute rows v and v + 1 of A^T products A; the outputs of each window compete."""
    F = b.size
    for f in range(0, F, LANES):
        y0 = y1 = y2 = y3 = z0 = z1 = z2 = z3 = load_first(b, f, F - f)
        for q in range(n):
            upper = lower = zeros(b)  # two rows of A^T times column q of the products
            for p in range(n):
                product = load_first(products, first + (p * n + q) * F + f, F - f)
                upper = fma(fill(at, v * n + p), product, upper)
                lower = fma(fill(at, (v + 1) * n + p), product, lower)
            left, right = fill(at, q), fill(at, n + q)
            y0, y1 = fma(upper, left, y0), fma(upper, right, y1)
            y2, y3 = fma(lower, left, y2), fma(lower, right, y3)
            if side == 2:
                left, right = fill(at, 2 * n + q), fill(at, 3 * n + q)
                z0, z1 = fma(upper, left, z0), fma(upper, right, z1)
                z2, z3 = fma(lower, left, z2), fma(lower, right, z3)
        store_largest_of_four(y0, y1, y2, y3, y, winner, to + f, F - f)
        if side == 2:
            store_largest_of_four(z0, z1, z2, z3, y, winner, to + F + f, F - f)
