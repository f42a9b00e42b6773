"""Warps images as handwriting varies: rotated, slanted, stretched, shifted, wavy, thicker.

For every output pixel, the place in the input that it comes from is computed: a matrix for the
whole image (``affine``), plus small local moves from a coarse grid of nodes, smoothed by cubic
splines (``elastic``). Between pixels the input is interpolated linearly; beyond its border it is
blank. ``warp`` is compiled; tests compare it with the same formula in NumPy.
"""

import functools

import numpy as np
from llvmlite import ir
from numba.core import types

from tinycnn.errors import ShapeError
from tinycnn.kernels.jit import part
from tinycnn.kernels.simd import LANES, Vector, add, becomes, fill, fma, full, load, store
from tinycnn.kernels.threads import parallel_over
from tinycnn.nn.shapes import ready

CELL = 7
"""Pixels from one node of the grid to the next."""

TOGETHER = 4
"""Images that are warped one after the other, in the same scratch memory."""

DOUBLES = ir.VectorType(ir.DoubleType(), LANES)


def grid_size(length: int) -> int:
    """How many nodes a side of ``length`` pixels needs: one before it and two behind it."""
    return (length - 1) // CELL + 4


def warp(
    images: np.ndarray,
    affine: np.ndarray,
    elastic: np.ndarray,
    thickness: np.ndarray,
    moved: np.ndarray | bool = True,
) -> np.ndarray:
    """Warp images (B,H,W) uint8, each by its own map, where ``moved`` (B,); return new ones.

    Output pixel (i,j) of an image shows the input, in pixels, at

        (row, column) = center + affine[:, :2] @ ((i,j) - center) + affine[:, 2]
                        + sum_{a,b} spline(i/CELL - a + 1) * spline(j/CELL - b + 1) * elastic[a,b]

    and then lines grow by ``thickness`` pixels on either side, or shrink if it is negative: the
    image is blended with the largest, or smallest, of each pixel and its four neighbors.

    affine (B,2,3), elastic (B,GH,GW,2) with ``grid_size`` nodes per side, and thickness (B,) in
    -1 to 1, all float32. Raises ShapeError if they do not fit.
    """
    B, H, W = images.shape
    expected = ((B, 2, 3), (B, grid_size(H), grid_size(W), 2), (B,))
    numbers = [ready(np.asarray(z, np.float32)) for z in (affine, elastic, thickness)]
    if images.dtype != np.uint8 or tuple(z.shape for z in numbers) != expected:
        raise ShapeError(
            f"images {images.dtype} {images.shape} need affine, elastic and thickness of shapes "
            f"{expected}, not {tuple(z.shape for z in numbers)}"
        )
    warped = np.empty((B, H, W), np.uint8)
    read = ready(images), *numbers, np.full(B, moved, np.uint8), splines(H), *_columns(W)
    _warp(-(-B // TOGETHER), read, (warped,))
    return warped


@functools.lru_cache
def splines(length: int) -> np.ndarray:
    """Weights (length, 4) float32 with which the four nodes around each pixel move it.

    Pixel i lies in cell i // CELL; with s, from 0 to 1, its place in the cell, these are the
    four pieces of the cubic B-spline. They add up to 1.
    """
    s = np.arange(length) % CELL / CELL
    pieces = (1 - s) ** 3, 3 * s**3 - 6 * s**2 + 4, -3 * s**3 + 3 * s**2 + 3 * s + 1, s**3
    return np.stack(pieces, axis=1).astype(np.float32) / np.float32(6)


@functools.lru_cache
def _columns(W: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance (P,) of each column from the middle, and (GW * P,) the nodes' weights.

    P columns fill whole vectors; those past the last pixel are never shown.
    """
    P = -(-W // LANES) * LANES
    weights = np.zeros((grid_size(P), P), np.float32)
    for pixel, four in enumerate(splines(P)):
        weights[pixel // CELL : pixel // CELL + 4, pixel] = four
    return np.arange(P) - (W - 1) / 2, weights[: grid_size(W)].ravel()


@parallel_over  # piece owns its part of warped
def _warp(piece, read, written):
    images, affine, elastic, thickness, moves, by_row, away, by_column = read
    (warped,) = written
    (B, H, W), P = images.shape, away.size
    places, four, moved = (
        np.empty(2 * H * P),
        np.empty(H * P, np.int32),
        np.empty(H * P, np.float32),
    )
    paper, framed = np.zeros((H + 2, W + 2), np.int32), np.zeros((H + 2, W + 2), np.float32)
    fours = np.zeros(paper.size, np.int32)
    for n in range(piece * TOGETHER, min(B, (piece + 1) * TOGETHER)):
        if not moves[n]:
            for i, j in np.ndindex((H, W)):
                warped[n, i, j] = images[n, i, j]
            continue
        _find_places(affine[n], elastic[n], by_row, away, by_column, places)
        _find_fours(images[n], paper, fours)
        _between_pixels(places.reshape(2, H * P), fours, W + 2, four, moved)
        for i in range(H):  # plain loops: a slice would take numba four seconds longer to compile
            for j in range(W):
                framed[i + 1, j + 1] = moved[i * P + j]
        _thicken(framed, thickness[n], warped[n])


@part
def _find_places(affine, grid, by_row, away, by_column, places):
    """Write the row and the column (2,H,P) in the frame that each output pixel comes from."""
    (GH, GW, _), H, P = grid.shape, len(by_row), away.size
    y0, nodes = np.float32((H - 1) / 2), grid.reshape(GH, 2 * GW)
    pull, line = np.empty(2 * GW, np.float32), np.empty(3)  # nodes, smoothed for a row of pixels
    for i in range(H):
        a, w = i // CELL, by_row[i]
        for q in range(2 * GW):
            pull[q] = w[0] * nodes[a, q] + w[1] * nodes[a + 1, q]
            pull[q] = pull[q] + w[2] * nodes[a + 2, q] + w[3] * nodes[a + 3, q]
        for axis in range(2):
            start = (y0, np.float32(-away[0]))[axis] + affine[axis, 0] * (i - y0)
            line[0], line[1], line[2] = start, affine[axis, 1], affine[axis, 2]
            for j in range(0, P, LANES):
                place = fma(fill(line, 1), load(away, j), fill(line, 0))
                place = add(add(place, fill(line, 2)), full(1, place))  # the frame
                for c in range(j // CELL, min(GW, (j + LANES - 1) // CELL + 4)):
                    move = _product(fill(pull, 2 * c + axis), load(by_column, c * P + j))
                    place = add(place, move)
                store(places, (axis * H + i) * P + j, place)


@becomes(
    lambda x, y: Vector(types.float64),
    lambda builder, kind, x, y: builder.fpext(builder.fmul(x, y), DOUBLES),
)
def _product(x, y):
    """Return x * y, rounded to float32, as float64."""
    return (x * y).astype(np.float64)


# The compiler makes vectors of a loop over pixels if each array has an index of its own, written
# out; so the places, what lies around them and what is seen there are found in loops of their own.


@part
def _between_pixels(places, fours, W, four, moved):
    """Read linearly between the four pixels around each place; the blank frame never ends."""
    H, down, right = fours.size // W, places[0], places[1]
    for n in range(four.size):
        row = min(max(0.0, down[n]), H - 1.0)  # 0 for NaN, of which no whole number can be made
        column = min(max(0.0, right[n]), W - 1.0)
        i, j = np.floor(row), np.floor(column)
        four[n], down[n], right[n] = np.int32(i * W + j), row - i, column - j
    for n in range(four.size):
        four[n] = fours[np.uint32(four[n])]
    for n in range(four.size):
        left, beside = _byte(four[n], 0), _byte(four[n], 8)
        above = left + right[n] * (beside - left)
        left, beside = _byte(four[n], 16), _byte(four[n], 24)
        below = left + right[n] * (beside - left)
        moved[n] = above + down[n] * (below - above)


@part
def _byte(number, bits):
    return np.int32(number >> np.int32(bits) & np.int32(255))


@part
def _find_fours(image, paper, fours):
    """Write, for each pixel of the framed image, its 2x2 pixels as the bytes of one number."""
    H, W = image.shape
    for i in range(H):
        for j in range(W):
            paper[i + 1, j + 1] = image[i, j]  # in a blank frame, one pixel wide
    flat = paper.reshape(paper.size)
    right, below, both = flat[1:], flat[W + 2 :], flat[W + 3 :]
    for q in range(both.size):
        fours[q] = flat[q] | right[q] << 8 | below[q] << 16 | both[q] << 24


@part
def _thicken(framed, thickness, warped):
    """Write the inside of ``framed`` to ``warped``, its lines ``thickness`` pixels wider."""
    H, W = warped.shape
    share = abs(thickness)
    for i in range(H):
        for j in range(W):
            u, v, here = i + 1, j + 1, framed[i + 1, j + 1]
            cross = here, framed[u - 1, v], framed[u + 1, v], framed[u, v - 1], framed[u, v + 1]
            extreme = max(cross) if thickness > 0 else min(cross)
            warped[i, j] = np.uint8(here + share * (extreme - here) + np.float32(0.5))
