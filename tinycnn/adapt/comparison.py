"""Before and after: what changed, and whether it is more than chance."""

from dataclasses import dataclass

import numpy as np

from tinycnn.metrics import mcnemar

FEW = 20
"""With fewer answers nothing is claimed."""

CHANCE = 0.05
"""What is likelier than this by chance alone is no change."""


@dataclass(frozen=True)
class Comparison:
    """Two readers of the same ``n`` images."""

    n: int
    right_before: int
    right_after: int
    mended: int
    """Wrong before, right after."""

    spoiled: int
    """Right before, wrong after."""

    @property
    def chance(self) -> float:
        """How often chance would part ``mended`` and ``spoiled`` at least as unevenly."""
        return mcnemar(self.mended, self.spoiled)

    @property
    def verdict(self) -> str:
        """What may be said: "too few to tell", "no clear change", "better" or "worse"."""
        if self.n < FEW:
            return "too few to tell"
        if self.chance > CHANCE:
            return "no clear change"
        return "better" if self.mended > self.spoiled else "worse"

    def __str__(self) -> str:
        return (
            f"{self.right_before:,} -> {self.right_after:,} right of {self.n:,} "
            f"({self.mended} mended, {self.spoiled} spoiled): {self.verdict}"
        )


def compare(before: np.ndarray, after: np.ndarray, labels: np.ndarray) -> Comparison:
    """Compare answers (n,) ``before`` and ``after`` with the true labels (n,)."""
    was, now = before == labels, after == labels
    counts = (was, now, ~was & now, was & ~now)
    return Comparison(len(labels), *(int(np.count_nonzero(z)) for z in counts))
