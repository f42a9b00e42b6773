"""What must hold before four arrays count as a data set.

Each check raises DataError, and its sentence calls an array by the name it is given: the file it
came from, where there is one. The order of arrays and names is that of the catalogue: training
images, training labels, test images, test labels.
"""

from collections.abc import Sequence

import numpy as np

from tinycnn.errors import DataError

FEW = 10  # up to so many classes, the largest label is believed


def check_arrays(
    arrays: Sequence[np.ndarray], names: Sequence[str], from_files: bool = True
) -> None:
    """Types, ranks and counts, and that both parts hold images of one size.

    Arrays that are not ``from_files`` may also hold float32 images, labels of more than a byte,
    and nothing to test on.
    """
    for i in (0, 2):
        _check_part(arrays[i], arrays[i + 1], names[i], names[i + 1], from_files)
        if arrays[i].size == 0 and (from_files or i == 0):
            raise DataError(f"{names[i]} is empty: it holds {_kind(arrays[i])}")
    sizes = [f"{images.shape[1]} x {images.shape[2]}" for images in (arrays[0], arrays[2])]
    if sizes[0] != sizes[1]:
        raise DataError(
            f"the images in {names[0]} are {sizes[0]} pixels, those in {names[2]} {sizes[1]}"
        )


def check_labels(labels: np.ndarray, n_classes: int, name: str) -> None:
    """Every label is an index into ``n_classes`` classes."""
    wrong = np.flatnonzero(labels >= n_classes)
    if len(wrong):
        raise DataError(
            f"{name}: label {labels[wrong[0]]} at index {wrong[0]} is out of range, "
            f"the {n_classes} classes are 0 to {n_classes - 1}"
        )


def count_classes(train_labels: np.ndarray, test_labels: np.ndarray, train_name: str) -> int:
    """How many classes a set has that does not say so itself.

    Up to ten, the largest label decides: a handful of digits need not show them all. A larger
    label counts only if the training part has each class up to it at least twice, so that a
    damaged byte founds no new class.
    """
    highest = int(train_labels.max())
    if highest < FEW:
        return max(highest, min(int(test_labels.max()), FEW - 1)) + 1
    rare = np.flatnonzero(np.bincount(train_labels) < 2)
    if len(rare):
        raise DataError(
            f"{train_name}: label {highest} at index {train_labels.argmax()} is out of range, "
            f"for there are fewer than two examples of class {rare[0]}; labels count from 0"
        )
    return highest + 1


def _check_part(
    images: np.ndarray, labels: np.ndarray, images_name: str, labels_name: str, from_files: bool
) -> None:
    numbers = (np.uint8,) if from_files else (np.uint8, np.float32)
    indices = (np.uint8,) if from_files else (np.uint8, np.uint16)
    if images.ndim == 1 and labels.ndim == 3:
        raise DataError(f"{images_name} holds labels and {labels_name} images: they are swapped")
    if images.dtype not in numbers or images.ndim != 3:
        raise DataError(f"{images_name} holds {_kind(images)}; images are uint8, N x H x W")
    if labels.dtype not in indices or labels.ndim != 1:
        raise DataError(f"{labels_name} holds {_kind(labels)}; labels are uint8, one an image")
    if len(images) != len(labels):
        raise DataError(
            f"{images_name} holds {len(images):,} images and {labels_name} {len(labels):,} labels: "
            "they do not belong together"
        )


def _kind(array: np.ndarray) -> str:
    return f"{' x '.join(map(str, array.shape))} {array.dtype.name}"
