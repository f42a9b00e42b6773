"""Warps images as handwriting varies: rotated, slanted, stretched, shifted, wavy, thicker.

For every output pixel, the place in the input that it comes from is computed: a matrix for the
whole image (``affine``), plus small local moves from a coarse grid of nodes, smoothed by cubic
splines (``elastic``). Between pixels the input is interpolated linearly; beyond its border it is
blank. ``warp`` is compiled; tests compare it with the same formula in NumPy.
"""

import functools

import numpy as np

from tinycnn.errors import ShapeError
from tinycnn.kernels.jit import part
from tinycnn.kernels.shapes import ready
from tinycnn.kernels.threads import parallel_over

CELL = 7
"""Pixels from one node of the grid to the next."""


def grid_size(length: int) -> int:
    """How many nodes a side of ``length`` pixels needs: one before it and two behind it."""
    return (length - 1) // CELL + 4


def warp(
    images: np.ndarray, affine: np.ndarray, elastic: np.ndarray, thickness: np.ndarray
) -> np.ndarray:
    """Warp images (B,H,W) uint8, each by its own map; return new ones.

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
    by_row, by_column = splines(H), np.ascontiguousarray(splines(W).T)
    _warp(B, (ready(images), *numbers, by_row, by_column), (warped,))
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


# The compiler makes vectors of a loop over pixels if each array has an index of its own, written
# out; so all places are found first, and what lies around them is read in a loop by itself.


@parallel_over  # n owns warped[n]
def _warp(n, read, written):
    images, affine, elastic, thickness, by_row, by_column = read
    (warped,) = written
    _, H, W = images.shape
    framed = np.zeros((H + 2, W + 2), np.float32)  # with a blank frame, one pixel wide
    for i in range(H):  # plain loops: a slice would take numba four seconds longer to compile
        for j in range(W):
            framed[i + 1, j + 1] = images[n, i, j]
    places = np.empty((2, H, W))
    _find_places(affine[n], elastic[n], by_row, by_column, places)
    moved = _between_pixels(framed, places.reshape(2, H * W))
    for i in range(H):
        for j in range(W):
            framed[i + 1, j + 1] = moved[i * W + j]
    _thicken(framed, thickness[n], warped[n])


@part
def _find_places(affine, grid, by_row, by_column, places):
    """Write the row and the column (2,H,W) in the frame that each output pixel comes from."""
    _, H, W = places.shape
    y0, x0 = np.float32((H - 1) / 2), np.float32((W - 1) / 2)
    nodes = _nodes_of_pixels(grid, W)
    pull = np.empty((2, 4, W), np.float32)  # the nodes of each pixel, smoothed along its row
    flat = pull.reshape(8 * W)
    for i in range(H):
        _smooth(nodes[i // CELL : i // CELL + 4], by_row[i], flat)
        for axis in range(2):
            start = (y0, x0)[axis] + affine[axis, 0] * (i - y0)
            step, shift = affine[axis, 1], affine[axis, 2]
            _find_row(start, step, shift, x0, by_column, pull[axis], places[axis, i])


@part
def _nodes_of_pixels(grid, W):
    """Return the four nodes of each row of the grid that move each pixel: (GH, 2 * 4 * W)."""
    nodes = np.empty((len(grid), 2, 4, W), np.float32)
    for a in range(len(grid)):
        for axis in range(2):
            for b in range(4):
                for j in range(W):
                    nodes[a, axis, b, j] = grid[a, j // CELL + b, axis]
    return nodes.reshape(len(grid), 8 * W)


@part
def _smooth(nodes, weights, pull):
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    for q in range(len(pull)):
        pull[q] = w0 * nodes[0, q] + w1 * nodes[1, q] + w2 * nodes[2, q] + w3 * nodes[3, q]


@part
def _find_row(start, step, shift, x0, by_column, pull, places):
    w, z = by_column, pull
    for j in range(len(places)):
        place = start + step * (j - x0) + shift + np.float32(1)  # the frame
        place = place + w[0, j] * z[0, j] + w[1, j] * z[1, j]
        places[j] = place + w[2, j] * z[2, j] + w[3, j] * z[3, j]


@part
def _within(place, last):
    place = place if place > 0.0 else 0.0  # also for NaN, of which no whole number can be made
    return place if place < last else last


@part
def _between_pixels(framed, places):
    """Read linearly between the four pixels around each place; the blank frame never ends."""
    H, W = framed.shape
    flat = framed.reshape(H * W)
    first = np.empty(places.shape[1], np.int32)  # the number of the upper left pixel
    near = np.empty((4, places.shape[1]), np.float32)
    down, right = places[0], places[1]
    for n in range(len(first)):
        row = _within(down[n], np.float64(H - 1))
        column = _within(right[n], np.float64(W - 1))
        i, j = min(np.int32(row), np.int32(H - 2)), min(np.int32(column), np.int32(W - 2))
        first[n] = i * np.int32(W) + j
        down[n], right[n] = row - np.float32(i), column - np.float32(j)
    for n in range(len(first)):
        q = first[n]
        near[0, n], near[1, n] = flat[q], flat[q + 1]
        near[2, n], near[3, n] = flat[q + W], flat[q + W + 1]
    for n in range(len(first)):
        above = near[0, n] + right[n] * (near[1, n] - near[0, n])
        below = near[2, n] + right[n] * (near[3, n] - near[2, n])
        near[0, n] = above + down[n] * (below - above)
    return near[0]


@part
def _thicken(framed, thickness, warped):
    """Write the inside of ``framed`` to ``warped``, its lines ``thickness`` pixels wider."""
    H, W = warped.shape
    share = abs(thickness)
    for i in range(H):
        for j in range(W):
            u, v = i + 1, j + 1
            here, above, below = framed[u, v], framed[u - 1, v], framed[u + 1, v]
            left, right = framed[u, v - 1], framed[u, v + 1]
            if thickness > 0:
                extreme = max(here, above, below, left, right)
            else:
                extreme = min(here, above, below, left, right)
            warped[i, j] = np.uint8(here + share * (extreme - here) + np.float32(0.5))
