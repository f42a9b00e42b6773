"""How accuracy falls when images are spoiled step by step."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.augment.corruptions import CORRUPTIONS, Corruption
from tinycnn.ink import Recognizer
from tinycnn.metrics import wilson_interval

MOST_IMAGES = 2000
"""As many tell accuracy to a per cent or two, which is all that a curve shows."""


@dataclass(frozen=True)
class Curve:
    """The errors on ``n`` images at each level of a corruption."""

    corruption: Corruption
    n: int
    errors: tuple[int, ...]

    @property
    def accuracies(self) -> list[float]:
        """The share of right answers at each level."""
        return [1 - errors / self.n for errors in self.errors]

    @property
    def intervals(self) -> list[tuple[float, float]]:
        """The 95 % intervals of the accuracies."""
        return [wilson_interval(self.n - errors, self.n) for errors in self.errors]

    def as_dict(self) -> dict[str, Any]:
        """The curve, ready for JSON."""
        return {
            "corruption": self.corruption.name,
            "unit": self.corruption.unit,
            "n": self.n,
            "levels": self.corruption.levels,
            "errors": self.errors,
            "accuracy": self.accuracies,
            "interval95": self.intervals,
        }


def robustness(
    recognizer: Recognizer, images: np.ndarray, labels: np.ndarray, most: int = MOST_IMAGES
) -> tuple[Curve, ...]:
    """A curve for each corruption, on images (N,H,W) uint8 with labels (N,).

    Of more than ``most`` images, that many are taken, evenly spread. They go to the network as
    they are: nothing centers or scales them first, as ``tinycnn.ink`` would.
    """
    if len(images) > most:
        some = np.linspace(0, len(images) - 1, most).astype(int)
        images, labels = images[some], labels[some]
    return tuple(
        Curve(
            corruption,
            len(labels),
            tuple(
                _errors(recognizer, corruption(images, level), labels)
                for level in corruption.levels
            ),
        )
        for corruption in CORRUPTIONS
    )


def _errors(recognizer: Recognizer, images: np.ndarray, labels: np.ndarray) -> int:
    return int(np.count_nonzero(recognizer.logits(images).argmax(axis=1) != labels))
