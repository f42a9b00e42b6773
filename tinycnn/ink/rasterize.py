"""A round pen drawn along a line, with true anti-aliasing: how strokes become pixels.

A point is inked when it lies within half a pen of the line. The distance to the line is known on
a grid four times finer than the pixels; at the edge the ink falls off over one fine cell, and a
pixel is the mean of its 16 cells. So the image changes continuously with the drawing: no
coordinate is ever rounded to a pixel.
"""

from collections.abc import Sequence

import numpy as np

from tinycnn.kernels.jit import kernel

FINE = 4  # cells per pixel, along each axis

Lines = Sequence[np.ndarray]
"""Polylines: arrays (n,2) of x, y with y down and n >= 1; a line of one point is a dot."""


def draw(lines: Lines, pen: float, size: tuple[int, int]) -> np.ndarray:
    """Draw ``lines`` with a round pen on blank paper.

    Coordinates and ``pen``, the width of the line, are in pixels; pixel (i,j) covers y from i to
    i + 1 and x from j to j + 1. size (H,W) -> uint8 (H,W), 255 is full ink; what lies outside is
    cut off.
    """
    H, W = size
    squared = np.full((H * FINE, W * FINE), np.inf, np.float32)
    _lower_to_distance(squared, _segments(lines) * FINE, (pen / 2 + 1) * FINE)
    return coverage(pen / 2 * FINE - np.sqrt(squared))


def coverage(depth: np.ndarray) -> np.ndarray:
    """The pixels of a shape that is known by how deep each fine cell lies inside it.

    depth (FINE*H, FINE*W), in cells, negative outside -> uint8 (H,W), 255 is fully covered.
    """
    H, W = depth.shape[0] // FINE, depth.shape[1] // FINE
    covered = np.clip(depth + 0.5, 0, 1).reshape(H, FINE, W, FINE).mean(axis=(1, 3))
    return np.rint(255 * covered).astype(np.uint8)


def _segments(lines: Lines) -> np.ndarray:
    """All pieces of all lines as rows x0, y0, x1, y1; a dot is a piece of length 0."""
    ends = [
        np.hstack([line[:-1], line[1:]]) if len(line) > 1 else np.tile(line, 2) for line in lines
    ]
    return np.concatenate(ends).astype(np.float64) if ends else np.empty((0, 4))


@kernel
def _lower_to_distance(squared, segments, reach):
    """squared[i,j] becomes the squared distance from cell (i,j) to the nearest segment.

    Segments further away than ``reach`` may be overlooked.
    """
    H, W = squared.shape
    for s in range(len(segments)):
        x0, y0, x1, y1 = segments[s]
        dx, dy = x1 - x0, y1 - y0
        length = max(dx * dx + dy * dy, 1e-12)
        top = int(max(np.floor(min(y0, y1) - reach), 0))
        bottom = int(min(np.ceil(max(y0, y1) + reach), H))
        left = int(max(np.floor(min(x0, x1) - reach), 0))
        right = int(min(np.ceil(max(x0, x1) + reach), W))
        for i in range(top, bottom):
            y = i + 0.5 - y0
            for j in range(left, right):
                x = j + 0.5 - x0
                along = min(max((x * dx + y * dy) / length, 0.0), 1.0)
                away = (x - along * dx) ** 2 + (y - along * dy) ** 2
                squared[i, j] = min(squared[i, j], away)
