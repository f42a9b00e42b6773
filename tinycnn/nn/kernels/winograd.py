"""Fewer multiplications for the same convolution: Winograd's minimal filtering, with pooling.

Two numbers of a convolution with a kernel of r taps are two coefficients of a product of
polynomials. Such a product is known from its values at r + 1 points, and at a point it costs one
multiplication, not r: so evaluate both polynomials at the points, multiply, and interpolate.
In two dimensions, the 2x2 outputs of a pooling window cost (r+1)**2 multiplications instead of
4 r**2: 36 and not 100 for a 5x5 kernel (Winograd 1980, Lavin and Gray 2016).

    outputs = A^T [ (G w G^T) * (B^T x B) ] A        for each window, channel and filter

G w G^T is made once for all images. Between the transforms, the sums over channels at each of
the (r+1)**2 points are ordinary matrix products, left to ``eight_sums``.
"""

import functools
from fractions import Fraction

import numpy as np
from numba import prange

from tinycnn.nn.kernels.arrays import empty
from tinycnn.nn.kernels.blocks import ROWS, eight_sums, keep_larger, store_winner
from tinycnn.nn.kernels.compile import kernel, parallel_kernel
from tinycnn.nn.kernels.dense import product
from tinycnn.nn.kernels.vectors import LANES, fill, fma, load_first, store, store_first, zeros

POINTS = tuple(Fraction(p) for p in ("0", "1", "-1", "1/2", "-2"))
"""Where polynomials are evaluated, and at infinity: small numbers lose few digits."""

GROUP = 16
"""Windows between whose transforms and products the second cache keeps everything."""

PIECES = 16
"""Pieces of a batch that run side by side, each with memory of its own."""


@functools.lru_cache
def matrices(taps: int, outputs: int = 2) -> tuple[np.ndarray, ...]:
    """Return A^T (outputs, n), G (n, taps) and B^T (n, n) in float64, n = taps + outputs - 1.

    Row j of G evaluates the kernel at point j, scaled; A^T evaluates the outputs' counterpart;
    row j of B^T holds the coefficients of the polynomial that vanishes at all other points.
    """
    n = taps + outputs - 1
    points = POINTS[: n - 1]
    at = [[p**i for p in points] + [Fraction(i == outputs - 1)] for i in range(outputs)]
    g = [
        [p**k / _product(p - q for q in points if q != p) for k in range(taps)] for p in points
    ] + [[Fraction(k == taps - 1) for k in range(taps)]]
    bt = [[*_vanishing([q for q in points if q != p]), Fraction(0)] for p in points]
    bt.append(_vanishing(points))
    return tuple(np.array(m, dtype=np.float64) for m in (at, g, bt))


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


def transformed_weights(w: np.ndarray) -> np.ndarray:
    """Return G w G^T for w (F,KH,KW,C), as (n, n, C, F) with n = KH + 1."""
    _, g, _ = matrices(w.shape[1])
    F, K, _, C = w.shape
    by_tap = w.reshape(F, K * K, C).transpose(1, 2, 0).reshape(K * K, C * F)
    twice = np.kron(g, g).astype(w.dtype)
    return product(twice, by_tap, np.zeros(C * F, w.dtype)).reshape(len(g), len(g), C, F)


def pays(w_shape: tuple[int, ...], pool_size: int) -> bool:
    """Return whether the transforms cost less than the multiplications that they save."""
    F, KH, KW, C = w_shape
    return pool_size == 2 and KH == KW and 3 <= KH <= len(POINTS) and C >= 8 and F >= 16


def run(x, w, b, y, winner):
    """Fill y and winner as ``conv2d_relu_maxpool2d`` does for windows of 2 x 2."""
    fill_windows(x, packed_weights(w), b, y, winner, scratch_for(y.shape, w))


def packed_weights(w: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return what depends on the weights alone: G w G^T, flat, and the matrices A^T and B^T."""
    at, _, bt = (m.astype(w.dtype) for m in matrices(w.shape[1]))
    return transformed_weights(w).ravel(), at, bt


def scratch_for(y_shape: tuple[int, ...], w: np.ndarray) -> np.ndarray:
    """Return memory (pieces, windows of a group, numbers of a window) for ``fill_windows``."""
    N, OH, OW, F = y_shape
    windows, points = N * OH * OW, (w.shape[1] + 1) ** 2
    group = GROUP if windows > 4 * GROUP else ROWS
    pieces = min(PIECES, (windows + group - 1) // group)
    return empty((pieces, group, points * (w.shape[3] + F + LANES)), w.dtype)


def fill_windows(x, packed, b, y, winner, scratch):
    """Fill y and winner, a group of windows at a time; pieces of groups run side by side."""
    shape = *x.shape[1:], *y.shape[1:3]
    _pieces(x.ravel(), shape, *packed, b, y.ravel(), winner.ravel(), scratch)


@parallel_kernel
def _pieces(x, shape, u, at, bt, b, y, winner, scratch):
    for piece in prange(len(scratch)):  # piece owns its windows of y and winner, and scratch[piece]
        _piece(np.intp(piece), x, shape, u, at, bt, b, y, winner, scratch)


@kernel
def _piece(piece, x, shape, u, at, bt, b, y, winner, scratch):
    """Group by group: evaluate the tiles of x, multiply point by point, interpolate.

    ``shape`` is (H, W, C, OH, OW), the sizes of an image of x and of y; u is G w G^T, flat.
    """
    H, W, C, OH, OW = shape
    PIECES, group, _ = scratch.shape
    F, points, windows = b.size, bt.size, y.size // b.size
    groups = (windows + group - 1) // group
    tiles = np.arange(group) * points * C
    memory = scratch[piece].reshape(-1)
    values, products = memory[: tiles.size * points * C], memory[tiles.size * points * C :]
    half = products[group * points * F :]
    for g in range(piece * groups // PIECES, (piece + 1) * groups // PIECES):
        first, count = g * group, min(group, windows - g * group)
        for m in range(count):
            n, i, j = (first + m) // (OH * OW), (first + m) // OW % OH, (first + m) % OW
            corner = ((n * H + 2 * i) * W + 2 * j) * C
            _evaluate(x, corner, W * C, C, bt, half, values, tiles[m])
        _multiply(values, tiles[:count], points, C, F, u, products)
        for m in range(count):
            _interpolate(products, m * points * F, at, b, y, winner, (first + m) * F)


@kernel
def _multiply(values, tiles, points, C, F, u, products):
    """Multiply the values of all tiles at each point by u there, summed over channels."""
    nil, one, start = np.intp(0), np.intp(1), zeros(u)
    for p in range(points):
        for f in range(0, F, LANES):
            at = p * C * F + f
            for t in range(0, len(tiles), ROWS):
                sums = eight_sums(values, p * C, tiles, t, nil, one, one, C, u, at, F, F - f, start)
                for q in range(min(ROWS, len(tiles) - t)):
                    store_first(products, ((t + q) * points + p) * F + f, sums[q], F - f)


@kernel
def _evaluate(x, corner, row, C, bt, half, values, to):
    """Write B^T x B of the n x n tile at x[corner] to values[to]: point by point, C numbers."""
    n, lanes = len(bt), np.intp(LANES)
    for c in range(0, C, LANES):
        for v in range(n):
            six = _load_six(x, corner + v * C + c, row, n, C - c)
            for p in range(n):
                store(half, (p * n + v) * LANES, _combine(bt, p, six))
        for p in range(n):
            six = _load_six(half, p * n * LANES, lanes, n, lanes)
            for q in range(n):
                store_first(values, to + (p * n + q) * C + c, _combine(bt, q, six), C - c)


@kernel
def _load_six(a, first, step, n, count):
    """Return n vectors of ``a``, ``step`` apart, and zeros in the place of those up to six."""
    return (
        load_first(a, first, count),
        load_first(a, first + step, count),
        load_first(a, first + 2 * step, count),
        load_first(a, first + 3 * step, count),
        load_first(a, first + min(4, n - 1) * step, count if n > 4 else 0),
        load_first(a, first + min(5, n - 1) * step, count if n > 5 else 0),
    )


@kernel
def _combine(bt, p, six):
    """Return row p of B^T times n <= 6 vectors, which stay in registers."""
    n = len(bt)
    x0, x1, x2, x3, x4, x5 = six
    total = fma(fill(bt[p, 0]), x0, zeros(bt))
    total = fma(fill(bt[p, 1]), x1, total)
    total = fma(fill(bt[p, 2]), x2, total)
    total = fma(fill(bt[p, 3]), x3, total)
    total = fma(fill(bt[p, min(4, n - 1)]), x4, total)
    return fma(fill(bt[p, min(5, n - 1)]), x5, total)


@kernel
def _interpolate(products, first, at, b, y, winner, to):
    """Compute A^T products A of one tile, add the biases and let the four outputs compete."""
    n, F = at.shape[1], b.size
    for f in range(0, F, LANES):
        bias = load_first(b, f, F - f)
        y0 = y1 = y2 = y3 = bias
        for q in range(n):
            upper = lower = zeros(b)  # A^T times column q of the products
            for p in range(n):
                product = load_first(products, first + (p * n + q) * F + f, F - f)
                upper = fma(fill(at[0, p]), product, upper)
                lower = fma(fill(at[1, p]), product, lower)
            left, right = fill(at[0, q]), fill(at[1, q])
            y0, y1 = fma(upper, left, y0), fma(upper, right, y1)
            y2, y3 = fma(lower, left, y2), fma(lower, right, y3)
        best, where = keep_larger(y0, zeros(b), y1, 1)
        best, where = keep_larger(best, where, y2, 2)
        best, where = keep_larger(best, where, y3, 3)
        store_winner(best, where, 4, y, winner, to + f, F - f)
