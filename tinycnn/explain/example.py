"""A worked example: small numbers go in, and every number on the way out can be checked by hand.

The intermediate values are not computed a second time: they are the local variables of the
reference itself, read at the moment it returns.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from tinycnn.explain import worked
from tinycnn.explain.catalogue import Operation
from tinycnn.explain.inputs import ARRAYS, small
from tinycnn.nn.gradcheck import RESULTS, call

Values = dict[str, Any]
"""Arrays and numbers by their names in ``reference.py``."""


@dataclass(frozen=True, eq=False)
class Example:
    """The arguments of an operation, its intermediate values and its results."""

    given: Values
    between: Values
    results: Values
    worked: tuple[worked.Calculation, ...]
    """Some of the results, number by number."""

    apart: float
    """The largest difference between these results and those of the kernel."""


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
    lines = getattr(worked, operation.name)(given | between, results)
    return Example(given, between, results, tuple(lines), apart)


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
