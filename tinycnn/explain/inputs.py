"""Small numbers for every operation: few enough to be followed with a pencil."""

from typing import Any

import numpy as np

from tinycnn.explain.catalogue import Operation, reference
from tinycnn.nn.gradcheck import quantities

IMAGE = [[1, 2, 0, 1], [0, 1, 3, 2], [2, 0, 1, 1], [1, 2, 1, 0]]
LARGER = [[3, 2, 3, 2, 0], [2, 0, 0, 0, 1], [2, 0, 1, 0, 0], [2, 2, 1, 2, 3], [0, 0, 1, 3, 0]]
FILTERS = [[[1, 2], [0, -1]], [[-1, 0], [1, 1]]]

GIVEN: dict[str, dict[str, Any]] = {
    "conv2d": {
        "x": np.reshape(IMAGE, (1, 4, 4, 1)),
        "w": np.reshape(FILTERS, (2, 2, 2, 1)),
        "b": [1, 0],
    },
    "maxpool2d": {
        "x": np.reshape([1, 3, 2, 0, 4, 2, 1, 5, 0, 1, 7, 3, 6, 2, 4, 1], (1, 4, 4, 1)),
        "size": 2,
    },
    "relu": {"x": [[2, -1, 3], [-4, 1, -2]]},
    "dropout": {
        "x": [[2, 4, 6], [1, 3, 5]],
        "draw": [[0.9, 0.2, 0.5], [0.4, 0.7, 0.1]],
        "rate": 0.5,
    },
    "conv2d_relu_maxpool2d": {
        "x": np.reshape(LARGER, (1, 5, 5, 1)),
        "w": np.reshape(FILTERS, (2, 2, 2, 1)),
        "b": [1, -2],
        "size": 2,
    },
    "batchnorm": {
        "x": [[7, 6], [3, -2], [3, 2], [3, 2]],
        "w": [2, 3],
        "b": [1, 0],
        "epsilon": 1.0,
    },
    "dense": {"x": [[1, 2, 0], [3, -1, 2]], "w": [[1, 0], [2, -1], [-3, 1]], "b": [1, 2]},
    "softmax": {"logits": [[1, 2, 3], [0, 0, 2]]},
    "softmax_cross_entropy": {"logits": [[1, 2, 3], [0, 0, 2]], "labels": np.array([2, 0])},
    "sgd_update": {
        "z": [1, -2, 3],
        "dz": [2, 0, -4],
        "velocity": [1, 1, 0],
        "learning_rate": 0.1,
        "momentum": 0.5,
        "weight_decay": 0.0,
    },
    "adam_update": {
        "z": [1, -2, 3],
        "dz": [4, -2, 0.5],
        "mean": [0, 0, 0],
        "square": [0, 0, 0],
        "step": 1,
        "learning_rate": 0.1,
        "beta1": 0.9,
        "beta2": 0.99,
        "epsilon": 1e-8,
        "weight_decay": 0.0,
    },
}
"""Arguments of the forward pass, chosen so that no maximum is a tie and no ReLU is at its kink."""


def given(forward: str) -> dict[str, Any]:
    """The arguments of a forward pass or an update; new arrays, float64."""
    return {
        name: np.array(value, np.float64) if name in _ARRAYS else value
        for name, value in GIVEN[forward].items()
    }


def arguments(operation: Operation) -> dict[str, Any]:
    """The arguments of any operation; a gradient gets a dy of small whole numbers."""
    known = given(operation.forward)
    if operation.name != operation.forward:
        known = quantities(operation.forward, known, reference)
        for name in ("dy", "dp"):
            if name in known:
                known[name] = small_numbers(known[name].shape)
    return {name: known[name] for name in operation.parameters}


def small_numbers(shape: tuple[int, ...]) -> np.ndarray:
    """Whole numbers from -2 to 3 without 0, mixed: rows, columns and filters all differ."""
    return np.random.default_rng(1).choice([-2.0, -1.0, 1.0, 2.0, 3.0], shape)


_ARRAYS = {"x", "w", "b", "draw", "logits", "z", "dz", "velocity", "mean", "square"}
