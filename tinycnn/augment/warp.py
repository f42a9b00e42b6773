"""Warps images as handwriting varies: rotated, slanted, stretched, shifted, wavy, thicker.

For every output pixel, the place in the input that it comes from is computed: a matrix for the
whole image (``affine``), plus small local moves from a coarse grid of nodes, smoothed by cubic
splines (``elastic``). Between pixels the input is interpolated linearly; beyond its border it is
blank. ``warp`` is compiled; tests compare it with the same formula in NumPy.
"""

import functools

import numpy as np

from tinycnn.errors import ShapeError
from tinycnn.kernels.jit import kernel, part
from tinycnn.kernels.shapes import ready

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
    _warp(ready(images), *numbers, splines(H), splines(W), warped)
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


@kernel
def _warp(images, affine, elastic, thickness, by_row, by_column, warped):
    """Runs on the calling thread alone: the others train on the batch before."""
    for n in range(len(images)):
        _warp_image(n, images, affine, elastic, thickness, by_row, by_column, warped)


@part
def _warp_image(n, images, affine, elastic, thickness, by_row, by_column, warped):
    _, H, W = images.shape
    framed = np.zeros((H + 2, W + 2), np.float32)
    moved = np.zeros((H + 2, W + 2), np.float32)
    for i in range(H):  # plain loops: a slice would take numba four seconds longer to compile
        for j in range(W):
            framed[i + 1, j + 1] = images[n, i, j]
    _read_from(framed, affine[n], elastic[n], by_row, by_column, moved)
    _thicken(moved, thickness[n], warped[n])


@part
def _read_from(framed, affine, grid, by_row, by_column, moved):
    """Fill the inside of ``moved`` from ``framed``; both have a blank frame, one pixel wide."""
    H, W = len(by_row), len(by_column)
    y0, x0 = np.float32((H - 1) / 2), np.float32((W - 1) / 2)
    pull = np.empty((grid.shape[1], 2), np.float32)  # the grid, smoothed along this row
    for i in range(H):
        _smooth_rows(grid, i // CELL, by_row[i], pull)
        y = i - y0
        for j in range(W):
            x = j - x0
            row = y0 + affine[0, 0] * y + affine[0, 1] * x + affine[0, 2] + np.float32(1)
            column = x0 + affine[1, 0] * y + affine[1, 1] * x + affine[1, 2] + np.float32(1)
            cell = j // CELL
            for b in range(4):
                row += by_column[j, b] * pull[cell + b, 0]
                column += by_column[j, b] * pull[cell + b, 1]
            moved[i + 1, j + 1] = _between_pixels(framed, row, column)


@part
def _smooth_rows(grid, cell, weights, pull):
    for b in range(len(pull)):
        for axis in range(2):
            total = np.float32(0)
            for a in range(4):
                total += weights[a] * grid[cell + a, b, axis]
            pull[b, axis] = total


@part
def _between_pixels(framed, row, column):
    """Read linearly between the four pixels around (row, column); the blank frame never ends."""
    H, W = framed.shape
    row = min(max(row, np.float32(0)), np.float32(H - 1))
    column = min(max(column, np.float32(0)), np.float32(W - 1))
    i, j = min(int(row), H - 2), min(int(column), W - 2)
    down, right = row - np.float32(i), column - np.float32(j)
    above = framed[i, j] + right * (framed[i, j + 1] - framed[i, j])
    below = framed[i + 1, j] + right * (framed[i + 1, j + 1] - framed[i + 1, j])
    return above + down * (below - above)


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
