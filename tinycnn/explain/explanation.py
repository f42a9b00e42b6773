"""All that there is to say about one operation, gathered."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.explain.catalogue import Operation, kernels, reference
from tinycnn.explain.example import Example, Values, work_out
from tinycnn.explain.inputs import given
from tinycnn.explain.source import Listing, listings
from tinycnn.explain.timing import Timing, measure
from tinycnn.nn.differences import Comparison, GradientError
from tinycnn.nn.gradcheck import check_operation

ROUNDING = 1e-9
"""How far kernel and reference may be apart on the example, whose numbers are near 1."""

UPDATES = ("sgd_update", "adam_update")
"""Operations that nothing flows back through: they are what gradients are for."""


@dataclass(frozen=True)
class Check:
    """One gradient of the reference or of the kernel beside finite differences."""

    version: str
    comparison: Comparison


@dataclass(frozen=True, eq=False)
class Explanation:
    """An operation: both codes, an example, the check of its gradients, both times."""

    operation: Operation
    reference: list[Listing]
    compiled: list[Listing]
    example: Example
    checks: list[Check]
    timing: Timing | None

    @property
    def right(self) -> bool:
        """Whether all gradients are, and the kernel agrees with the reference."""
        return self.example.apart <= ROUNDING and all(check.comparison.ok for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        doc, example, timing = self.operation.docstring, self.example, self.timing
        return {
            "operation": self.operation.name,
            "sentence": doc.sentence,
            "idea": doc.idea,
            "formula": doc.formula,
            "shapes": doc.shapes,
            "reference": [vars(listing) for listing in self.reference],
            "compiled": [vars(listing) for listing in self.compiled],
            "example": {
                "given": _plain(example.given),
                "between": _plain(example.between),
                "results": _plain(example.results),
                "by_hand": [str(line) for line in example.by_hand],
                "largest_difference": example.apart,
            },
            "gradients": [_as_record(check) for check in self.checks],
            "seconds": timing and {"reference": timing.reference, "compiled": timing.compiled},
            "sizes": timing and timing.sizes,
        }


def explain(operation: Operation, rounds: int = 7) -> Explanation:
    """Gather everything; ``rounds`` of timing, or none."""
    return Explanation(
        operation,
        listings(operation.reference),
        listings(operation.kernel),
        work_out(operation),
        check_gradients(operation),
        measure(operation, rounds) if rounds else None,
    )


def check_gradients(operation: Operation) -> list[Check]:
    """Hold the gradients to finite differences at the numbers of the example.

    Of a forward pass these are all of its gradients, of a gradient itself.
    """
    if operation.name in UPDATES:
        return []
    found = []
    for version, ops in (("reference", reference), ("compiled", kernels)):
        try:
            comparisons = check_operation(operation.forward, given(operation.forward), ops)
        except GradientError as error:
            comparisons = error.comparisons
        found += [Check(version, c) for c in comparisons if _belongs(operation, c.argument)]
    return found


def _belongs(operation: Operation, argument: str) -> bool:
    if operation.name.endswith("_params"):
        return argument in "wb"
    return argument not in "wb" or not operation.name.endswith("_input")


def _plain(values: Values) -> dict[str, Any]:
    return {
        name: value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        for name, value in values.items()
    }


def _as_record(check: Check) -> dict[str, Any]:
    c = check.comparison
    return {
        "version": check.version,
        "argument": c.argument,
        "index": c.index,
        "by_hand": c.by_hand,
        "by_difference": c.by_difference,
        "relative_error": float(c.error),
        "ok": bool(c.ok),
    }
