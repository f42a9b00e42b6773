"""Checks that four arrays make up a data set, in the catalogue's order.

Each raises DataError with a sentence that names the array: by its file, if it has one.
"""

from collections.abc import Sequence

import numpy as np

from tinycnn.errors import DataError

FEW = 10  # up to this many classes, the largest label is trusted
SAMPLE = 1000  # images examined for oddities
DIM = 32  # of 255: images without a brighter pixel are not scaled
INK = 100  # of 255: brighter pixels are ink
LIGHT = 192  # of 255: paper as light as that is inverted
FLAT = 0.6  # height over width of the usual 1: MNIST's is 3, and a third if it is transposed


def check_arrays(arrays: Sequence[np.ndarray], names: Sequence[str], n_classes: int) -> None:
    """Types, ranks, counts and labels, and that both parts hold images of one size."""
    for i in (0, 2):
        check_part(arrays[i], arrays[i + 1], names[i], names[i + 1])
        for wrong in np.flatnonzero(arrays[i + 1] >= n_classes):
            where = f"{names[i + 1]}: label {arrays[i + 1][wrong]} at index {wrong}"
            raise DataError(f"{where} is out of range, the classes are 0 to {n_classes - 1}")
    if not arrays[0].size:
        raise DataError(f"{names[0]} is empty: it holds {_kind(arrays[0])}")
    sizes = [f"{images.shape[1]} x {images.shape[2]}" for images in (arrays[0], arrays[2])]
    if sizes[0] != sizes[1]:
        text = f"the images in {names[0]} are {sizes[0]} pixels"
        raise DataError(f"{text}, those in {names[2]} {sizes[1]}")


def check_part(images: np.ndarray, labels: np.ndarray, images_name: str, labels_name: str) -> None:
    """Types, ranks and counts of images (N,H,W) and labels (N,)."""
    if images.dtype not in (np.uint8, np.float32) or images.ndim != 3:
        raise DataError(f"{images_name} holds {_kind(images)}; images are uint8, N x H x W")
    if labels.dtype not in (np.uint8, np.uint16) or labels.ndim != 1:
        raise DataError(f"{labels_name} holds {_kind(labels)}; labels are uint8, one per image")
    if len(images) != len(labels):
        counts = f"{len(images):,} images and {labels_name} {len(labels):,} labels"
        raise DataError(f"{images_name} holds {counts}: they do not belong together")


def count_classes(train_labels: np.ndarray, test_labels: np.ndarray, name: str) -> int:
    """How many classes a data set has: the largest label decides, as not all need be there.

    Above ten, the training part must have each class at least twice, lest a damaged byte found one.
    """
    highest = int(max(train_labels.max(initial=0), test_labels.max()))
    rare = np.flatnonzero(np.bincount(train_labels, minlength=highest + 1) < 2)
    if highest >= FEW and len(rare):
        few = f"{name} holds fewer than two examples of class {rare[0]}"
        raise DataError(f"label {highest} is out of range, as {few}; labels count from 0")
    return highest + 1


def oddity(images: np.ndarray, labels: np.ndarray | None, name: str) -> str | None:
    """What looks wrong with images (N,H,W) uint8 that can be read all the same, and its cure.

    A network learns such images as well as any, and then fails on real drawings. Transposed digits
    are wider than high, and their 1 is a flat bar; without labels, EMNIST in the name is the sign.
    """
    sample = images[:: max(len(images) // SAMPLE, 1)]
    brightest = sample.max(initial=0)
    if not brightest:  # blank images say nothing
        return None
    if brightest < DIM:
        return f"are not scaled: no pixel is above {brightest}; multiply them so that ink is 255"
    border = np.concatenate([sample[:, [0, -1]].ravel(), sample[:, :, [0, -1]].ravel()])
    if np.median(border) >= LIGHT and sample.mean() >= LIGHT / 2:
        return "are inverted: their paper is light; take 255 - images, so that paper is 0"
    ones = images[labels == 1][:SAMPLE] if labels is not None else images[:0]
    flat = len(ones) >= FEW and np.median(_height_over_width(ones)) <= FLAT
    if (flat or "emnist" in name.lower()) and np.median(_height_over_width(sample)) < 1:
        return "are transposed, as EMNIST's are; swap their rows and columns"
    return None


def _height_over_width(images: np.ndarray) -> np.ndarray:
    """(N,): how many rows of images (N,H,W) have ink over how many columns have."""
    inked = images > INK
    heights, widths = (inked.any(axis=axis).sum(axis=1) for axis in (2, 1))
    return np.asarray(heights / np.maximum(widths, 1))


def _kind(array: np.ndarray) -> str:
    return f"{' x '.join(map(str, array.shape))} {array.dtype.name}"
