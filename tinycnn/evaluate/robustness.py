"""How accuracy falls as images are corrupted step by step."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.augment.corruptions import CORRUPTIONS, Corruption
from tinycnn.ink import Recognizer
from tinycnn.metrics import Score

MOST_IMAGES = 2000
"""So many give accuracy to within one or two points, as exactly as a curve shows it."""


@dataclass(frozen=True)
class Curve:
    """The score at each level of a corruption."""

    corruption: Corruption
    scores: tuple[Score, ...]

    def as_dict(self) -> dict[str, Any]:
        """The curve, ready for JSON."""
        return {
            "corruption": self.corruption.name,
            "unit": self.corruption.unit,
            "n": self.scores[0].n,
            "levels": self.corruption.levels,
            "errors": [score.errors for score in self.scores],
            "accuracy": [score.accuracy for score in self.scores],
            "interval95": [score.interval for score in self.scores],
        }


def robustness(
    recognizer: Recognizer, images: np.ndarray, labels: np.ndarray, most: int = MOST_IMAGES
) -> tuple[Curve, ...]:
    """A curve for each corruption, on images (N,H,W) uint8 with labels (N,).

    At most ``most`` images are used, spread evenly. They are not centered or scaled first, as
    ``tinycnn.ink`` would do.
    """
    if len(images) > most:
        some = np.linspace(0, len(images) - 1, most).astype(int)
        images, labels = images[some], labels[some]
    curves = []
    for corruption in CORRUPTIONS:
        corrupted = (corruption(images, level) for level in corruption.levels)
        answers = (recognizer.logits(each).argmax(axis=1) for each in corrupted)
        curves.append(Curve(corruption, tuple(Score.of(each, labels) for each in answers)))
    return tuple(curves)
