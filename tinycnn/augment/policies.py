"""Data augmentation: every epoch shows the network a different version of each image.

Slightly rotated, stretched and warped, an image looks like the same digit in another handwriting.
``AUGMENTATIONS`` lists the policies by name. All randomness comes from the generator that is
passed in, so equal generators give equal images.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinycnn.augment.warp import CELL, grid_size, warp
from tinycnn.nn.open_set import NO_CLASS

Augment = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""From images (B,H,W) uint8, labels (B,) and a generator to new images and labels."""

LEFT_ALONE = 0.2  # share of images that stay as they are, because test images are not distorted
NO_DIGITS, NO_DIGITS_IN_ROWS = 0.04, 0.06  # share of ``drawings`` that are something else


@dataclass(frozen=True)
class Augmentation:
    """The largest distortions of an image; each is drawn uniformly up to its limit.

    ``rotation`` and ``slant`` are in degrees, ``scale`` is a share of the size, ``stretch`` the
    same for each axis separately, ``shift`` and ``thickness`` (of a line, on either side) are in
    pixels. ``elastic`` is the standard deviation of the grid's nodes in pixels. ``barrel`` is how
    many pixels the middle moves relative to the ends: loops grow or shrink, stems become curved.
    """

    rotation: float
    scale: float
    stretch: float
    slant: float
    shift: float
    elastic: float
    thickness: float
    barrel: float

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Distorted images with the same labels."""
        return augmented(images[None], self, [rng])[0], labels


LIGHT = Augmentation(
    rotation=10, scale=0.1, stretch=0, slant=6, shift=2, elastic=0, thickness=0, barrel=0
)
MILD = Augmentation(
    rotation=8, scale=0.08, stretch=0.05, slant=6, shift=1, elastic=1.5, thickness=0.3, barrel=0
)
STRONG = replace(MILD, rotation=12, scale=0.12, shift=2)
DRAWN = replace(MILD, barrel=2)
IN_ROWS = replace(DRAWN, scale=0.12, stretch=0.08)


def identity(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The images as they are."""
    return images, labels


def drawings(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Distorted digits in more styles, as people draw them, and some images of other things.

    An image that is not a digit gets the label ``NO_CLASS``, for ``OpenSetCrossEntropy``.
    """
    made, labels = _styled(images, labels, NO_DIGITS, rng)
    return augmented(made[None], DRAWN, [rng])[0], labels


def _styled(
    images: np.ndarray, labels: np.ndarray, none: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Digits in more styles, and a share of images that are ``none``, with the label of that."""
    from tinycnn.augment.negatives import make_non_digits  # imports SciPy
    from tinycnn.augment.styles import stylize

    styled = stylize(images, labels, rng)
    others = np.flatnonzero(rng.random(len(images)) < none)
    styled[others] = make_non_digits(images, labels, len(others), rng)
    labels = labels.astype(np.intp)
    labels[others] = NO_CLASS
    return styled, labels


def rows(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Windows on rows of ``drawings``; without a digit in its middle, one is of class ``NONE``."""
    from tinycnn.augment.rows import windows

    made, labels = _styled(images, labels, NO_DIGITS_IN_ROWS, rng)
    return windows(augmented(made[None], IN_ROWS, [rng])[0], labels, rng)


AUGMENTATIONS: dict[str, Augment] = {
    "none": identity,
    "light": LIGHT,
    "mild": MILD,
    "strong": STRONG,
    "drawings": drawings,
    "rows": rows,
}

OF_DIGITS = "drawings", "rows"
"""Policies for digits only, which differ from test images to the last epoch."""


def augmented(
    batches: np.ndarray,
    limits: Augmentation,
    rngs: Sequence[np.random.Generator],
    wanted: slice = slice(None),
) -> np.ndarray:
    """Distort batches (G,B,H,W) uint8, all images but one in five; return the ``wanted`` of each.

    Each batch has its own generator. Together they take less time: code and numbers
    that are rarely used have left the caches.
    """
    G, B, H, W = batches.shape
    uniform, last = np.empty((7, G, B)), np.empty((2, G, B))
    elastic = np.empty((G, B, grid_size(H), grid_size(W), 2), np.float32)
    for g, rng in enumerate(rngs):
        uniform[:, g] = rng.random((7, B))
        rng.standard_normal(out=elastic[g], dtype=np.float32)
        elastic[g] *= np.float32(limits.elastic)
        if limits.barrel:
            elastic[g] += barrels((B, H, W), limits.barrel, rng)
        last[:, g] = rng.random((2, B))
    affine = affine_maps(uniform.reshape(7, -1), limits).reshape(G, B, 2, 3)
    thickness, moved = (2 * last[0] - 1) * limits.thickness, last[1] >= LEFT_ALONE
    maps = (z[:, wanted].reshape(-1, *z.shape[2:]) for z in (affine, elastic, thickness, moved))
    given = batches[:, wanted]
    return warp(given.reshape(-1, H, W), *maps).reshape(given.shape)


def affine_maps(uniform: np.ndarray, limits: Augmentation) -> np.ndarray:
    """Return maps (N,2,3) from the distorted image back to the original, for ``warp``.

    ``uniform`` (7,N) are numbers from 0 to 1. A slant moves each row sideways in proportion to its
    height; then both axes are scaled, and everything is rotated.
    """
    stretch, shift = [limits.stretch] * 2, [limits.shift] * 2
    most = np.array([[limits.rotation, limits.slant, limits.scale, *stretch, *shift]]).T
    rotation, slant, scale, tall, wide, down, right = 2 * most * uniform - most
    rotation, slant, scale = np.radians(rotation), np.radians(slant), 1 + scale
    tall, wide = scale * (1 + tall), scale * (1 + wide)
    cos, sin = np.cos(rotation), np.sin(rotation)
    maps = np.array([[cos * tall, -sin * wide, down], [sin * tall, cos * wide, right]])
    maps = maps.transpose(2, 0, 1)
    maps[:, :, 0] += np.tan(slant)[:, None] * maps[:, :, 1]
    return maps


def barrels(shape: tuple[int, ...], most: float, rng: np.random.Generator) -> np.ndarray:
    """Draw grids (B,GH,GW,2) for images of ``shape`` (B,H,W) whose middle moves by pixels.

    Rows of nodes move up or down, which makes loops flat or tall, and sideways, which curves
    stems; columns of nodes move sideways, which widens one half.
    """
    B, H, W = shape
    by_row, by_column = _bell(H)[:, None], _bell(W)
    tall, curved, wide = rng.uniform(-most, most, (3, B, 1, 1))
    moves = np.broadcast_arrays(tall * by_row, curved * by_row + wide * by_column)
    return np.stack(moves, axis=-1)


def _bell(length: int) -> np.ndarray:
    """How far each node of a grid moves, from 1 in the middle of an axis to 0 beyond its ends."""
    away = (np.arange(grid_size(length)) - 1) * CELL - (length - 1) / 2
    return np.cos(np.clip(away / length, -0.5, 0.5) * np.pi) ** 2
