"""Corrupts images step by step, to see how robust a network is that was trained on clean ones.

Each of ``CORRUPTIONS`` has levels from harmless to severe. Every level uses a generator of the same
seed: the same digit is shifted in the same direction, only further, so that a curve shows the
effect of the level and not chance.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tinycnn.augment.warp import grid_size, warp
from tinycnn.data.mnist import BOX, SIZE

Corrupt = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
"""From images (B,H,W) uint8, a level and a generator to new images."""


@dataclass(frozen=True)
class Corruption:
    """One kind of corruption; at level ``harmless`` images stay as they are."""

    name: str
    unit: str
    levels: tuple[float, ...]
    harmless: float
    corrupt: Corrupt

    def __call__(self, images: np.ndarray, level: float, seed: int = 0) -> np.ndarray:
        """Corrupt images (B,H,W) uint8 to one of the ``levels``."""
        if level == self.harmless:
            return images
        return self.corrupt(images, level, np.random.default_rng(seed))


def shift(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Shift by ``level`` pixels, each image in its own direction."""
    maps = _at_rest(images)
    angle = rng.uniform(0, 2 * np.pi, len(images))
    maps[:, :, 2] = -level * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return _moved(images, maps)


def rotate(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Rotate by ``level`` degrees, counterclockwise."""
    maps = _at_rest(images)
    cos, sin = np.cos(np.radians(level)), np.sin(np.radians(level))
    maps[:, :, :2] = [[cos, sin], [-sin, cos]]
    return _moved(images, maps)


def scale(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Make everything ``level`` times as large, the line too."""
    return _moved(images, _at_rest(images) / level)


def thicken(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Make lines wider by ``level`` pixels, or thinner if it is negative."""
    sides = level / 2
    while sides:  # ``warp`` can do at most one pixel on either side
        step = float(np.clip(sides, -1, 1))
        images = _moved(images, _at_rest(images), step)
        sides -= step
    return images


def add_noise(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise, with standard deviation ``level`` percent of full ink."""
    noise = rng.standard_normal(images.shape, np.float32) * np.float32(2.55 * level)
    noisy: np.ndarray = np.clip(np.rint(images + noise), 0, 255)
    return noisy.astype(np.uint8)


def blur(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Blur by a Gaussian with standard deviation ``level`` pixels."""
    blurred = ndimage.gaussian_filter(images.astype(np.float32), (0, level, level))
    rounded: np.ndarray = np.rint(blurred)
    return rounded.astype(np.uint8)


def occlude(images: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """Cover a square, ``level`` pixels wide, somewhere in the digit's box with blank paper."""
    covered = np.ones(images.shape, bool)
    for axis, size in ((1, images.shape[1]), (2, images.shape[2])):
        middle = size / 2 + rng.uniform(-0.5, 0.5, len(images)) * size * BOX / SIZE
        away = abs(np.arange(size) + 0.5 - middle[:, None])  # of a pixel's center
        covered &= np.expand_dims(away < level / 2, 3 - axis)
    return np.where(covered, np.uint8(0), images)


CORRUPTIONS = (
    Corruption("shift", "pixels", (0, 1, 2, 3, 4, 5, 6), 0, shift),
    Corruption("rotation", "degrees", (-60, -45, -30, -15, 0, 15, 30, 45, 60), 0, rotate),
    Corruption("scale", "times", (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.4), 1, scale),
    Corruption("stroke width", "pixels more", (-2, -1.5, -1, -0.5, 0, 1, 2, 3, 4), 0, thicken),
    Corruption("noise", "% of full ink", (0, 10, 20, 30, 40, 50, 60), 0, add_noise),
    Corruption("blur", "pixels", (0, 0.5, 1, 1.5, 2, 2.5, 3), 0, blur),
    Corruption("occlusion", "pixels", (0, 4, 6, 8, 10, 12, 14), 0, occlude),
)


def _at_rest(images: np.ndarray) -> np.ndarray:
    """Maps (B,2,3) for ``warp`` that move nothing."""
    return np.tile(np.eye(2, 3), (len(images), 1, 1))


def _moved(images: np.ndarray, maps: np.ndarray, thickness: float = 0.0) -> np.ndarray:
    B, H, W = images.shape
    elastic = np.zeros((B, grid_size(H), grid_size(W), 2))
    return warp(images, maps, elastic, np.full(B, thickness))
