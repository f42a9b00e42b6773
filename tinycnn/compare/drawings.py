"""Drawings of digits as images: strokes from a file, prepared like MNIST's digits."""

from typing import NamedTuple

import numpy as np

from tinycnn.data.catalogue import DIGITS
from tinycnn.errors import DataError, ImageError
from tinycnn.ink import Drawing, read_drawings, read_file, strokes_to_image


class Drawings(NamedTuple):
    """Digits that people drew: images (N,28,28) uint8, labels (N,) and writers (N,)."""

    images: np.ndarray
    labels: np.ndarray
    writers: np.ndarray


def load_drawings(path: str) -> tuple[Drawings, int]:
    """The digits in a stroke file, and the number of lines that are left out.

    Left out are lines that are damaged, empty or not labeled as a digit. A drawing without a
    writer counts as one by a writer of its own. Raises DataError if no drawing remains.
    """
    try:
        payload = read_file(path)
    except ImageError as error:
        raise DataError(f"{path}: {error}") from error
    found: list[tuple[np.ndarray, int, str]] = []
    left_out = 0
    for drawing in read_drawings(payload):
        if isinstance(drawing, Drawing) and drawing.strokes and str(drawing.label) in DIGITS:
            writer = drawing.writer if drawing.writer is not None else f"line {len(found)}"
            found.append((strokes_to_image(drawing.strokes), int(str(drawing.label)), writer))
        else:
            left_out += 1
    if not found:
        raise DataError(f'{path} holds no drawings with a "label" from 0 to 9')
    images, labels, writers = zip(*found, strict=True)
    return Drawings(np.stack(images), np.array(labels, np.uint8), np.array(writers)), left_out
