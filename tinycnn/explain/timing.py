"""How long an operation takes at the size that it has in ``lenet``: read, and compiled."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from tinycnn import kernels
from tinycnn.explain.catalogue import Operation
from tinycnn.explain.inputs import GIVEN
from tinycnn.nn.gradcheck import quantities
from tinycnn.timing import Version, interleave

IMAGES = {"x": (128, 12, 12, 32), "w": (64, 5, 5, 32), "b": (64,)}
NUMBERS = (1024, 128)

SIZES: dict[str, dict[str, tuple[int, ...]]] = {
    "conv2d": IMAGES,
    "conv2d_relu_maxpool2d": IMAGES,
    "maxpool2d": {"x": (128, 8, 8, 64)},
    "relu": {"x": (128, 8, 8, 64)},
    "dropout": dict.fromkeys(("x", "draw"), (128, 1024)),
    "batchnorm": {"x": (128, 12, 12, 32), "w": (32,), "b": (32,)},
    "dense": {"x": (128, 1024), "w": NUMBERS, "b": (128,)},
    "softmax": {"logits": (128, 10)},
    "softmax_cross_entropy": {"logits": (128, 10), "labels": (128,)},
    "sgd_update": dict.fromkeys(("z", "dz", "velocity"), NUMBERS),
    "adam_update": dict.fromkeys(("z", "dz", "mean", "square"), NUMBERS),
}
"""Shapes of arrays, for a batch of 128 images; all else is as in the worked example."""


@dataclass(frozen=True)
class Timing:
    """Seconds of a call, one value a round, and the arrays that it was called with."""

    sizes: str
    reference: list[float]
    compiled: list[float]

    @property
    def ratio(self) -> float:
        """How many times longer the reference takes: the median over rounds."""
        return median(a / b for a, b in zip(self.reference, self.compiled, strict=True))


def measure(operation: Operation, rounds: int) -> Timing:
    """Let reference and kernel take turns."""
    given = realistic(operation)
    versions = {
        "reference": Version(partial(operation.reference, **given)),
        "compiled": Version(partial(operation.kernel, **given)),
    }
    sizes = ", ".join(
        f"{name} {value.shape}" for name, value in given.items() if isinstance(value, np.ndarray)
    )
    return Timing(sizes, **interleave(versions, rounds))


def realistic(operation: Operation) -> dict[str, Any]:
    """The arguments of an operation at its size in training, float32."""
    rng = np.random.default_rng(0)
    known: Mapping[str, Any] = GIVEN[operation.forward] | {
        name: _draw(name, shape, rng) for name, shape in SIZES[operation.forward].items()
    }
    if operation.name != operation.forward:
        known = quantities(operation.forward, known, kernels)
    return {name: known[name] for name in operation.parameters}


def _draw(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if name == "labels":
        return rng.integers(0, 10, shape)
    if name in ("draw", "square"):
        return rng.random(shape, np.float32)
    return rng.standard_normal(shape, np.float32)
