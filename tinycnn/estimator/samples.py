"""What comes in: samples as rows or images, how often each counts, and in which order."""

from typing import Any

import numpy as np

MOST_COPIES = 10  # times as many weighted samples as there were


def as_rows(X: Any) -> tuple[Any, tuple[int, int] | None]:
    """Return X as rows (n, features), and (H, W) if it holds images.

    It may be rows, an array of images, or a column of a DataFrame whose cells are images.
    """
    cells = np.asarray(X) if hasattr(X, "iloc") or isinstance(X, np.ndarray) else np.empty(0)
    one_a_row = cells.dtype == object and 0 < cells.size == len(cells)
    if one_a_row and all(isinstance(cell, np.ndarray) for cell in cells.flat):
        X = np.stack([*cells.flat])
    _, *shape = getattr(X, "shape", None) or (0,)
    if len(shape) == 3:
        if 1 not in (shape[0], shape[2]):
            forms = "(n, H, W), (n, H, W, 1) or (n, 1, H, W)"
            raise ValueError(f"images have {min(shape[0], shape[2])} channels; X is {forms}")
        shape = shape[:2] if shape[2] == 1 else shape[1:]
    return (X.reshape(len(X), -1), (shape[0], shape[1])) if len(shape) == 2 else (X, None)


def by_content(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return an order that depends on the samples and not on the order they come in."""
    rows = np.column_stack([images.reshape(len(images), -1), labels.astype(images.dtype)])
    kind = np.dtype((np.void, rows.itemsize * rows.shape[1]))
    return np.argsort(np.ascontiguousarray(rows).view(kind).ravel(), kind="stable")


def copies(weights: np.ndarray, seed: int) -> np.ndarray:
    """Return how often each sample counts, (n,): its weight, if that is a whole number.

    Others are divided by the smallest, and rounded up or down at random.
    """
    if (weights < 0).any() or not weights.any():
        raise ValueError("sample_weight must not be negative, nor all zero")
    if (weights % 1).any():
        weights = weights / weights[weights > 0].min()
    weights = weights * min(1, MOST_COPIES * len(weights) / weights.sum())
    return np.floor(weights + np.random.default_rng(seed).random(len(weights))).astype(int)


def stratified(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random order in which any block has about the same classes as the whole.

    The r-th of the N samples of a class, counted from 0, is placed at r / N of the way.
    """
    order = rng.permutation(len(labels))
    place = np.empty(len(labels))
    for k in range(labels.max() + 1):
        of_class = labels[order] == k
        place[of_class] = np.arange(of_class.sum()) / of_class.sum()
    return order[np.argsort(place, kind="stable")]
