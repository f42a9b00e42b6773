"""Distance fields: how far each pixel lies from a line, or from the edge of a shape.

A round pen inks every point within half a pen of its line. The distance to the line is computed
on a grid four times finer than the pixels; at the edge the ink falls off over one fine cell, and a
pixel is the mean of its 16 cells. The image therefore changes continuously with the drawing: no
coordinate is ever rounded to a pixel.

For a bitmap, the signed distance to the edge makes the width of a line a matter of arithmetic: a
line drawn with a pen of width a is where the distance is positive, and where it exceeds
(a - b) / 2 is the line as a pen of width b would have drawn it. No skeleton is needed.
"""

from collections.abc import Sequence

import numpy as np

from tinycnn.kernels.jit import kernel

FINE = 4  # cells per pixel, along each axis
FAR = 1e20

Strokes = Sequence[np.ndarray]
"""Polylines: arrays (n,2) of x, y with y down and n >= 1; a polyline of one point is a dot."""


def draw(strokes: Strokes, pen: float, size: tuple[int, int]) -> np.ndarray:
    """Draw ``strokes`` with a round pen on blank paper.

    Coordinates and ``pen``, the width of the line, are in pixels; pixel (i,j) covers y from i to
    i + 1 and x from j to j + 1. size (H,W) -> uint8 (H,W), 255 is full ink; ink outside the image
    is cut off.
    """
    H, W = size
    # Each line segment is a row x0, y0, x1, y1; a dot is a segment of length 0.
    ends = [np.hstack([z[:-1], z[1:]]) if len(z) > 1 else np.tile(z, 2) for z in strokes]
    segments = np.concatenate(ends).astype(np.float64) if ends else np.empty((0, 4))
    squared = np.full((H * FINE, W * FINE), np.inf, np.float32)
    _lower_to_distance(squared, segments * FINE, (pen / 2 + 1) * FINE)
    return coverage(pen / 2 * FINE - np.sqrt(squared))


def coverage(depth: np.ndarray) -> np.ndarray:
    """The pixels of a shape, given how deep each fine cell lies inside it.

    depth (FINE*H, FINE*W), in cells, negative outside -> uint8 (H,W), 255 is fully covered.
    """
    H, W = depth.shape[0] // FINE, depth.shape[1] // FINE
    covered = np.clip(depth + 0.5, 0, 1).reshape(H, FINE, W, FINE).mean(axis=(1, 3))
    return np.asarray(np.rint(255 * covered), np.uint8)


def signed_distance(ink: np.ndarray) -> np.ndarray:
    """Distance to the edge in pixels, positive inside, negative outside.

    ink (H,W) float, 0 to 1 -> float64 (H,W). A pixel belongs to the shape from 0.5 on; the edge
    cuts through a gray pixel at the rim: covered by 0.7, its center lies 0.2 pixels inside. Without
    ink every distance is -sqrt(FAR).
    """
    shape, depth = ink >= 0.5, ink - 0.5
    # Squared distance from each pixel to the edge, known at the rim only; FAR elsewhere.
    inside = np.where(shape & ((ink >= 1) | ~_next_to(~shape)), FAR, np.maximum(depth, 0) ** 2)
    outside = np.where(~shape & ((ink <= 0) | ~_next_to(shape)), FAR, np.maximum(-depth, 0) ** 2)
    for costs in (inside, outside):
        _lower_envelopes(costs)
        _lower_envelopes(costs.T)
    return np.sqrt(inside) - np.sqrt(outside)


def _next_to(shape: np.ndarray) -> np.ndarray:
    """Where a pixel of the shape lies above, below, left or right; (H,W) bool."""
    near = np.zeros_like(shape)
    near[1:] |= shape[:-1]
    near[:-1] |= shape[1:]
    near[:, 1:] |= shape[:, :-1]
    near[:, :-1] |= shape[:, 1:]
    return near


@kernel
def _lower_to_distance(squared: np.ndarray, segments: np.ndarray, reach: float) -> None:
    """Lower squared[i,j] to the squared distance from cell (i,j) to the nearest segment.

    Segments farther away than ``reach`` may be overlooked.
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


@kernel
def _lower_envelopes(costs: np.ndarray) -> None:
    """Replace each row c by its lower envelope, min over q of c[q] + (p - q)^2, in linear time.

    Every q contributes a parabola. ``owner`` lists the parabolas that are lowest somewhere, from
    left to right, and ``start`` where each begins to be. Applied along one axis and then along the
    other, this gives squared distances in the plane (Felzenszwalb and Huttenlocher).
    """
    H, W = costs.shape
    owner = np.empty(W, np.int64)
    start = np.empty(W + 1)
    height = np.empty(W)
    for i in range(H):
        last = -1
        for q in range(W):
            height[q] = costs[i, q]
            if height[q] >= FAR:
                continue
            place = -FAR
            while last >= 0:
                p = owner[last]
                place = (height[q] + q * q - height[p] - p * p) / (2.0 * (q - p))
                if place > start[last]:
                    break
                last -= 1
                place = -FAR
            last += 1
            owner[last], start[last], start[last + 1] = q, place, FAR
        k = 0
        for p in range(W if last >= 0 else 0):
            while start[k + 1] < p:
                k += 1
            costs[i, p] = height[owner[k]] + (p - owner[k]) ** 2
