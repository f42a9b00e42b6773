"""What every classifier is given, and what it has to give back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from tinycnn.data import Dataset

Digits = tuple[np.ndarray, np.ndarray]
"""Images (N,H,W) uint8 and labels (N,)."""


class Drawings(NamedTuple):
    """Digits that people drew, images (N,28,28) uint8 and labels (N,), and who drew each."""

    images: np.ndarray
    labels: np.ndarray
    writers: np.ndarray


@dataclass(frozen=True, eq=False)
class Task:
    """Digits to learn from, and others to be tested on; all classifiers get the same.

    Only the first ``limit`` training digits count, if there is a limit. Networks whose recipes
    take long stop earlier, after ``networks.QUICK`` epochs, unless they get ``all_epochs``.
    """

    dataset: Dataset
    seed: int = 0
    limit: int | None = None
    all_epochs: bool = False
    drawings: Drawings | None = None

    @property
    def training(self) -> Digits:
        """The digits to learn from."""
        dataset = self.dataset
        return dataset.train_images[: self.limit], dataset.train_labels[: self.limit]

    @property
    def test(self) -> Digits:
        """The digits to be tested on."""
        return self.dataset.test_images, self.dataset.test_labels


@dataclass(frozen=True, eq=False)
class Trained:
    """A classifier that has learned."""

    settings: str
    """What was chosen for it, in a few words."""

    seconds: float
    """What its training took, without what is done only once on a machine."""

    bytes: int
    """What has to be kept for it to answer."""

    predict: Callable[[np.ndarray], np.ndarray]
    """Images (N,H,W) uint8 -> labels (N,)."""

    predict_one: Callable[[np.ndarray], int]
    """An image (H,W) uint8 -> its label, without waking other threads where that can be helped."""


class Baseline(Protocol):
    """A classifier that can be trained; ``title`` is what people call it."""

    @property
    def title(self) -> str: ...

    def train(self, task: Task) -> Trained: ...
