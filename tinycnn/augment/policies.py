"""Other handwriting from the same digits: every epoch shows the network each image anew.

An image is drawn from the training set once and seen in every epoch; bent a little differently
each time, it stands for the same digit by other hands. ``AUGMENTATIONS`` has the ways by name.
Randomness comes from the generator that is handed in, so equal generators give equal images.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tinycnn.augment.warp import CELL, net_size, warp
from tinycnn.nn.losses import NO_CLASS

WHOLE = slice(None)

Augment = Callable[..., tuple[np.ndarray, np.ndarray]]
"""From images (B,H,W) uint8, labels (B,) and a generator to images and labels in their place.

A fourth argument, a slice, says which of them are wanted: these are the same as among all of them.
"""

LEFT_ALONE = 0.2
"""The share of images that stay as they are: what is tested was not bent either."""

STYLED = 0.3
"""The share of digits that are written in another style, if they have one; for drawings."""

BRUSHED = 0.1
"""The share of images that come from a drawing by a brush of any width; for drawings."""

NO_DIGITS = 0.03
"""The share of images that give way to one that is no digit; for drawings."""


@dataclass(frozen=True)
class Augmentation:
    """How far images are bent, at most (and evenly spread up to there).

    ``turn`` and ``slant`` in degrees, ``scale`` as a share of the size, ``stretch`` the same for
    each axis on its own, ``shift`` and ``thickness`` (of a line, on either side) in pixels.
    ``wave`` is the standard deviation of the net's nodes in pixels, ``bow`` how many pixels the
    middle moves against the ends: upper parts grow and lower ones shrink, stems bend.
    """

    turn: float
    scale: float
    stretch: float
    slant: float
    shift: float
    wave: float
    thickness: float
    bow: float


LIGHT = Augmentation(turn=10, scale=0.1, stretch=0, slant=6, shift=2, wave=0, thickness=0, bow=0)
MILD = Augmentation(
    turn=8, scale=0.08, stretch=0.05, slant=6, shift=1, wave=1.5, thickness=0.3, bow=0
)
STRONG = replace(MILD, turn=12, scale=0.12, shift=2)
DRAWN = replace(MILD, bow=2)


def untouched(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator, wanted: slice = WHOLE
) -> tuple[np.ndarray, np.ndarray]:
    """The images as they are."""
    return images[wanted], labels[wanted]


def bent(
    bending: Augmentation,
    images: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    wanted: slice = WHOLE,
) -> tuple[np.ndarray, np.ndarray]:
    """Bent images with the same labels."""
    return bend(images, bending, rng, wanted), labels[wanted]


def drawings(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator, wanted: slice = WHOLE
) -> tuple[np.ndarray, np.ndarray]:
    """Bent digits in more styles, for what people draw, and among them some that are none.

    What is no digit gets the label ``NO_CLASS``, for ``OpenSetCrossEntropy``.
    """
    from tinycnn.augment.negatives import make_non_digits  # scipy, for those who need it
    from tinycnn.augment.styles import brushed, stylize

    styled = stylize(images, labels, STYLED, rng)
    drawn = np.flatnonzero(rng.random(len(images)) < BRUSHED)
    if len(drawn):
        styled[drawn] = brushed(styled[drawn], rng)
    none = np.flatnonzero(rng.random(len(images)) < NO_DIGITS)
    styled[none] = make_non_digits(images, labels, len(none), rng)
    labels = labels.astype(np.intp)
    labels[none] = NO_CLASS
    return bend(styled, DRAWN, rng, wanted), labels[wanted]


AUGMENTATIONS: dict[str, Augment] = {
    "none": untouched,
    "light": partial(bent, LIGHT),
    "mild": partial(bent, MILD),
    "strong": partial(bent, STRONG),
    "drawings": drawings,
}

FINAL_AUGMENTATIONS: dict[str, Augment] = {
    **dict.fromkeys(AUGMENTATIONS, untouched),
    "drawings": drawings,
}
"""What comes in their place at the end of a training.

Images as they are, for what is tested was not bent either; drawings, of whatever hand, stay.
"""


def bend(
    images: np.ndarray, bending: Augmentation, rng: np.random.Generator, wanted: slice = WHOLE
) -> np.ndarray:
    """Bend the wanted images of (B,H,W) uint8, each its own way; one in five stays as it is."""
    B, H, W = images.shape
    affine = affine_maps(B, bending, rng)
    nodes = (B, net_size(H), net_size(W), 2)
    elastic = rng.standard_normal(nodes, np.float32) * np.float32(bending.wave)
    if bending.bow:
        elastic += bows(images.shape, bending.bow, rng)
    thickness = _within(bending.thickness, B, rng)
    alone = rng.random(B) < LEFT_ALONE
    affine[alone] = np.eye(2, 3)
    elastic[alone] = thickness[alone] = 0
    return warp(images[wanted], affine[wanted], elastic[wanted], thickness[wanted])


def affine_maps(count: int, bending: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Draw maps (count,2,3) from the bent image back to the old one, for ``warp``.

    A slant moves each row sideways in proportion to its height; then both axes are scaled, and
    all is turned.
    """
    turn, slant = (
        np.radians(_within(angle, count, rng)) for angle in (bending.turn, bending.slant)
    )
    scale = 1 + _within(bending.scale, count, rng)
    tall, wide = (scale * (1 + _within(bending.stretch, count, rng)) for _ in range(2))
    cos, sin = np.cos(turn), np.sin(turn)
    rows = np.stack([cos * tall, -sin * wide, _within(bending.shift, count, rng)], axis=1)
    columns = np.stack([sin * tall, cos * wide, _within(bending.shift, count, rng)], axis=1)
    maps = np.stack([rows, columns], axis=1)
    maps[:, :, 0] += np.tan(slant)[:, None] * maps[:, :, 1]
    return maps


def bows(shape: tuple[int, ...], most: float, rng: np.random.Generator) -> np.ndarray:
    """Draw nets (B,GH,GW,2) for images of ``shape`` (B,H,W) whose middle moves, by pixels.

    Rows of nodes move up or down, which makes loops flat or tall, and to a side, which bends
    stems; columns of nodes move to a side, which makes one half wide.
    """
    B, H, W = shape
    by_row, by_column = _bell(H)[:, None], _bell(W)
    high, bent, wide = _within(most, (3, B, 1, 1), rng)
    moves = np.broadcast_arrays(high * by_row, bent * by_row + wide * by_column)
    return np.stack(moves, axis=-1)


def _bell(length: int) -> np.ndarray:
    """How far each node of a net moves, from 1 in the middle of an axis to 0 beyond its ends."""
    away = (np.arange(net_size(length)) - 1) * CELL - (length - 1) / 2
    return np.cos(np.clip(away / length, -0.5, 0.5) * np.pi) ** 2


def _within(most: float, count: int | tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(-most, most, count)
