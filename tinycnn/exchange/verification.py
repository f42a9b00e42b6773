"""Whether another program computes what a network is: it is shown real digits.

It is held to the network's exact outputs, computed in float64 by the expressions of
``reference.py``: the kernels here round, too, and what two programs round adds up.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinycnn.data import load_dataset
from tinycnn.errors import WeightsError
from tinycnn.nn import Sequential, plain
from tinycnn.nn.classifier import finite, network_input
from tinycnn.nn.model import BATCH

Forward = Callable[[np.ndarray], np.ndarray]
"""From x (N, *input_shape) to what the last layer says, both laid out as here."""

TOLERANCE = 1e-5
"""How far outputs may be from the exact ones, as a share of the largest where that is above 1.

A float32 has seven digits, and a small output may be the difference of large numbers.
"""

SAMPLES = 200
"""How many images of noise are shown to a network that takes no digits."""


@dataclass(frozen=True)
class Verification:
    """What came of it; ``labels_equal`` of ``images`` had the same largest output."""

    by: str
    images: int
    labels_equal: int
    largest_difference: float
    largest_output: float

    @property
    def passed(self) -> bool:
        """False, too, where a difference is no number."""
        return self.largest_difference <= TOLERANCE * max(1.0, self.largest_output)

    def sentence(self) -> str:
        """What a person wants to know."""
        return (
            f"{self.by} on {self.images:,} images: {self.labels_equal:,} labels equal, largest "
            f"difference {self.largest_difference:.1e} of outputs up to {self.largest_output:.1f}"
        )

    def as_dict(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        return asdict(self)


def exact_forward(model: Sequential) -> Forward:
    """Return what computes ``model`` in float64."""
    return lambda x: plain.forward(model, x.astype(np.float64))


def verify(exact: Forward, theirs: Forward, x: np.ndarray, by: str) -> Verification:
    """Hold one program to another on x (N, *input_shape); WeightsError if they do not agree."""
    with np.errstate(all="ignore"):
        y, z = (answers(forward, x) for forward in (exact, theirs))
        finite(y.astype(np.float32))
    labels = (a.reshape(len(a), -1).argmax(axis=1) for a in (y, z))
    outcome = Verification(
        by, len(x), int(np.equal(*labels).sum()), float(abs(y - z).max()), float(abs(y).max())
    )
    if y.shape != z.shape or not outcome.passed:
        raise WeightsError(f"the other program computes something else: {outcome.sentence()}")
    return outcome


def answers(forward: Forward, x: np.ndarray) -> np.ndarray:
    """Return ``forward`` of x, some images at a time."""
    return np.concatenate([forward(x[i : i + BATCH]) for i in range(0, len(x), BATCH)])


def examples(model: Sequential) -> np.ndarray:
    """Return what to show: the bundled test digits, or noise if ``model`` takes no digits."""
    try:
        return network_input(model, load_dataset().test_images)
    except WeightsError:
        rng = np.random.default_rng(0)
        return rng.random((SAMPLES, *model.input_shape), dtype=np.float32)
