"""What MNIST did to every digit: fit it into 20 x 20, then put its center of mass in the middle.

The numbers were measured on the official files: the longer side of the ink is 20 pixels in 9,997
of the 10,000 test images, and the center of mass lies in [13.5, 14.5) on both axes in all of
them. So the center is pixel index 14, and ``center`` leaves every MNIST image as it is.
"""

import numpy as np

SIZE = 28  # pixels, side of the image
BOX = 20  # pixels, longer side of the ink
CENTER = 14  # pixel index of the center of mass
PEN = 2.5  # pixels, width of the line that gives MNIST's mean ink, 0.13


def center(image: np.ndarray) -> np.ndarray:
    """Shift by whole pixels until the center of mass rounds to index 14 on both axes.

    image (H,W) uint8 -> a new array of the same shape. Ink is never pushed over the edge.
    """
    return shift(image, *offset_to_center(image))


def is_prepared(image: np.ndarray) -> bool:
    """Whether an image (H,W) uint8 has MNIST's size, box and center already."""
    if image.shape != (SIZE, SIZE) or not image.any():
        return False
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    longer = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    return longer == BOX and offset_to_center(image) == (0, 0)


def offset_to_center(image: np.ndarray) -> tuple[int, int]:
    """The shift (rows, columns), in whole pixels, that ``center`` applies."""
    ink = image.astype(np.int64)
    return _offset(ink.sum(axis=1)), _offset(ink.sum(axis=0))


def shift(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Move the content down and right; what enters is blank. image (H,W) -> (H,W)."""
    H, W = image.shape
    above, left, below, right = (max(z, 0) for z in (rows, columns, -rows, -columns))
    return np.pad(image, ((above, below), (left, right)))[below:, right:][:H, :W]


def _offset(profile: np.ndarray) -> int:
    """How far to shift, given the ink in each row or column, profile (L,).

    The middle of L pixels is index L / 2, 14 for MNIST. The wanted shift is the whole number d
    with L/2 - 1/2 <= mass + d < L/2 + 1/2, found in integers, because a border case must not
    depend on how a float was rounded.
    """
    L, total = len(profile), int(profile.sum())
    if total == 0:
        return 0
    moment = int(profile @ np.arange(L))
    wanted = -((2 * moment - (L - 1) * total) // (2 * total))
    inked = np.flatnonzero(profile)
    return int(np.clip(wanted, -inked[0], L - 1 - inked[-1]))
