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
from tinycnn.kernels.simd import INT32, LANES, Vector, add, becomes, fill, fill_like, fma, load, store, zeros
from tinycnn.kernels.threads import parallel_over
from tinycnn.nn.shapes import ready

CELL, WIDE = 7, 8
"""Pixels from one node of the grid to the next; and lanes for them in a vector, the last one empty:
so all cells have the same weights."""

TOGETHER = 4
"""Images that are warped in the same scratch memory."""


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
    weights = splines(H).ravel(), _columns(W), splines(WIDE).T.ravel()
    read = ready(images), *numbers, np.full(B, moved, np.uint8), *weights
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
def _columns(W: int) -> np.ndarray:
    """Return the distance (P,) from the middle of the column that a lane is for.

    P lanes are whole vectors; those without a pixel are never shown.
    """
    P = -(-(grid_size(W) - 3) * WIDE // LANES) * LANES
    cell, place = divmod(np.arange(P), WIDE)
    return CELL * cell + place - (W - 1) / 2


@parallel_over  # piece owns its part of warped
def _warp(piece, read, written):
    images, affine, elastic, thickness, moves, by_row, away, by_place = read
    (warped,) = written
    (B, H, W), GH, P = images.shape, elastic.shape[1], away.size
    Q = -(-2 * (P // WIDE + 3) // LANES) * LANES
    nodes, pulls = np.zeros(GH * Q, np.float32), np.empty(H * Q, np.float32)
    places = np.empty((2, H * P))
    paper, fours = np.zeros((H + 2, W + 2), np.int32), np.zeros((H + 2) * (W + 2), np.int32)
    four, moved = np.empty(H * P, np.int32), np.empty(H * P, np.float32)
    framed = np.zeros((H + 2, P // WIDE * CELL + LANES), np.float32)
    for n in range(piece * TOGETHER, min(B, (piece + 1) * TOGETHER)):
        if not moves[n]:
            for i in range(H):
                for j in range(W):
                    warped[n, i, j] = images[n, i, j]
            continue
        _find_places(affine[n], elastic[n], by_row, away, by_place, (nodes, pulls, places))
        _find_fours(images[n], paper, fours)
        _between_pixels(places, fours, W + 2, four, moved)
        _frame(moved, framed, W)
        _thicken(framed, thickness[n], warped[n])


@part
def _find_places(affine, grid, by_row, away, by_place, made):
    """Write the row and the column (2,H,P) in the frame that each output pixel comes from."""
    nodes, pulls, places = made
    (GH, GW, _), H, P, Q = grid.shape, by_row.size // 4, away.size, nodes.size // len(grid)
    for a in range(GH):
        for b in range(GW):
            for axis in range(2):
                nodes[a * Q + 2 * b + axis] = grid[a, b, axis]
    y0, line, places = np.float32((H - 1) / 2), np.empty(3), places.reshape(2 * H * P)
    for i in range(H):
        w = fill(by_row, (4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3))
        for q in range(0, Q, LANES):  # nodes, smoothed for a row of pixels
            a = i // CELL * Q + q
            four = fma(w, load(nodes, (a, a + Q, a + 2 * Q, a + 3 * Q)), zeros(nodes))
            store(pulls, i * Q + q, add(add(add(four[0], four[1]), four[2]), four[3]))
    for i in range(H):  # not before: numbers that were just stored are slow to read one by one
        for axis in range(2):
            start = (y0, np.float32(-away[0]))[axis] + affine[axis, 0] * (i - y0)
            line[0], line[1], line[2] = start, affine[axis, 1], affine[axis, 2]
            for j in range(0, P, LANES):
                place = fma(fill(line, 1), load(away, j), fill(line, 0))
                place = add(add(place, fill(line, 2)), fill_like(1, place))  # the frame
                for k in range(4):
                    at = i * Q + 2 * (j // WIDE + k) + axis
                    moves = _moves(pulls, at, by_place, WIDE * k)
                    place = add(place, moves)
                store(places, (axis * H + i) * P + j, place)


def _emit_moves(builder, kind, pull, at, weights, first):
    """Multiply eight lanes for each cell, for more would have to be taken apart for float64."""
    eight = ir.VectorType(ir.FloatType(), WIDE)
    weights = builder.load(builder.bitcast(weights.at(first), eight.as_pointer()), align=4)
    cells = []
    for cell in range(LANES // WIDE):
        node = builder.load(pull.at(builder.add(at, at.type(2 * cell))))
        node = builder.insert_element(ir.Constant(eight, None), node, INT32(0))
        node = builder.shuffle_vector(node, node, ir.Constant(ir.VectorType(INT32, WIDE), None))
        moves = builder.fmul(node, weights)
        cells.append(builder.fpext(moves, ir.VectorType(ir.DoubleType(), WIDE)))
    while len(cells) > 1:
        lanes = range(2 * cells[0].type.count)
        both = ir.Constant(ir.VectorType(INT32, len(lanes)), [*lanes])
        cells = [builder.shuffle_vector(*z, both) for z in zip(cells[::2], cells[1::2], strict=True)]
    return cells[0]


@becomes(lambda pull, at, weights, first: Vector(types.float64), _emit_moves)
def _moves(pull, at, weights, first):
    """Return weights[first : first + 8] times every other number from pull[at], rounded to float32.

    That makes eight lanes of float64 for each.
    """
    nodes, weights = pull[at::2][: LANES // WIDE], weights[first : first + WIDE]
    return np.outer(nodes, weights).ravel().astype(np.float64)


# The compiler makes vectors of a loop over pixels if each array has an index of its own, written
# out; so the places, what lies around them and what is seen there are found in loops of their own.


@part
def _between_pixels(places, fours, width, four, moved):
    """Read linearly between the four pixels around each place; the blank frame never ends."""
    H, W = fours.size // width, width
    down, right = places[0], places[1]
    for n in range(four.size):
        row = min(max(0.0, down[n]), H - 1.0)  # 0 for NaN, of which no whole number can be made
        column = min(max(0.0, right[n]), W - 1.0)
        i, j = np.floor(row), np.floor(column)
        four[n] = np.int32(i * W + j)
        down[n], right[n] = row - i, column - j
    for n in range(four.size):
        four[n] = fours[np.uint32(four[n])]
    for n in range(four.size):
        left, beside = _byte(four[n], 0), _byte(four[n], 8)
        above = left + right[n] * (beside - left)
        left, beside = _byte(four[n], 16), _byte(four[n], 24)
        below = left + right[n] * (beside - left)
        moved[n] = above + down[n] * (below - above)


@part
def _byte(four, place):
    return np.int32(four >> np.int32(place) & np.int32(255))


@part
def _find_fours(image, paper, fours):
    """Write, for each pixel of the framed image, its 2x2 pixels as the bytes of one number."""
    H, W = image.shape  # in a blank frame that never changes
    for i in range(H):
        for j in range(W):
            paper[i + 1, j + 1] = image[i, j]
    flat = paper.reshape(paper.size)
    right, below, both = flat[1:], flat[W + 2 :], flat[W + 3 :]
    for q in range(both.size):
        fours[q] = flat[q] | right[q] << 8 | below[q] << 16 | both[q] << 24


@part
def _frame(moved, framed, W):
    """Write all pixels into a blank frame, one pixel wide."""
    F, flat = framed.shape[1], framed.reshape(framed.size)
    P = moved.size // (framed.shape[0] - 2)
    for i in range(framed.shape[0] - 2):
        for j in range(0, P, LANES):
            store(flat, (i + 1) * F + 1 + j // WIDE * CELL, _packed(load(moved, i * P + j)))
        framed[i + 1, W + 1] = 0


PIXELS = [lane for lane in range(LANES) if lane % WIDE < CELL]


def _emit_packed(builder, kind, x):
    lanes = ir.Constant(ir.VectorType(INT32, LANES), PIXELS + PIXELS[: LANES - len(PIXELS)])
    return builder.shuffle_vector(x, x, lanes)


@becomes(lambda x: x, _emit_packed)
def _packed(x):
    """Return the lanes that have pixels, followed by any others."""
    return np.append(x[PIXELS], x[: LANES - len(PIXELS)])


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
