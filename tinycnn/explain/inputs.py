"""Arguments for every operation: few small numbers to follow, or arrays of realistic size."""

from typing import Any

import numpy as np

from tinycnn.explain.catalogue import VERSIONS, Operation
from tinycnn.nn.gradcheck import NUMBERS, example, quantities

IMAGE = [[1, 2, 0, 1], [0, 1, 3, 2], [2, 0, 1, 1], [1, 2, 1, 0]]
LARGER = [[3, 2, 3, 2, 0], [2, 0, 0, 0, 1], [2, 0, 1, 0, 0], [2, 2, 1, 2, 3], [0, 0, 1, 3, 0]]
FOR_POOLING = [[1, 3, 2, 0], [4, 2, 1, 5], [0, 1, 7, 3], [6, 2, 4, 1]]
FILTERS = np.reshape([[[1, 2], [0, -1]], [[-1, 0], [1, 1]]], (2, 2, 2, 1))

ARRAYS: dict[str, dict[str, Any]] = {
    "conv2d": {"x": np.reshape(IMAGE, (1, 4, 4, 1)), "w": FILTERS, "b": [1, 0]},
    "maxpool2d": {"x": np.reshape(FOR_POOLING, (1, 4, 4, 1))},
    "relu": {"x": [[2, -1, 3], [-4, 1, -2]]},
    "dropout": {"x": [[2, 4, 6], [1, 3, 5]], "draw": [[0.9, 0.2, 0.5], [0.4, 0.7, 0.1]]},
    "conv2d_relu_maxpool2d": {"x": np.reshape(LARGER, (1, 5, 5, 1)), "w": FILTERS, "b": [1, -2]},
    "batchnorm": {"x": [[7, 6], [3, -2], [3, 2], [3, 2]], "w": [2, 3], "b": [1, 0]},
    "dense": {"x": [[1, 2, 0], [3, -1, 2]], "w": [[1, 0], [2, -1], [-3, 1]], "b": [1, 2]},
    "softmax": {"logits": [[1, 2, 3], [0, 0, 2]]},
    "softmax_cross_entropy": {"logits": [[1, 2, 3], [0, 0, 2]], "labels": [2, 0]},
    "sgd_update": {"z": [1, -2, 3], "dz": [2, 0, -4], "velocity": [1, 1, 0]},
    "adam_update": {"z": [1, -2, 3], "dz": [4, -2, 0.5], "mean": [0] * 3, "square": [0] * 3},
}
"""Small arrays for forward passes: no maximum is a tie, and no ReLU is at its kink."""

SIZES = {"N": 128, "H": 12, "W": 12, "C": 32, "F": 64, "KH": 5, "KW": 5, "D": 1024, "K": 128}
"""A batch of 128 images at the second convolution and the first dense layer of ``lenet``.

Operations on any shape get maps as large as the input of that convolution.
"""


def small_forward(forward: str) -> dict[str, Any]:
    """The small arguments of a forward pass or an update: new arrays, float64."""
    arrays = {
        name: np.array(value, np.intp if name == "labels" else np.float64)
        for name, value in ARRAYS[forward].items()
    }
    return NUMBERS | arrays | ({"epsilon": 1e-8} if forward == "adam_update" else {})


def small(operation: Operation) -> dict[str, Any]:
    """The small arguments of any operation; a gradient gets a dy of small whole numbers."""
    known = small_forward(operation.forward)
    if operation.name != operation.forward:
        known = quantities(operation.forward, known, VERSIONS["reference"])
        for name in {"dy", "dp"} & known.keys():
            shape, values = known[name].shape, [-2.0, -1.0, 1.0, 2.0, 3.0]
            known[name] = np.random.default_rng(1).choice(values, shape)
    return operation.select(known)


def realistic(operation: Operation) -> dict[str, Any]:
    """The arguments of any operation at the size of a training batch, float32."""
    rng = np.random.default_rng(0)
    sizes = SIZES | {"K": 10} if operation.forward.startswith("softmax") else SIZES
    known = example(operation.forward, sizes, lambda *shape: rng.standard_normal(shape, np.float32))
    if operation.name != operation.forward:
        known = quantities(operation.forward, known, VERSIONS["compiled"])
    return operation.select(known)
