"""The task that every classifier gets, and the trained classifier that it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinycnn.data import Dataset

Digits = tuple[np.ndarray, np.ndarray]
"""Images (N,H,W) uint8 and labels (N,)."""


@dataclass(frozen=True, eq=False)
class Task:
    """Digits to train on and digits to test on, the same for all classifiers.

    Only the first ``limit`` training digits are used, if there is a limit.
    """

    dataset: Dataset
    seed: int = 0
    limit: int | None = None

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
