"""Exercises of chapter 1. Check them with: python docs/exercises/check.py 1"""

import numpy as np


def shape_of(header: bytes) -> tuple[int, ...]:
    r"""Read the sizes in the header of an IDX file.

    Byte 3 says how many sizes there are. They begin at byte 4, four bytes each, the most
    significant byte first. ``header`` holds at least so many bytes, perhaps more.

    b"\0\0\x08\x02" + bytes([0, 0, 0, 3, 0, 0, 1, 4])  ->  (3, 260)
    """
    raise NotImplementedError


def mean_image(images: np.ndarray) -> np.ndarray:
    """Return the mean of all images, pixel by pixel, from 0 to 255.

    images (N,H,W) uint8  ->  (H,W) float64
    """
    raise NotImplementedError
