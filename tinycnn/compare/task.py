"""The task that every classifier gets, and the trained classifier that it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinycnn.data import Dataset
from tinycnn.data.catalogue import DIGITS
from tinycnn.errors import DataError, ImageError
from tinycnn.ink import Drawing, read_drawings, read_file, strokes_to_image

Digits = tuple[np.ndarray, np.ndarray]
"""Images (N,H,W) uint8 and labels (N,)."""


class Drawings(NamedTuple):
    """Digits that people drew: images (N,28,28) uint8, labels (N,) and writers (N,)."""

    images: np.ndarray
    labels: np.ndarray
    writers: np.ndarray


def load_drawings(path: str) -> tuple[Drawings, int]:
    """The digits in a stroke file, prepared like MNIST's, and the number of lines left out.

    Left out are lines that are damaged, empty or not labeled as a digit. A drawing without a
    writer counts as one by a writer of its own. Raises DataError if no drawing remains.
    """
    try:
        payload = read_file(path)
    except ImageError as error:
        raise DataError(f"{path}: {error}") from error
    found: list[tuple[np.ndarray, int, str]] = []
    left_out = 0
    for drawing in read_drawings(payload):
        if isinstance(drawing, Drawing) and drawing.strokes and str(drawing.label) in DIGITS:
            writer = drawing.writer if drawing.writer is not None else f"line {len(found)}"
            found.append((strokes_to_image(drawing.strokes), int(str(drawing.label)), writer))
        else:
            left_out += 1
    if not found:
        raise DataError(f'{path} holds no drawings with a "label" from 0 to 9')
    images, labels, writers = zip(*found, strict=True)
    return Drawings(np.stack(images), np.array(labels, np.uint8), np.array(writers)), left_out


@dataclass(frozen=True, eq=False)
class Task:
    """Digits to train on and digits to test on, the same for all classifiers.

    Only the first ``limit`` training digits are used, if there is a limit. Networks with long
    recipes stop after ``QUICK`` epochs, unless ``all_epochs`` is set.
    """

    dataset: Dataset
    seed: int = 0
    limit: int | None = None
    all_epochs: bool = False
    drawings: Drawings | None = None

    @property
    def training(self) -> Digits:
        """The digits to train on."""
        return self.dataset.train_images[: self.limit], self.dataset.train_labels[: self.limit]

    @property
    def test(self) -> Digits:
        """The digits to test on."""
        return self.dataset.test_images, self.dataset.test_labels


class Trained(NamedTuple):
    """A trained classifier.

    ``seconds`` is the time of its training, without one-time costs such as compiling. ``bytes`` is
    the size of all it needs to answer.
    """

    settings: str
    seconds: float
    bytes: int

    predict: Callable[[np.ndarray], np.ndarray]  # images (N,H,W) uint8 -> labels (N,)
    predict_one: Callable[[np.ndarray], int]
    """An image (H,W) uint8 -> its label, on one thread where possible."""
