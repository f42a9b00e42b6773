"""Styles of handwriting that are rare in MNIST, made from MNIST's own digits.

Half the world crosses its sevens, programmers slash their zeros, and many people write a one with
a flag and a foot. MNIST's writers rarely did, and a network that has never seen a slashed zero
reads it as 8. So strokes are drawn on real digits, parts of them are moved, or a gap is left as if
the pen was lifted; and any digit may be stretched toward a square, as where it fills the box of a
form, or have its small loops filled, as by a thick brush.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import ndimage

from tinycnn.augment.refit import (
    center_of_mass,
    columns_with_ink,
    refitted,
    resized,
    rows_with_ink,
)
from tinycnn.augment.strokes import add_marks, pens
from tinycnn.augment.warp import grid_size, warp
from tinycnn.data.mnist import BOX, CENTER, PEN, SIZE

Style = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Images (B,28,28) uint8 of one digit to the same digits in another style, not yet refitted."""


def slash_zeros(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a slash through zeros, upright or leaning right, inside the ring or longer than it.

    Where the slash is longer than the ring, the ring is made smaller.
    """
    B = len(images)
    lean = np.radians(rng.uniform(-15, 75, B))
    length = rng.uniform(0.8, 1.7, B)  # of the ring's
    size = 1 / np.maximum(1, length)
    rings = resized(images, np.stack([size, size], axis=1))
    middle = CENTER + rng.normal(0, 0.7, (B, 2))
    along = np.stack([-np.cos(lean), np.sin(lean)], axis=1) * (BOX / 2 * length * size)[:, None]
    slash = np.stack([middle - along, middle + along], axis=1)
    return add_marks(rings, slash[:, None], pens(B, rng))


def flag_ones(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give ones a flag at the top or below it, a foot at the bottom, or both."""
    B = len(images)
    top, bottom = _ends(images)
    height = (bottom - top)[:, :1]
    angle = rng.uniform(20, 85, (B, 1))  # from straight down to the left
    length = height * rng.uniform(0.2, 0.8, (B, 1)) * (1 - (angle - 20) / 130)
    along = np.concatenate([np.cos(np.radians(angle)), -np.sin(np.radians(angle))], axis=1)
    lower = rng.uniform(0, 0.35, (B, 1)) * (rng.random((B, 1)) < 0.35)
    start = top + lower * (bottom - top)
    flag = np.stack([start, start + length * along], axis=1)
    tilt = rng.normal(0, 0.04, B)
    reach = rng.uniform(0.05, 0.55, (2, B))  # to the left and to the right
    ends = np.array([[tilt, -reach[0]], [-tilt, reach[1]]]).transpose(2, 0, 1)
    foot = bottom[:, None] + height[:, None] * ends
    marks = np.stack([flag, foot], axis=1)
    kind = rng.choice(3, B, p=(0.45, 0.45, 0.1))  # flag, both, foot
    marks[kind == 2, 0] = np.nan
    marks[kind == 0, 1] = np.nan
    return add_marks(images, marks, pens(B, rng))


def finish_sevens(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give sevens a short bar across the stem, a tail at the bottom, a serif, or several."""
    B = len(images)
    top, bottom = _ends(images)
    height = bottom[:, 0] - top[:, 0]
    row = top[:, 0] + height * rng.uniform(0.4, 0.62, B)
    column = center_of_mass(images[np.arange(B), np.rint(row).astype(int)])
    reach = height * rng.uniform(0.15, 0.32, B)
    tilt = reach * rng.normal(0.1, 0.2, B)
    bar = [[row + tilt, column - reach], [row - tilt, column + reach]]
    rise = np.radians(rng.uniform(-20, 50, B))
    length = height * rng.uniform(0.1, 0.42, B)
    tail = [bottom.T, bottom.T + [-np.sin(rise) * length, np.cos(rise) * length]]
    left = columns_with_ink(images)[0]
    start = np.array([center_of_mass(images[np.arange(B), :, left]), left + PEN / 2 - 0.5])
    fall = height * [rng.uniform(0.08, 0.25, B), rng.normal(0, 0.04, B)]
    marks = np.array([bar, tail, [start, start + fall]]).transpose(3, 0, 1, 2)
    marks[rng.random((B, 3)) > (0.5, 0.4, 0.3)] = np.nan
    return add_marks(images, marks, pens(B, rng))


def hook_nines(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Curve the stem of nines, left below the loop and then right, and end it in a hook."""
    B, H, W = images.shape
    elastic = np.zeros((B, grid_size(H), grid_size(W), 2))
    # Columns that rows 14, 21 and 28 of the new image are taken from, beside their own.
    elastic[:, 3:6, :, 1] = rng.uniform([0, -5, -2], [4, 0, 3], (B, 3))[:, :, None]
    curved = warp(images, np.tile(np.eye(2, 3), (B, 1, 1)), elastic, np.zeros(B))
    _, bottom = _ends(curved)
    turn = bottom + rng.uniform([-1, -5], [2, -2], (B, 2))
    hook = np.stack([bottom, turn, turn + rng.uniform([-4, -5], [0.5, -1], (B, 2))], axis=1)
    hook[rng.random(B) < 0.25] = np.nan
    return add_marks(curved, hook[:, None], pens(B, rng))


def close_threes(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make nines of threes, by a line on the left that closes the upper loop."""
    every, upper = np.arange(len(images)), images * (np.arange(SIZE) < 11)[:, None]
    left = columns_with_ink(upper)[0]
    start = np.stack([center_of_mass(upper[every, :, left]), left], axis=1)
    middle = 11 + images[:, 11:17].sum(axis=2, dtype=np.int64).argmax(axis=1)
    end = np.stack([middle, columns_with_ink(images[every, middle][:, None])[0]], axis=1)
    between = (start + end) / 2 - rng.uniform([-1, 0], [1, 3], (len(images), 2))
    line = np.stack([start, between, end], axis=1) + [0, 0.5]
    return add_marks(images, line[:, None], pens(len(images), rng))


def lift(low: float, high: float, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Leave a gap ``low`` to ``high`` pixels below the top, as if the pen was lifted there."""
    middle = _ends(images)[0][:, :1] + rng.uniform(low, high, (len(images), 1))
    half = rng.uniform(0.8, 1.8, (len(images), 1))
    kept = np.clip(abs(np.arange(SIZE) - middle) - half + 0.5, 0, 1)
    lifted: np.ndarray = images * kept[:, :, None]
    return lifted.astype(np.uint8)


STYLES: tuple[tuple[int, Style, int, float], ...] = (
    (0, slash_zeros, 0, 0.3),
    (1, flag_ones, 1, 0.5),
    (5, partial(lift, 3.5, 6.5), 5, 0.3),
    (6, partial(lift, 5, 10), 6, 0.1),
    (7, finish_sevens, 7, 0.3),
    (9, hook_nines, 9, 0.15),
    (3, close_threes, 9, 0.1),
)
"""Digits that are rewritten, how, what they are then, and the share of those that is made so."""

STRETCHED, HEAVY, BRUSHED = 0.1, 0.05, 0.1  # shares of all digits


def stylize(images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rewrite a share of the digits, images (B,28,28) uint8 with labels (B,), in other styles."""
    styled, changed = images.copy(), np.zeros(len(images), bool)
    for source, style, digit, share in STYLES:
        these = np.flatnonzero((labels == digit) & ~changed & (rng.random(len(images)) < share))
        sources = np.flatnonzero(labels == source)
        if len(these) and len(sources):
            chosen = these if source == digit else rng.choice(sources, len(these))
            styled[these] = style(images[chosen], rng)
            changed[these] = True
    wide, heavy, thick = rng.random((3, len(images))) < [[STRETCHED], [HEAVY], [BRUSHED]]
    styled[wide] = stretched(styled[wide], rng)
    styled[heavy] = ndimage.maximum_filter(styled[heavy], footprint=_disk(int(rng.choice([3, 5]))))
    changed |= wide | heavy
    styled[changed] = refitted(styled[changed])
    styled[thick] = brushed(styled[thick], rng)
    return styled


def stretched(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make images (B,28,28) wider, up to a square, but at most four times as wide."""
    (top, bottom), (left, right) = rows_with_ink(images), columns_with_ink(images)
    room = np.clip((bottom - top + 1) / (right - left + 1), 1, 4)
    wide = room ** rng.uniform(0, 0.9, len(images))
    return resized(images, np.stack([np.ones_like(wide), wide], axis=1))


def brushed(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fill loops and corners of images (B,28,28) that a thick brush closes; make edges crisp."""
    across = 1 + 2 * rng.integers(3, size=len(images))  # pixels
    made = images.copy()
    for width in (3, 5):
        these = across == width
        made[these] = ndimage.grey_closing(made[these], footprint=_disk(width))
    contrast = rng.uniform(1, 3, (len(images), 1, 1))
    return np.asarray(np.clip((made - 127.5) * contrast + 127.5, 0, 255), np.uint8)


def _disk(width: int) -> np.ndarray:
    """The pixels (1,width,width) of a round brush."""
    rows, columns = np.indices((width, width)) - width // 2
    return (np.hypot(rows, columns) < width / 2)[None]


def _ends(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column (B,2) of the highest ink, and those of the lowest."""
    every, inside = np.arange(len(images)), np.array([PEN / 2 - 0.5, 0])
    top, bottom = (
        np.stack([row, center_of_mass(images[every, row])], axis=1) for row in rows_with_ink(images)
    )
    return top + inside, bottom - inside  # a line that ends here ends where the ink does
