"""From a bitmap to MNIST: bring a line of any width to MNIST's.

The line is not thinned to a skeleton. The signed distance to its edge says how wide it is, and
thresholding that distance at another level gives the same drawing by a thinner or a thicker pen. A
digit therefore comes out alike from any brush, at any size and at any resolution, except for gaps
that a thick brush has filled in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from tinycnn.data.mnist import BOX, PEN, SIZE, center
from tinycnn.errors import ImageError
from tinycnn.ink.strokes import FINE, Step, coverage, last
from tinycnn.kernels.jit import kernel

SIDE = 96  # pixels, longer side of the ink while it is measured: finer gains nothing
MARGIN = 12  # pixels around it, room for a thin line to grow
WIDEST = SIDE / 4  # pixels: where a line seems wider, its loops are filled in
SPUR = 0.3  # of the greatest depth: shallower ridges are the teeth of a ragged edge
FAR = 1e20
INKED = 128  # a pixel at least this dark belongs to the shape
SAMPLE = 20  # components whose line is measured
CONNECTED = np.ones((3, 3))  # pixels that meet at a corner are one component
MOST_FRAGMENTS = 1000  # a page with more is a texture, not writing


@dataclass(frozen=True)
class Fragment:
    """A connected component of ink on a page, or the dashes of a broken line."""

    top: int
    left: int  # with ``top``, the corner of its box on the page
    ink: np.ndarray  # uint8 (H,W), the pixels in the box

    def place(self, top: int = 0, left: int = 0) -> tuple[slice, slice]:
        """Its rows and columns on the page, or on a part of the page from (top, left) on."""
        y, x = self.top - top, self.left - left
        return slice(y, y + self.ink.shape[0]), slice(x, x + self.ink.shape[1])


def bitmap_to_image(ink: np.ndarray) -> np.ndarray:
    """Prepare one digit the way MNIST would have it.

    ink (H,W) uint8, 255 is ink, 0 is paper, any size -> uint8 (28,28), white on black; the
    longer side of the ink is 20 pixels, the center of mass rounds to index 14. Without ink the
    image is blank.
    """
    return last(bitmap_steps(ink))


def bitmap_steps(ink: np.ndarray) -> Iterator[Step]:
    """The steps of ``bitmap_to_image``, with their titles."""
    yield "ink", ink
    if not (ink >= INKED).any():
        yield "blank", np.zeros((SIZE, SIZE), np.uint8)
        return
    shape = rescale(ink)
    yield f"longer side {SIDE}", shape
    depth = signed_distance(shape / np.float64(255))
    image = redraw(depth, min(width_of(depth), WIDEST))
    yield f"pen {PEN}, longer side {BOX}", image
    yield "center of mass at 14", center(image)


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """First row, first column, last row + 1, last column + 1 of the True pixels, mask (H,W)."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def rescale(ink: np.ndarray, scale: float | None = None) -> np.ndarray:
    """Crop to the ink and scale it, with a margin around it; its longer side becomes 96 pixels.

    ink (H,W) uint8 -> uint8; half ink is still the edge of the shape. Another ``scale`` if given.
    """
    top, left, bottom, right = box_of(ink >= INKED)
    cropped = ink[top:bottom, left:right]
    scale = scale or SIDE / max(cropped.shape)
    shape = _resize(cropped, scale)
    if 2 * np.count_nonzero(shape >= INKED) < scale**2 * np.count_nonzero(cropped >= INKED):
        # Reduction erases hairlines; two pixels wide they survive. They need room to grow: a
        # straight line fills its own crop already.
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
    # Enlarging turns edges into wide ramps; steepen them to one pixel, in the same place.
    return np.asarray(np.clip((gray - 127.5) * max(scale, 1.0) + 127.5, 0, 255), np.uint8)


def width_of(depth: np.ndarray) -> float:
    """The width of the line, in pixels, from the signed distance (H,W).

    Along the middle of a line the depth is half its width. Crossings and filled loops are deeper
    than the line itself, so the 33rd percentile counts, not the median; ragged edges have ridges
    of their own, which are shallower.
    """
    across, along = (ndimage.maximum_filter1d(depth, 3, axis=axis) for axis in (0, 1))
    ridge = (depth >= np.maximum(across, along)) & (depth > max(SPUR * float(depth.max()), 0.0))
    return 2 * float(np.percentile(depth[ridge], 33))


def redraw(depth: np.ndarray, width: float) -> np.ndarray:
    """The drawing as MNIST's pen would have made it: depth (H,W), in pixels -> uint8 (28,28).

    ``width`` is that of the line now. How much must come off each side depends on the final scale,
    and the scale on how much came off; three rounds are enough for both to converge.
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
        share = np.clip(places - low, 0, 1)[:, None]
        field = ((1 - share) * field[low] + share * field[low + 1]).T
    return field


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
    framed = np.pad(shape, 1)
    upright, lying = framed[:, 1:-1], framed[1:-1]
    return np.asarray(upright[:-2] | upright[2:] | lying[:, :-2] | lying[:, 2:])


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


def find_components(ink: np.ndarray) -> list[Fragment]:
    """The connected components of a page, ink (H,W) uint8; ImageError if there are too many."""
    labels, count = ndimage.label(ink >= INKED, CONNECTED)
    refuse_texture(count)
    components = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        pixels = np.where(labels[rows, columns] == number, ink[rows, columns], 0)
        components.append(Fragment(rows.start, columns.start, pixels))
    return components


def refuse_texture(count: int) -> None:
    """Raise ImageError for a page in more fragments than writing has: it would take too long."""
    if count > MOST_FRAGMENTS:
        raise ImageError(
            f"{count:,} separate pieces of ink are more than the {MOST_FRAGMENTS:,} that are read; "
            "cut the digits out of the picture"
        )


def line_width(components: Sequence[Fragment]) -> float:
    """The width of the line on a page, in pixels: the median over its larger components."""
    longest = max((max(z.ink.shape) for z in components), default=0)
    large = [z.ink for z in components if 2 * max(z.ink.shape) >= longest][:SAMPLE]
    depths = [signed_distance(rescale(ink) / np.float64(255)) for ink in large]
    widths = [width_of(z) * max(ink.shape) / SIDE for z, ink in zip(depths, large, strict=True)]
    return float(np.median(widths)) if widths else 0.0
