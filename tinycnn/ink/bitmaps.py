"""From a bitmap to MNIST: whatever the brush was, bring the line to MNIST's width.

The ink is measured, not thinned: the depth of each pixel inside the ink (``distance``) says how
wide the line is, and cutting at another depth gives the same drawing by a thinner or a thicker
pen. So a digit comes out alike from any brush, at any size and at any resolution, up to what a
thick brush has filled in.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

from tinycnn.data.mnist import BOX, PEN, SIZE, center
from tinycnn.ink.distance import signed_distance
from tinycnn.ink.rasterize import FINE, coverage
from tinycnn.ink.trace import Show, unseen

SIDE = 96  # pixels, longer side of the ink while it is measured: finer gains nothing
MARGIN = 12  # pixels around it, room for a thin line to grow
WIDEST = SIDE / 4  # pixels: where a line seems wider, its loops are filled in
INKED = 128  # a pixel at least this dark belongs to the shape


def bitmap_to_image(ink: np.ndarray, show: Show = unseen) -> np.ndarray:
    """Prepare one digit the way MNIST would have it.

    ink (H,W) uint8, 255 is ink, 0 is paper, any size -> uint8 (28,28), white on black; the
    longer side of the ink is 20 pixels, the center of mass rounds to index 14. Without ink the
    image is blank.
    """
    show("ink", ink)
    if not (ink >= INKED).any():
        return np.zeros((SIZE, SIZE), np.uint8)
    shape = rescale(ink)
    depth = signed_distance(shape / np.float64(255))
    show(f"longer side {SIDE}", shape)
    image = cut(depth, min(width_of(depth), WIDEST))
    show(f"pen {PEN}, longer side {BOX}", image)
    image = center(image)
    show("center of mass at 14", image)
    return image


def shrink(ink: np.ndarray) -> np.ndarray:
    """The naive way, to compare with: make the whole canvas smaller and hope.

    ink (H,W) uint8 -> uint8 (28,28). This is what many demonstrations do, and why they misread
    most drawings of people who do not write as large as MNIST's writers did.
    """
    return np.asarray(Image.fromarray(ink).resize((SIZE, SIZE), Image.Resampling.BOX))


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """First row, first column, last row + 1, last column + 1 of what is True in mask (H,W)."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def rescale(ink: np.ndarray) -> np.ndarray:
    """Cut the ink out and scale it until its longer side is 96 pixels, with a margin around it.

    ink (H,W) uint8 -> uint8, half ink is still the edge of the shape.
    """
    top, left, bottom, right = box_of(ink >= INKED)
    cropped = ink[top:bottom, left:right]
    scale = SIDE / max(cropped.shape)
    shape = _resize(cropped, scale)
    if 2 * np.count_nonzero(shape >= INKED) < scale**2 * np.count_nonzero(cropped >= INKED):
        # Hairlines vanish when they are reduced; two pixels wide they survive. They need room to
        # grow: inside its own crop a straight line fills everything already.
        thick = int(np.ceil(2 / scale))
        solid = np.where(np.pad(cropped, thick) >= INKED, 255, 0).astype(np.uint8)
        shape = _resize(ndimage.maximum_filter(solid, thick), scale)
    return shape


def _resize(ink: np.ndarray, scale: float) -> np.ndarray:
    border = MARGIN / scale  # in pixels of the bitmap
    pad = int(np.ceil(border)) + 1
    height, width = ink.shape
    size = round(width * scale) + 2 * MARGIN, round(height * scale) + 2 * MARGIN
    area = (pad - border, pad - border, pad + width + border, pad + height + border)
    method = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    resized = Image.fromarray(np.pad(ink, pad)).resize(size, method, box=area)
    gray = np.asarray(resized, np.float32)
    # Enlarged edges are wide ramps; made one pixel wide again, they are where they were.
    return np.clip((gray - 127.5) * max(scale, 1.0) + 127.5, 0, 255).astype(np.uint8)


def width_of(depth: np.ndarray) -> float:
    """The width of the line, in pixels, from the signed distance (H,W).

    Along the middle of a line the depth is half its width. Crossings and components are deeper than
    the line itself, so the lower third counts, not the median.
    """
    middle = depth[1:-1, 1:-1]
    ridge = (middle >= np.maximum(depth[1:-1, :-2], depth[1:-1, 2:])) & (
        middle >= np.maximum(depth[:-2, 1:-1], depth[2:, 1:-1])
    )
    return 2 * float(np.percentile(middle[ridge & (middle > 0)], 33))


def cut(depth: np.ndarray, width: float) -> np.ndarray:
    """The drawing as MNIST's pen would have made it: depth (H,W), in pixels -> uint8 (28,28).

    How much must come off each side depends on the final scale, and the scale on how much came
    off; three rounds settle both.
    """
    level = 0.0
    for _ in range(3):
        *_, pixel = _box_above(depth, level)
        level = min((width - PEN * pixel) / 2, float(depth.max()) - 1)
    top, left, pixel = _box_above(depth, level)
    cells = (np.arange(BOX * FINE) + 0.5) / FINE * pixel
    box = coverage((_sample(depth, top + cells, left + cells) - level) / pixel * FINE)
    return np.pad(box, (SIZE - BOX) // 2)


def _box_above(depth: np.ndarray, level: float) -> tuple[float, float, float]:
    """Top and left of the shape that is deeper than ``level``, and a 20th of its longer side."""
    top, bottom = _crossings(depth.max(axis=1), level)
    left, right = _crossings(depth.max(axis=0), level)
    return top, left, max(bottom - top, right - left) / BOX


def _crossings(profile: np.ndarray, level: float) -> tuple[float, float]:
    """Where a profile (L,) first rises above ``level`` and last falls below it; fractional."""
    above = np.flatnonzero(profile > level)
    first, last = above[0], above[-1]
    rise = (profile[first] - level) / (profile[first] - profile[first - 1])
    fall = (profile[last] - level) / (profile[last] - profile[last + 1])
    return float(first - rise), float(last + fall)


def _sample(field: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The field at all pairs of fractional rows and columns, linear in between."""
    for places in (rows, columns):
        length = len(field)
        low = np.clip(np.floor(places), 0, length - 2).astype(int)
        part = np.clip(places - low, 0, 1)[:, None]
        field = ((1 - part) * field[low] + part * field[low + 1]).T
    return field
