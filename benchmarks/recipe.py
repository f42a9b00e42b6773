"""The same work for every contender: networks, digits, first weights and learning rate.

This module needs NumPy alone, so that a peer's process holds that peer and nothing of tinycnn.
A network is a list of tuples, and layer i keeps its parameters under "i.w" and "i.b", in
tinycnn's layout: convolutions (F,KH,KW,C), dense layers (D,K), rows flattened from (H,W,C).
"""

from pathlib import Path
from typing import Any

import numpy as np

Network = list[tuple[Any, ...]]
Weights = dict[str, np.ndarray]

INPUT_SHAPE = (28, 28, 1)
MOMENTUM = 0.9

NETWORKS: dict[str, Network] = {
    "lenet": [
        ("conv", 32, 5),
        ("relu",),
        ("pool", 2),
        ("conv", 64, 5),
        ("relu",),
        ("pool", 2),
        ("flatten",),
        ("dense", 128),
        ("relu",),
        ("dense", 10),
    ],
    "small3x3": [
        ("conv", 32, 3),
        ("relu",),
        ("conv", 32, 3),
        ("relu",),
        ("pool", 2),
        ("conv", 64, 3),
        ("relu",),
        ("pool", 2),
        ("flatten",),
        ("dense", 128),
        ("relu",),
        ("dense", 10),
    ],
}


def learning_rate(batch: int) -> float:
    """0.02 from batch 128 on, and in proportion below.

    Much faster, and a network that starts without a slow phase dies: no ReLU is active any more,
    and whoever skips zeros has nothing left to do.
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


def dense_flops(network: Network) -> tuple[int, int]:
    """Operations for one image when every sum is computed: (prediction, training step).

    A multiplication and an addition count as two. Going back costs as much again for the
    gradient of the weights, and once more for that of the input, which the first layer is spared.
    """
    rows = shapes(network)
    forward = [
        2 * int(np.prod(after)) * (sizes[1] ** 2 * before[2] if kind == "conv" else before[0])
        for (kind, *sizes), before, after in zip(network, rows, rows[1:], strict=False)
        if kind in ("conv", "dense")
    ]
    return sum(forward), 3 * sum(forward) - forward[0]


def rows_from_chw(w: np.ndarray, image: tuple[int, int, int]) -> np.ndarray:
    """Reorder the rows of a dense layer for a peer that flattens (C,H,W) instead of (H,W,C)."""
    return w.reshape(*image, -1).transpose(2, 0, 1, 3).reshape(w.shape)


def save_digits(folder: Path, **arrays: np.ndarray) -> None:
    """Put the digits where the contenders find them, as one .npy file an array."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def load_digits(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N,28,28) uint8 and labels (N,) int64 of the part "train" or "test"."""
    return np.load(folder / f"{part}_images.npy"), np.load(folder / f"{part}_labels.npy")


def save_weights(path: Path, weights: Weights) -> None:
    np.savez(path, **weights)  # type: ignore[arg-type]


def load_weights(path: Path) -> Weights:
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def batches(images: np.ndarray, labels: np.ndarray, size: int) -> list[tuple]:
    """Return the digits in full batches; what is left over is left out."""
    starts = range(0, len(images) - size + 1, size)
    return [(images[start : start + size], labels[start : start + size]) for start in starts]
