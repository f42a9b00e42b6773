"""Exercises of chapter 10. Check them with: python docs/exercises/check.py 10"""

import numpy as np


def offset_to_center(image: np.ndarray) -> tuple[int, int]:
    """Return by how many rows and columns an image must be moved, down and to the right.

    Afterwards the center of mass rounds to index 14 on both axes: it is at least 13.5 and below
    14.5. The center of mass of the rows is sum(row * ink of the row) / ink of all rows.

    image (28,28) uint8, 255 is ink, never blank  ->  (rows, columns)
    """
    raise NotImplementedError


def fit(lines: list) -> list:
    """Scale and shift lines so that, drawn with a pen of 2.5 pixels, they fill MNIST's box.

    The box is 20 pixels on the longer side, and its upper left corner is at (4, 4). The pen adds
    half its width on every side. The drawing keeps its shape.

    lines: arrays (n,2) of x, y, not all at one place  ->  the same, in pixels
    """
    raise NotImplementedError
