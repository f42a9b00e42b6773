"""The example of every operation: few small numbers, and what the operation makes of them."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from tinycnn.explain.catalogue import VERSIONS, Operation
from tinycnn.nn.gradcheck import NUMBERS, RESULTS, call, quantities

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


def small(operation: Operation) -> dict[str, Any]:
    """The small arguments of any operation; a gradient gets a dy of small whole numbers."""
    arrays = {
        name: np.array(value, np.intp if name == "labels" else np.float64)
        for name, value in ARRAYS[operation.forward].items()
    }
    known = NUMBERS | arrays | ({"epsilon": 1e-8} if operation.name == "adam_update" else {})
    if operation.name != operation.forward:
        known = quantities(operation.forward, known, VERSIONS["reference"])
        for name in {"dy", "dp"} & known.keys():
            shape, values = known[name].shape, [-2.0, -1.0, 1.0, 2.0, 3.0]
            known[name] = np.random.default_rng(1).choice(values, shape)
    return operation.select(known)


ROUNDING = 1e-9
"""Largest allowed difference of kernel and reference on these numbers, which are near 1."""

Values = dict[str, Any]
"""Arrays and numbers by their names in ``reference.py``."""


@dataclass(frozen=True, eq=False)
class Example:
    """The arguments of an operation, its intermediate values and its results."""

    given: Values
    between: Values
    results: Values
    apart: float  # the largest difference between these results and those of the kernel

    @property
    def right(self) -> bool:
        """Whether the kernel agrees with the reference."""
        return self.apart <= ROUNDING


def work_out(operation: Operation) -> Example:
    """Run the reference on small numbers, and the kernel on the same."""
    given, changed, changed_too = (small(operation) for _ in range(3))
    returned, variables = _run_watched(operation.version("reference"), changed)
    results = _results(operation, returned, given, changed)
    between = {
        name: value
        for name, value in variables.items()
        if value is not changed.get(name) and name not in results
    }
    returned = call(operation.version("compiled"), changed_too)
    compiled = _results(operation, returned, given, changed_too)
    differences = [np.subtract(z, compiled[name], dtype=float) for name, z in results.items()]
    apart = max(float(np.abs(difference).max()) for difference in differences)
    return Example(given, between, results, apart)


def _run_watched(
    function: Callable[..., Any], given: Mapping[str, Any]
) -> tuple[tuple[Any, ...], Values]:
    """The results of ``function``, and its local variables when it returned."""
    variables: Values = {}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is function.__code__:
            variables.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        returned = call(function, given)
    finally:
        sys.setprofile(before)
    return returned, variables


def _results(
    operation: Operation, returned: tuple[Any, ...], given: Values, changed: Values
) -> Values:
    """The results by name; those of an update are the arguments that it changed."""
    if returned[0] is None:
        return {name: z for name, z in changed.items() if not np.array_equal(z, given[name])}
    if operation.name == operation.forward:
        names = RESULTS.get(operation.name, "y winner").split()
    elif operation.name.endswith("_params"):
        names = ["dw", "db"]
    else:
        names = [f"d{next(iter(ARRAYS[operation.forward]))}", "dw", "db"]
    return dict(zip(names, returned, strict=False))
