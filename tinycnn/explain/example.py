"""A worked example: small numbers go in, and every number on the way can be checked by hand.

What is between input and output is not computed a second time: these are the variables of the
reference itself, caught in the moment when it returns.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from tinycnn.explain import worked
from tinycnn.explain.catalogue import Operation
from tinycnn.explain.inputs import arguments
from tinycnn.nn.gradcheck import RESULTS, call

Values = dict[str, Any]
"""Arrays and numbers by the names that they have in ``reference.py``."""


@dataclass(frozen=True, eq=False)
class Example:
    """What an operation is given, what it computes on the way, and what comes out."""

    given: Values
    between: Values
    results: Values
    by_hand: tuple[worked.Line, ...]
    """Some of the results, number by number."""

    apart: float
    """The largest difference between the results of the kernel and these."""


def work_out(operation: Operation) -> Example:
    """Run the reference on small numbers, and the kernel on the same."""
    given, changed = arguments(operation), arguments(operation)
    returned, seen = _watched(operation.reference, changed)
    results = _results(operation, returned, given, changed)
    between = {
        name: value
        for name, value in seen.items()
        if value is not changed.get(name) and name not in results
    }
    lines = worked.LINES[operation.name](given | between, results)
    apart = _apart(results, _kernel_results(operation))
    return Example(given, between, results, tuple(lines), apart)


def _watched(function: Callable, given: Mapping[str, Any]) -> tuple[tuple, Values]:
    """The results of ``function``, and its variables at the end."""
    seen: Values = {}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is function.__code__:
            seen.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        returned = call(function, given)
    finally:
        sys.setprofile(before)
    return returned, seen


def _results(
    operation: Operation, returned: tuple, given: Mapping[str, Any], changed: Mapping[str, Any]
) -> Values:
    """What came out, by name; of an update, what it changed."""
    if returned[0] is None:
        return {
            name: value for name, value in changed.items() if not np.array_equal(value, given[name])
        }
    return dict(zip(_result_names(operation), returned, strict=False))


def _result_names(operation: Operation) -> list[str]:
    """Gradients are named after what they are gradients of; see also ``gradcheck.RESULTS``."""
    if operation.name == operation.forward:
        return RESULTS.get(operation.name, "y winner").split()
    if operation.name.endswith("_params"):
        return ["dw", "db"]
    first, *_ = Operation(operation.forward).parameters
    return ["d" + first, "dw", "db"]


def _kernel_results(operation: Operation) -> Values:
    given, changed = arguments(operation), arguments(operation)
    return _results(operation, call(operation.kernel, changed), given, changed)


def _apart(some: Values, others: Values) -> float:
    """The largest difference between results of the same names."""
    pairs = [(np.asarray(z, float), np.asarray(others[name], float)) for name, z in some.items()]
    return max(float(np.abs(z - other).max()) for z, other in pairs)
