"""An operation explained: codes, example and gradient check, gathered and written as text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinycnn.explain.catalogue import VERSIONS, FunctionSource, Operation, sources
from tinycnn.explain.example import Example, small_forward, work_out
from tinycnn.explain.figures import number, shown
from tinycnn.metrics import text_table
from tinycnn.nn.differences import Comparison, GradientError
from tinycnn.nn.gradcheck import check_operation

ROUNDING = 1e-9
"""Largest allowed difference of kernel and reference on the example, whose numbers are near 1."""

CHECKED_AT = "At the numbers of the example, with random gradients of the output:"
CHECK_HEAD = ("gradient", "version", "worst at", "analytic", "numerical", "relative error", "")


@dataclass(frozen=True, eq=False)
class Explanation:
    """An operation: both codes, an example, and the check of its gradients."""

    operation: Operation
    reference: list[FunctionSource]
    compiled: list[FunctionSource]
    example: Example
    checks: list[tuple[str, Comparison]]
    """A gradient of the reference or of the kernel, compared with finite differences."""

    @property
    def right(self) -> bool:
        """Whether all gradients are right and the kernel agrees with the reference."""
        return self.example.apart <= ROUNDING and all(c.ok for _, c in self.checks)

    def sections(self) -> Iterator[tuple[str, str]]:
        """Headings, the first one the name of the operation, and the text below each."""
        (sentence, idea, formula, shapes), example = self.operation.docstring, self.example
        yield _section(self.operation.name, sentence, idea)
        yield _section("Formula", formula, shapes)
        own, *helpers = self.reference
        yield _code("Reference", self.reference, [own.body, *(helper.code for helper in helpers)])
        yield _code("Compiled", self.compiled, [z.code for z in self.compiled])
        yield _section("Example: given", *shown(example.given))
        if example.between:
            yield _section("Example: intermediate values", *shown(example.between))
        lines = "\n".join(f"    {line}" for line in example.worked)
        agreement = _agreement(example.apart)
        yield _section("Example: result", *shown(example.results), "By hand:", lines, agreement)
        if self.checks:
            yield _section("Gradient check", CHECKED_AT, _table_of(self.checks))


def explain(operation: Operation) -> Explanation:
    """Gather everything."""
    reference, compiled = (sources(operation.version(name)) for name in VERSIONS)
    checks = check_gradients(operation)
    return Explanation(operation, reference, compiled, work_out(operation), checks)


def check_gradients(operation: Operation) -> list[tuple[str, Comparison]]:
    """Compare gradients with finite differences at the numbers of the example.

    They are all those of a forward pass, for its backward operations too; an update has none.
    """
    if operation.name.endswith("_update"):
        return []
    found = []
    for version, ops in VERSIONS.items():
        try:
            comparisons = check_operation(operation.forward, small_forward(operation.forward), ops)
        except GradientError as error:
            comparisons = error.comparisons
        found += [(version, comparison) for comparison in comparisons]
    return found


def _section(heading: str, *parts: str) -> tuple[str, str]:
    return heading, "\n\n".join(filter(None, parts))


def _code(title: str, found: Sequence[FunctionSource], codes: Sequence[str]) -> tuple[str, str]:
    return f"{title} ({found[0].file}, line {found[0].line})", "\n\n\n".join(codes)


def _agreement(apart: float) -> str:
    if apart > ROUNDING:
        return f"The kernel differs by {apart:.0e}: one of the two is WRONG."
    return "The kernel gives the same" + (f", within {apart:.0e}." if apart else ", bit for bit.")


def _table_of(checks: Sequence[tuple[str, Comparison]]) -> str:
    rows = []
    for version, c in checks:
        index = ",".join(map(str, c.index or ()))
        numbers = number(c.analytic), number(c.numerical), f"{c.error:.1e}"
        rows.append((f"d{c.argument}", version, f"[{index}]", *numbers, "ok" if c.ok else "WRONG"))
    return text_table(CHECK_HEAD, rows, left=(0, 1))
