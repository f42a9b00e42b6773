"""Ways of writing digits that MNIST hardly knows, made from MNIST's own.

Half the world crosses its sevens, programmers slash their zeros, and many a one has a flag and a
foot. MNIST's writers did so rarely, and a network that never saw it reads a slashed zero as 8. So
marks are drawn on real digits: zeros get a slash, ones a flag or a foot or both, sevens a bar;
and fives are written with the pen lifted before the roof.
"""

from collections.abc import Callable

import numpy as np

from tinycnn.data.frame import centre_of_mass, refitted, resized, rows_with_ink
from tinycnn.data.marks import add_marks
from tinycnn.ink.normalise import BOX, CENTRE, PEN

Style = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Images (B,28,28) uint8 of one digit to the same digits in another style, not yet refitted."""


def slash_zeros(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a slash through zeros, upright or leaning to the right, within the ring or beyond.

    Where the slash is longer than the ring, the ring is made smaller.
    """
    B = len(images)
    lean = np.radians(rng.uniform(-15, 75, B))
    length = rng.uniform(0.8, 1.7, B)  # of the ring's
    size = 1 / np.maximum(1, length)
    rings = resized(images, np.stack([size, size], axis=1))
    half = BOX / 2 * length * size
    middle = CENTRE + rng.normal(0, 0.7, (B, 2))
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


def cross_sevens(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a short bar across the stem of sevens, at about half its height."""
    B = len(images)
    top, bottom = _ends(images)
    height = bottom[:, 0] - top[:, 0]
    row = top[:, 0] + height * rng.uniform(0.4, 0.62, B)
    column = centre_of_mass(images[np.arange(B), np.rint(row).astype(int)])
    reach = height * rng.uniform(0.15, 0.32, B)
    tilt = reach * rng.normal(0.1, 0.2, B)
    bar = np.stack([row + tilt, column - reach, row - tilt, column + reach], axis=1)
    return add_marks(images, bar[:, None], pens(B, rng))


def lift_fives(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Leave a gap between the roof of fives and the rest."""
    B, H, _ = images.shape
    top, _ = _ends(images)
    middle = top[:, :1] + rng.uniform(3.5, 6.5, (B, 1))
    gap = rng.uniform(0.8, 1.8, (B, 1))  # pixels, on either side
    kept = np.clip(abs(np.arange(H) - middle) - gap + 0.5, 0, 1)
    return (images * kept[:, :, None]).astype(np.uint8)


STYLES: dict[int, Style] = {0: slash_zeros, 1: flag_ones, 5: lift_fives, 7: cross_sevens}


def stylise(
    images: np.ndarray, labels: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Write a ``share`` of the digits that have a style in it; images (B,28,28) uint8."""
    styled = images.copy()
    chosen = (rng.random(len(images)) < share) & np.isin(labels, list(STYLES))
    for digit, style in STYLES.items():
        these = np.flatnonzero(chosen & (labels == digit))
        if len(these):
            styled[these] = style(images[these], rng)
    styled[chosen] = refitted(styled[chosen])
    return styled


def _ends(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column (B,2) of the highest ink, and those of the lowest."""
    top, bottom = rows_with_ink(images)
    every = np.arange(len(images))
    highest, lowest = (
        np.stack([row, centre_of_mass(images[every, row])], axis=1) for row in (top, bottom)
    )
    inside = np.array([PEN / 2 - 0.5, 0])  # a line that ends here ends where the ink does
    return highest + inside, lowest - inside


def pens(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw widths (count,) of lines, in pixels, about as MNIST's."""
    return rng.uniform(0.8, 1.2, count) * PEN
