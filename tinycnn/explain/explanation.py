"""An operation explained: both codes and an example, gathered and written as text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinycnn.explain.catalogue import VERSIONS, FunctionSource, Operation, sources
from tinycnn.explain.example import Example, work_out
from tinycnn.explain.figures import shown

ROUNDING = 1e-9
"""Largest allowed difference of kernel and reference on the example, whose numbers are near 1."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """An operation: both codes, and an example."""

    operation: Operation
    reference: list[FunctionSource]
    compiled: list[FunctionSource]
    example: Example

    @property
    def right(self) -> bool:
        """Whether the kernel agrees with the reference."""
        return self.example.apart <= ROUNDING

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


def explain(operation: Operation) -> Explanation:
    """Gather everything."""
    reference, compiled = (sources(operation.version(name)) for name in VERSIONS)
    return Explanation(operation, reference, compiled, work_out(operation))


def _section(heading: str, *parts: str) -> tuple[str, str]:
    return heading, "\n\n".join(filter(None, parts))


def _code(title: str, found: Sequence[FunctionSource], codes: Sequence[str]) -> tuple[str, str]:
    return f"{title} ({found[0].file}, line {found[0].line})", "\n\n\n".join(codes)


def _agreement(apart: float) -> str:
    if apart > ROUNDING:
        return f"The kernel differs by {apart:.0e}: one of the two is WRONG."
    return "The kernel gives the same" + (f", within {apart:.0e}." if apart else ", bit for bit.")
