"""Styles of handwriting that are rare in MNIST, made from MNIST's own digits.

Half the world crosses its sevens, programmers slash their zeros, and many people write a one with
a flag and a foot. MNIST's writers rarely did, and a network that has never seen a slashed zero
reads it as 8. So strokes are drawn on real digits: zeros get a slash, ones a flag or a foot or
both, sevens a bar or a tail; and fives get a gap, as if the pen was lifted before the top bar.
"""

from collections.abc import Callable

import numpy as np

from tinycnn.augment.refit import center_of_mass, refitted, resized, rows_with_ink
from tinycnn.augment.strokes import add_marks
from tinycnn.data.mnist import BOX, CENTER, PEN, center
from tinycnn.ink.bitmaps import (
    INKED,
    MARGIN,
    SIDE,
    WIDEST,
    redraw,
    rescale,
    signed_distance,
    width_of,
)

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
    half = BOX / 2 * length * size
    middle = CENTER + rng.normal(0, 0.7, (B, 2))
    along = np.stack([-np.cos(lean), np.sin(lean)], axis=1) * half[:, None]
    slash = np.concatenate([middle - along, middle + along], axis=1)
    return add_marks(rings, slash[:, None], pens(B, rng))


def flag_ones(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give ones a flag at the top, a foot at the bottom, or both."""
    B = len(images)
    top, bottom = _ends(images)
    height = bottom[:, :1] - top[:, :1]
    angle = rng.uniform(20, 85, (B, 1))  # from straight down to the left
    length = height * rng.uniform(0.2, 0.7, (B, 1)) * (1 - (angle - 20) / 110)
    down, left = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    flag = np.concatenate([top, top + length * np.concatenate([down, -left], axis=1)], axis=1)
    reach = height * rng.uniform(0.15, 0.45, (B, 1))
    tilt = reach * rng.normal(0, 0.12, (B, 1))
    foot = np.concatenate([bottom + tilt, bottom - tilt], axis=1)
    foot[:, 1:2], foot[:, 3:] = bottom[:, 1:] - reach, bottom[:, 1:] + reach
    kind = rng.choice(3, B, p=(0.6, 0.3, 0.1))  # flag, both, foot
    flag[kind == 2] = np.nan
    foot[kind == 0] = np.nan
    return add_marks(images, np.stack([flag, foot], axis=1), pens(B, rng))


def finish_sevens(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give sevens a short bar across the stem, a tail at the bottom, or both."""
    B = len(images)
    top, bottom = _ends(images)
    height = bottom[:, 0] - top[:, 0]
    row = top[:, 0] + height * rng.uniform(0.4, 0.62, B)
    column = center_of_mass(images[np.arange(B), np.rint(row).astype(int)])
    reach = height * rng.uniform(0.15, 0.32, B)
    tilt = reach * rng.normal(0.1, 0.2, B)
    bar = np.stack([row + tilt, column - reach, row - tilt, column + reach], axis=1)
    rise = np.radians(rng.uniform(-20, 50, B))
    length = height * rng.uniform(0.1, 0.32, B)
    tail = np.stack([-np.sin(rise), np.cos(rise)], axis=1) * length[:, None]
    marks = np.stack([bar, np.concatenate([bottom, bottom + tail], axis=1)], axis=1)
    kind = rng.choice(3, B, p=(0.5, 0.35, 0.15))  # bar, tail, both
    marks[kind == 1, 0] = np.nan
    marks[kind == 0, 1] = np.nan
    return add_marks(images, marks, pens(B, rng))


def lift_fives(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Leave a gap between the top bar of fives and the rest."""
    B, H, _ = images.shape
    top, _ = _ends(images)
    middle = top[:, :1] + rng.uniform(3.5, 6.5, (B, 1))
    gap = rng.uniform(0.8, 1.8, (B, 1))  # pixels, on either side
    kept = np.clip(abs(np.arange(H) - middle) - gap + 0.5, 0, 1)
    return (images * kept[:, :, None]).astype(np.uint8)


THICKEST = 0.27
"""Width of a brush, as a share of the drawing's longer side: 32 pixels of 120."""

STYLES: dict[int, Style] = {0: slash_zeros, 1: flag_ones, 5: lift_fives, 7: finish_sevens}


def stylize(
    images: np.ndarray, labels: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Rewrite a ``share`` of the digits that have a style; images (B,28,28) uint8."""
    styled = images.copy()
    chosen = (rng.random(len(images)) < share) & np.isin(labels, list(STYLES))
    for digit, style in STYLES.items():
        these = np.flatnonzero(chosen & (labels == digit))
        if len(these):
            styled[these] = style(images[these], rng)
    styled[chosen] = refitted(styled[chosen])
    return styled


def brushed(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Images (B,28,28) uint8 as the preparation of drawings makes them, with brushes of any width.

    Their lines are wider and crisper than in any image of MNIST, and small loops and sharp corners
    that a thick brush has filled stay filled.
    """
    widths = rng.uniform(0, THICKEST, len(images))
    return np.stack([_brushed(*pair) for pair in zip(images, widths, strict=True)])


def _brushed(image: np.ndarray, width: float) -> np.ndarray:
    """One image (28,28), drawn with a brush whose ``width`` is a share of the drawing."""
    if not (image >= INKED).any():
        return image
    shape = np.pad(rescale(image), MARGIN // 2)
    depth = signed_distance(shape / np.float64(255))
    grown = max(width * SIDE - width_of(depth), 0) / (1 - width) / 2  # pixels on either side
    thick = signed_distance(np.clip(depth + grown + 0.5, 0, 1))
    return center(redraw(thick, min(width_of(thick), WIDEST + grown / 2)))


def _ends(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column (B,2) of the highest ink, and those of the lowest."""
    top, bottom = rows_with_ink(images)
    every = np.arange(len(images))
    highest, lowest = (
        np.stack([row, center_of_mass(images[every, row])], axis=1) for row in (top, bottom)
    )
    inside = np.array([PEN / 2 - 0.5, 0])  # a line that ends here ends where the ink does
    return highest + inside, lowest - inside


def pens(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw line widths (count,), in pixels, close to MNIST's."""
    return rng.uniform(0.8, 1.2, count) * PEN
