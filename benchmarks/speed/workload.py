"""The same work for every contender: networks, digits, first weights and learning rate.

This module needs NumPy alone, so that a contender's process holds nothing of the others. A network
is a list of tuples, and layer i keeps its parameters under "i.w" and "i.b", in tinycnn's layout:
convolutions (F,KH,KW,C), dense layers (D,K), rows flattened from (H,W,C).
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Network = list[tuple[Any, ...]]
Weights = dict[str, np.ndarray]
Digits = tuple[np.ndarray, np.ndarray]
"""Images (N,28,28) uint8 and labels (N,) int64."""

INPUT_SHAPE = (28, 28, 1)
MOMENTUM = 0.9


@dataclass
class Workload:
    """What every contender is given when it starts: digits, and networks with first weights.

    ``limits`` are those of the augmentation, as in ``tinycnn.augment.policies.Augmentation``.
    """

    train: Digits
    test: Digits
    networks: dict[str, Network] = field(default_factory=dict)
    weights: dict[str, Weights] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """How to train: on images as they are or, within ``limits``, distorted; weight decay, seed."""

    limits: dict[str, float] | None = None
    decay: float = 0.0
    seed: int = 0


PLAIN = Training()


def learning_rate(batch: int) -> float:
    """0.02 from batch 128 on, and in proportion below.

    Much faster, and a network that starts without a slow phase dies: no ReLU is active any more,
    and a program that skips zeros has nothing left to do.
    """
    return 0.02 * min(1.0, batch / 128)


def shapes(network: Network) -> list[tuple[int, ...]]:
    """Return the shape before each layer and, last, after all of them; without N."""
    rows: list[tuple[int, ...]] = [INPUT_SHAPE]
    for kind, *sizes in network:
        rows.append(_output_shape(kind, sizes, rows[-1]))
    return rows


def _output_shape(kind: str, sizes: list[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    match kind:
        case "conv":
            filters, kernel = sizes
            return shape[0] - kernel + 1, shape[1] - kernel + 1, filters
        case "pool":
            return shape[0] // sizes[0], shape[1] // sizes[0], shape[2]
        case "flatten":
            return (int(np.prod(shape)),)
        case "dense":
            return (sizes[0],)
        case _:
            return shape


def onnx_path(folder: Path, network: Network) -> Path:
    """Return the file that holds ``network`` for onnxruntime."""
    return folder / ("-".join("_".join(map(str, layer)) for layer in network) + ".onnx")


def batches(images: np.ndarray, labels: np.ndarray, size: int) -> list[Digits]:
    """Return the digits in full batches; the rest is left out."""
    starts = range(0, len(images) - size + 1, size)
    return [(images[start : start + size], labels[start : start + size]) for start in starts]
