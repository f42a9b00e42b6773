"""Draws straight lines over images with a round pen, as a writer adds strokes to a digit."""

import numpy as np

from tinycnn.errors import ShapeError
from tinycnn.kernels.jit import kernel, part


def add_marks(images: np.ndarray, marks: np.ndarray, pens: np.ndarray) -> np.ndarray:
    """Draw lines over images (B,H,W) uint8; return new ones. Ink is never erased.

    marks (B,M,4) are lines from row, column to row, column, in pixels; pixel (i,j) has its
    center at (i,j). A line with a NaN is left out. pens (B,) are the widths of the lines: a
    pixel is inked by how far its center lies inside, from nothing half a pixel outside the edge
    to all half a pixel inside. Raises ShapeError if the arrays do not fit.
    """
    marks, pens = (np.ascontiguousarray(z, np.float32) for z in (marks, pens))
    B = len(images)
    if images.dtype != np.uint8 or images.ndim != 3 or marks.ndim != 3:
        raise ShapeError(f"images {images.dtype} {images.shape}, marks {marks.shape}")
    if marks.shape[0] != B or marks.shape[2] != 4 or pens.shape != (B,):
        raise ShapeError(f"{B} images need marks ({B},M,4) and pens ({B},), not {marks.shape}")
    marked = images.copy()
    _add_marks(marks, pens, marked)
    return marked


@kernel
def _add_marks(marks, pens, marked):
    for n in range(len(marked)):
        for m in range(marks.shape[1]):
            _add_mark(marks[n, m], pens[n] / 2, marked[n])


@part
def _add_mark(mark, reach, image):
    H, W = image.shape
    i0, j0, i1, j1 = mark
    di, dj = i1 - i0, j1 - j0
    length = max(di * di + dj * dj, np.float32(1e-6))
    margin = reach + np.float32(1)
    if not abs(length) < np.inf:  # a NaN, too, is not
        return
    for i in range(max(0, int(min(i0, i1) - margin)), min(H, int(max(i0, i1) + margin) + 1)):
        for j in range(max(0, int(min(j0, j1) - margin)), min(W, int(max(j0, j1) + margin) + 1)):
            y, x = i - i0, j - j0
            along = min(max((y * di + x * dj) / length, 0.0), 1.0)
            away = np.hypot(y - along * di, x - along * dj)
            inked = min(max(reach - away + 0.5, 0.0), 1.0)
            image[i, j] = max(image[i, j], np.uint8(255 * inked + 0.5))
