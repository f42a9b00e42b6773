"""Arrays as PNG pictures that are part of the page: data URIs, nothing to be fetched.

Digits are grey, and the page turns them to ink on paper or light on dark. Numbers with a sign
are orange above zero and blue below, and the less there is of them the more of the page shows
through; so they suit a light page as well as a dark one.
"""

import base64
import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

ABOVE, BELOW = (222, 107, 20), (46, 125, 214)  # orange and blue, apart for every eye


def grey_picture(image: np.ndarray) -> str:
    """A data URI of an image (H,W) uint8."""
    return _uri(Image.fromarray(np.ascontiguousarray(image)))


def signed_picture(values: np.ndarray) -> str:
    """A data URI of numbers (H,W); NaN and 0 are clear, the largest is full colour."""
    known = np.nan_to_num(values)
    share = abs(known) / max(float(abs(known).max()), 1e-12)
    colours = np.where((known > 0)[..., None], np.uint8(ABOVE), np.uint8(BELOW))
    opaque = np.rint(255 * share)[..., None].astype(np.uint8)
    return _uri(Image.fromarray(np.concatenate([colours, opaque], axis=2), "RGBA"))


def sheet(tiles: Sequence[np.ndarray], columns: int | None = None, gap: int = 1) -> np.ndarray:
    """Lay tiles out in rows, ``gap`` pixels apart; between them, and where there is none, NaN.

    All tiles get the size (h,w) of the largest; smaller ones lie in their middle.
    """
    columns = columns or math.ceil(math.sqrt(2 * len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    h, w = (max(tile.shape[axis] for tile in tiles) for axis in (0, 1))
    canvas = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap), np.nan)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        top = row * (h + gap) + (h - tile.shape[0]) // 2
        left = column * (w + gap) + (w - tile.shape[1]) // 2
        canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return canvas


def _uri(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
