"""From strokes to MNIST: ignore brush and size, keep the line, redraw it with MNIST's pen.

A drawing is a set of lines; how thick they look depends on the brush, the screen and the size of
the writing. Only the lines are kept, smoothed a little, fitted into MNIST's box of 20 pixels and
drawn again. The same drawing gives the same image at any size, at any place, and with any number
of points along its lines.

A round pen inks every point within half a pen of its line. The distance to the line is computed
on a grid four times finer than the pixels; at the edge the ink falls off over one fine cell, and a
pixel is the mean of its 16 cells. The image therefore changes continuously with the drawing: no
coordinate is ever rounded to a pixel.

Every preparation is a generator of its steps, and the last step is its result.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tinycnn.data.mnist import BOX, PEN, SIZE, center
from tinycnn.errors import ImageError
from tinycnn.kernels.jit import kernel

FINE = 4  # cells per pixel, along each axis
STEP = 0.5  # pixels of 28 between points; finer changes nothing in the image
GRID = 64  # grid places per pixel
ODD = 0.7183  # where to round up: an odd place, because tidy drawings consist of round numbers
LONGEST = 10_000  # points along one line; no digit needs more than 300
MOST_STROKES = 5_000  # in one drawing; a page of digits needs some hundred
NEAREST = 1e-305  # closer points are one point: the scale between them overflows
FARTHEST = 1e9  # beyond it, differences of coordinates lose their meaning

Strokes = Sequence[np.ndarray]
"""Polylines: arrays (n,2) of x, y with y down and n >= 1; a polyline of one point is a dot."""

View = np.ndarray | Strokes
"""An image (H,W) uint8, 255 is ink, or polylines in any unit."""

Step = tuple[str, View]
"""A title and the ink after that step."""


def last(steps: Iterable[Step]) -> np.ndarray:
    """The image (H,W) that the steps of a preparation end with."""
    *_, (_, image) = steps
    return np.asarray(image)


def strokes_to_image(strokes: Strokes) -> np.ndarray:
    """Draw one digit the way MNIST would have it.

    strokes: polylines (n,2), x to the right and y down, in any unit -> uint8 (28,28), white
    (255) on black; the longer side of the ink is 20 pixels, the center of mass rounds to index
    14. A single point becomes a dot as wide as the pen; no strokes give a blank image.
    """
    return last(strokes_steps(strokes))


def strokes_steps(strokes: Strokes) -> Iterator[Step]:
    """The steps of ``strokes_to_image``, with their titles."""
    yield "as drawn", strokes
    if not strokes:
        yield "blank", np.zeros((SIZE, SIZE), np.uint8)
        return
    lines = fit(smooth(fit(strokes)))
    # The same drawing at another size has other rounding errors here. Rounding to a grid removes
    # them, and the image is the same bit for bit.
    lines = [np.floor(line * GRID + ODD) / GRID for line in lines]
    yield f"smooth, longer side {BOX}", lines
    image = draw(lines, PEN, (SIZE, SIZE))
    yield f"drawn with pen {PEN}", image
    yield "center of mass at 14", center(image)


def draw(strokes: Strokes, pen: float, size: tuple[int, int]) -> np.ndarray:
    """Draw ``strokes`` with a round pen on blank paper.

    Coordinates and ``pen``, the width of the line, are in pixels; pixel (i,j) covers y from i to
    i + 1 and x from j to j + 1. size (H,W) -> uint8 (H,W), 255 is full ink; ink outside the image
    is cut off.
    """
    H, W = size
    # Each line segment is a row x0, y0, x1, y1; a dot is a segment of length 0.
    ends = [np.hstack([z[:-1], z[1:]]) if len(z) > 1 else np.tile(z, 2) for z in strokes]
    segments = np.concatenate(ends).astype(np.float64, "C") if ends else np.empty((0, 4))
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


def check_strokes(strokes: Any) -> list[np.ndarray]:
    """Untrusted strokes as float64 arrays (n,2), without the strokes that have no points.

    Raises ImageError unless ``strokes`` is a list of lists of finite pairs.
    """
    if not isinstance(strokes, Sequence | np.ndarray) or isinstance(strokes, str | bytes):
        raise ImageError("strokes must be a list of lists of [x, y]")
    if len(strokes) > MOST_STROKES:
        raise ImageError(f"there are {len(strokes):,} strokes; {MOST_STROKES:,} are the most")
    lines = [_check_line(number, stroke) for number, stroke in enumerate(strokes)]
    return [line for line in lines if len(line)]


def _check_line(number: int, stroke: Any) -> np.ndarray:
    try:
        points = np.array(stroke)
        # NumPy would convert strings and booleans, also booleans between numbers, without an error.
        booleans = isinstance(stroke, list) and any(type(z) is bool for xy in stroke for z in xy)
        if points.dtype.kind in "USb" or booleans:
            raise TypeError(points.dtype)
        line = points.astype(np.float64)
        if line.size and line.shape != (len(line), 2):
            raise ValueError(line.shape)
    except (TypeError, ValueError, OverflowError) as error:
        raise ImageError(f"stroke {number} is no list of [x, y] pairs") from error
    if not (np.abs(line) <= FARTHEST).all():  # NaN is not <= either
        raise ImageError(f"stroke {number} has coordinates that are not finite or beyond 1e9")
    return line.reshape(-1, 2)


def bounds(lines: Strokes) -> tuple[float, float, float, float]:
    """The box around the lines: least x, least y, greatest x, greatest y."""
    points = np.concatenate(lines)
    return (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())


def fit(lines: Strokes) -> list[np.ndarray]:
    """Scale and shift lines so that, drawn with MNIST's pen, they fill MNIST's box.

    The pen adds half its width on each side, so the lines themselves get 20 - 2.5 pixels.
    """
    x0, y0, x1, y1 = bounds(lines)
    longer = max(x1 - x0, y1 - y0)
    # Lines smaller than the rounding error of their coordinates are a dot and are not enlarged.
    least = max(1e-12 * max(map(abs, (x0, y0, x1, y1))), NEAREST)
    scale = (BOX - PEN) / longer if longer > least else 0.0
    corner = (SIZE - BOX + PEN) / 2
    return [(line - (x0, y0)) * scale + corner for line in lines]


def smooth(lines: Strokes) -> list[np.ndarray]:
    """Even out the trembling of a mouse; lines must be in pixels of 28.

    Lines are resampled at equal distances, so that their number of points does not matter, and
    points are averaged with their neighbors twice, weighted 1/4, 1/2, 1/4: about a Gaussian of 0.5
    pixels. Ends stay.
    """
    smoothed = []
    for line in lines:
        even = resample(line, STEP)
        for _ in range(2):
            even[1:-1] = (even[:-2] + 2 * even[1:-1] + even[2:]) / 4
        smoothed.append(even)
    return smoothed


def resample(line: np.ndarray, step: float) -> np.ndarray:
    """Points at equal distances, about ``step``, along a line (n,2), its ends included."""
    lengths = np.hypot(*np.diff(line, axis=0).T) if len(line) > 1 else np.zeros(0)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    count = min(int(along[-1] / step + ODD), LONGEST) + 2 if along[-1] > 0 else 1
    places = np.linspace(0, along[-1], count)
    return np.column_stack([np.interp(places, along, line[:, axis]) for axis in (0, 1)])


def without(
    line: np.ndarray, start: Sequence[float], end: Sequence[float], radius: float
) -> list[np.ndarray] | None:
    """Return what is left of a line (n,2) of which a round eraser takes away all that it touches.

    It goes from ``start`` to ``end``. None if it touches nothing.
    """
    pieces = [line[:1]]
    for one, other in pairwise(line):  # no two neighbors further apart than a fourth of the radius
        count = int(4 * np.hypot(*(other - one)) / radius) + 1
        pieces.append(one + (other - one) * (np.arange(1, count + 1) / count)[:, None])
    points, origin = np.concatenate(pieces), np.array(start)
    way = np.array(end) - origin
    along = np.clip((points - origin) @ way / max(float(way @ way), 1e-12), 0, 1)
    away = np.hypot(*(points - origin - along[:, None] * way).T) > radius
    if away.all():
        return None
    edges = np.flatnonzero(np.diff(np.concatenate([[False], away, [False]]).astype(int)))
    return [points[a:b] for a, b in edges.reshape(-1, 2).tolist() if b - a > 1]
