"""An operation explained: codes, example, gradient check and timing, gathered in one object."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinycnn.explain.catalogue import VERSIONS, FunctionSource, Operation, sources
from tinycnn.explain.example import Example, realistic, small_forward, work_out
from tinycnn.nn.differences import Comparison, GradientError
from tinycnn.nn.gradcheck import check_operation
from tinycnn.timing import Version, interleave

ROUNDING = 1e-9
"""Largest allowed difference of kernel and reference on the example, whose numbers are near 1."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """An operation: both codes, an example, the check of its gradients, both times."""

    operation: Operation
    reference: list[FunctionSource]
    compiled: list[FunctionSource]
    example: Example
    checks: list[tuple[str, Comparison]]
    """A gradient of the reference or of the kernel, compared with finite differences."""

    seconds: dict[str, list[float]]
    """Of one call of each version, one value per round; empty if nothing was timed."""

    sizes: str  # the arrays of the timed calls

    @property
    def right(self) -> bool:
        """Whether all gradients are right and the kernel agrees with the reference."""
        return self.example.apart <= ROUNDING and all(c.ok for _, c in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """The content of the JSON object."""
        example = self.example
        return {
            "operation": self.operation.name,
            **vars(self.operation.docstring),
            "reference": [vars(source) for source in self.reference],
            "compiled": [vars(source) for source in self.compiled],
            "example": {
                "given": example.given,
                "between": example.between,
                "results": example.results,
                "by_hand": [str(line) for line in example.worked],
                "largest_difference": example.apart,
            },
            "gradients": [
                {
                    "version": version,
                    "argument": c.argument,
                    "index": c.index,
                    "by_hand": c.analytic,
                    "by_difference": c.numerical,
                    "relative_error": c.error,
                    "ok": c.ok,
                }
                for version, c in self.checks
            ],
            "seconds": self.seconds or None,
            "sizes": self.sizes or None,
        }


def explain(operation: Operation, rounds: int = 7) -> Explanation:
    """Gather everything; ``rounds`` of timing, or none."""
    seconds, sizes = measure(operation, rounds) if rounds else ({}, "")
    return Explanation(
        operation,
        sources(operation.version("reference")),
        sources(operation.version("compiled")),
        work_out(operation),
        check_gradients(operation),
        seconds,
        sizes,
    )


def check_gradients(operation: Operation) -> list[tuple[str, Comparison]]:
    """Compare gradients with finite differences at the numbers of the example.

    A forward pass is checked with all of its gradients, a backward operation with its own; an
    update has none.
    """
    if operation.name.endswith("_update"):
        return []
    found = []
    for version, ops in VERSIONS.items():
        try:
            comparisons = check_operation(operation.forward, small_forward(operation.forward), ops)
        except GradientError as error:
            comparisons = error.comparisons
        found += [(version, c) for c in comparisons if _belongs(operation, c.argument)]
    return found


def _belongs(operation: Operation, argument: str) -> bool:
    if operation.name.endswith("_params"):
        return argument in "wb"
    return argument not in "wb" or not operation.name.endswith("_input")


def measure(operation: Operation, rounds: int) -> tuple[dict[str, list[float]], str]:
    """Time both versions alternately; return the seconds per call, and the sizes of the arrays."""
    arguments = realistic(operation)
    versions = {z: Version(partial(operation.version(z), **arguments)) for z in VERSIONS}
    arrays = {name: z for name, z in arguments.items() if isinstance(z, np.ndarray)}
    sizes = ", ".join(f"{name} {z.shape}" for name, z in arrays.items())
    return interleave(versions, rounds), sizes
