"""Arrays as PNG pictures inside the page, written as data URIs.

Digits are gray levels, which the page inverts in its light scheme. Numbers with a sign are orange
above zero and blue below, and transparent where they are small, which suits a light page as well as
a dark one.
"""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tinycnn.notebook import data_uri

# Orange and blue are distinct with every kind of color vision.
ABOVE, BELOW = (222, 107, 20), (46, 125, 214)
SHADES = 60  # of each: few, so that pictures stay small
BETWEEN = (128, 128, 128, 90)
TILE = 24  # least pixels of the longer side of an enlarged tile


def signed_picture(values: np.ndarray) -> str:
    """A data URI of numbers (H,W); 0 is clear, the largest is full color, NaN is a gray line."""
    known = np.nan_to_num(values)
    largest = max(float(abs(known).max()), 1e-12)
    numbers = np.rint(known / largest * SHADES).astype(int) + SHADES  # into the palette
    numbers[np.isnan(values)] = 2 * SHADES + 1
    picture = Image.fromarray(numbers.astype(np.uint8))
    colors = [BELOW] * SHADES + [ABOVE] * (SHADES + 1) + [BETWEEN[:3]]
    picture.putpalette([level for color in colors for level in color])
    opaque = np.rint(abs(np.linspace(-255, 255, 2 * SHADES + 1))).astype(np.uint8)
    return data_uri(picture, transparency=bytes([*opaque, BETWEEN[3]]))


def sheet(tiles: Sequence[np.ndarray], columns: int, gap: int = 1) -> np.ndarray:
    """Lay tiles out in rows, left to right, with ``gap`` pixels of NaN between them."""
    h, w = (max(tile.shape[axis] for tile in tiles) for axis in (0, 1))
    rows = math.ceil(len(tiles) / columns)
    canvas = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap), np.nan)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        cell = canvas[row * (h + gap) :, column * (w + gap) :]
        cell[: tile.shape[0], : tile.shape[1]] = tile
    return canvas


def enlarged(tile: np.ndarray) -> np.ndarray:
    """A small tile (h,w) with each number repeated, so that lines between tiles look thin."""
    times = math.ceil(TILE / max(tile.shape))
    return tile.repeat(times, axis=0).repeat(times, axis=1)
