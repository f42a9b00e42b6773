"""Fits changed digits into MNIST's frame again: longer side 20 pixels, center of mass at 14."""

import numpy as np

from tinycnn.augment.warp import grid_size, warp
from tinycnn.data.mnist import BOX, CENTER, PEN, SIZE

MIDDLE = (SIZE - 1) / 2
"""Pixel index of the middle of an image, between its two middle pixels."""

FAINT = 31
"""Ink up to this level is the blur of an edge and does not count for a digit's size."""


def refitted(images: np.ndarray) -> np.ndarray:
    """Fit images (B,28,28) uint8 into MNIST's frame: longer side 20, center of mass at 14."""
    top, bottom = rows_with_ink(images, FAINT)
    left, right = columns_with_ink(images, FAINT)
    size = BOX / np.maximum(bottom - top + 1, right - left + 1)
    masses = [center_of_mass(images.sum(axis=axis, dtype=np.int64)) for axis in (2, 1)]
    move = CENTER - MIDDLE - size * (np.stack(masses) - MIDDLE)
    return resized(images, np.stack([size, size], axis=1), move.T)


def resized(images: np.ndarray, size: np.ndarray, move: np.ndarray | float = 0.0) -> np.ndarray:
    """Make the content of images (B,H,W) taller and wider by ``size`` (B,2), then move it.

    ``move`` (B,2) is in pixels, down and to the right. Lines stay about as wide as they were.
    """
    B, H, W = images.shape
    affine = np.zeros((B, 2, 3))
    affine[:, [0, 1], [0, 1]] = 1 / size
    affine[:, :, 2] = -move / size
    lost = (1 - size.mean(axis=1)) * PEN / 2  # of a line, on either side
    at_rest = np.zeros((B, grid_size(H), grid_size(W), 2))
    return warp(images, affine, at_rest, np.clip(lost, -1, 1))


def rows_with_ink(images: np.ndarray, above: int = 127) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last row (B,) of images (B,H,W) with a pixel ``above`` a gray level.

    Where there is none, the first and the last of all.
    """
    return _first_and_last(images.max(axis=2) > above)


def columns_with_ink(images: np.ndarray, above: int = 127) -> tuple[np.ndarray, np.ndarray]:
    """The same for columns."""
    return _first_and_last(images.max(axis=1) > above)


def center_of_mass(profiles: np.ndarray) -> np.ndarray:
    """The pixel index (B,) at which profiles (B,28) of ink balance; the middle without ink."""
    mass = profiles.sum(axis=1, dtype=np.int64)
    moment = profiles.astype(np.int64) @ np.arange(SIZE)
    return np.where(mass > 0, moment / np.maximum(mass, 1), MIDDLE)


def _first_and_last(inked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return inked.argmax(axis=1), inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1)
