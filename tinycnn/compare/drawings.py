"""Drawings of digits as images: the strokes of a file, prepared as MNIST prepared its digits."""

import numpy as np

from tinycnn.compare.task import Drawings
from tinycnn.data.catalogue import DIGITS
from tinycnn.errors import DataError, ImageError
from tinycnn.ink import Drawing, read_drawings, read_file, strokes_to_image


def load_drawings(path: str) -> tuple[Drawings, int]:
    """The digits of a stroke file, and how many of its lines are left out.

    Left out is what is damaged, empty, or not labeled as a digit. Whose writer is not known is
    by one of its own. DataError if nothing remains.
    """
    found: list[tuple[np.ndarray, int, str]] = []
    left_out = 0
    for drawing in read_drawings(_payload(path)):
        if isinstance(drawing, Drawing) and drawing.strokes and str(drawing.label) in DIGITS:
            writer = drawing.writer if drawing.writer is not None else f"line {len(found)}"
            found.append((strokes_to_image(drawing.strokes), int(str(drawing.label)), writer))
        else:
            left_out += 1
    if not found:
        raise DataError(f'{path} holds no drawings with a "label" from 0 to 9')
    images, labels, writers = zip(*found, strict=True)
    return Drawings(np.stack(images), np.array(labels, np.uint8), np.array(writers)), left_out


def _payload(path: str) -> bytes:
    try:
        return read_file(path)
    except ImageError as error:
        raise DataError(f"{path}: {error}") from error
