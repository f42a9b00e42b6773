"""An explanation as sections that the terminal and the page both show.

A section is a heading with parts: a ``str`` is a paragraph, a dict holds named arrays and
numbers, and ``Code``, ``Lines`` and ``Table`` say what they are.
"""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from tinycnn.explain.catalogue import FunctionSource
from tinycnn.explain.example import Values
from tinycnn.explain.explanation import ROUNDING, Explanation
from tinycnn.explain.figures import number, shown, side_by_side
from tinycnn.metrics import text_table
from tinycnn.timing import duration

CHECKED_AT = "At the numbers of the example, with random gradients of the output:"
CHECK_HEAD = ("gradient", "version", "worst at", "analytic", "numerical", "relative error", "")


class Code(str):
    """Python code."""


class Lines(str):
    """A formula or calculations, line by line."""


class Table(NamedTuple):
    """Rows of cells below a row of headings."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


Part = str | Table | Values
Section = tuple[str, list[Part]]


def sections(explanation: Explanation) -> Iterator[Section]:
    """The sections in order; the first one has the name of the operation."""
    doc, example = explanation.operation.docstring, explanation.example
    yield explanation.operation.name, [doc.sentence, *doc.idea]
    yield "Formula", [Lines(doc.formula), doc.shapes]
    own, *helpers = explanation.reference
    yield _code("Reference", [own, *helpers], [own.body, *(helper.code for helper in helpers)])
    yield _code("Compiled", explanation.compiled, [z.code for z in explanation.compiled])
    yield "Example: given", [example.given]
    if example.between:
        yield "Example: intermediate values", [example.between]
    lines = Lines("\n".join(map(str, example.worked)))
    yield "Example: result", [example.results, "By hand:", lines, _agreement(example.apart)]
    if explanation.checks:
        yield "Gradient check", [CHECKED_AT, _checks(explanation)]
    if explanation.seconds:
        yield "Time", _times(explanation)


def _code(title: str, found: Sequence[FunctionSource], codes: Sequence[str]) -> Section:
    """Functions of one file, and below them the functions of other files that they call."""
    files: dict[str, dict[str, None]] = {}
    for source in found:
        for file, name in source.uses:
            files.setdefault(file, {})[name] = None
    calls = "; ".join(f"{', '.join(names)} ({file})" for file, names in files.items())
    used = f"Calls {calls}." if calls else ""
    return f"{title} ({found[0].file}, line {found[0].line})", [Code("\n\n\n".join(codes)), used]


def _agreement(apart: float) -> str:
    if apart > ROUNDING:
        return f"The kernel differs by {apart:.0e}: one of the two is WRONG."
    return "The kernel gives the same" + (f", within {apart:.0e}." if apart else ", bit for bit.")


def _checks(explanation: Explanation) -> Table:
    rows = []
    for version, c in explanation.checks:
        index = ",".join(map(str, c.index or ()))
        numbers = number(c.analytic), number(c.numerical), f"{c.error:.1e}"
        rows.append((f"d{c.argument}", version, f"[{index}]", *numbers, "ok" if c.ok else "WRONG"))
    return Table(CHECK_HEAD, rows)


def _times(explanation: Explanation) -> list[Part]:
    """Both times, and the median over the rounds of how many times longer the reference takes."""
    rows = [
        (name, duration(median(z)), f"{duration(min(z))} to {duration(max(z))}")
        for name, z in explanation.seconds.items()
    ]
    pairs = zip(*explanation.seconds.values(), strict=True)
    ratio = median(reference / compiled for reference, compiled in pairs)
    factor = f"{ratio:.1f} times faster" if ratio >= 1 else f"{1 / ratio:.1f} times slower"
    verdict = f"The compiled version is {factor}, for {explanation.sizes}, float32."
    return [Table(("", "median", "range"), rows), verdict]


def as_text(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """The sections for the terminal, each a heading and the text below it."""
    for heading, parts in sections(explanation):
        yield heading, "\n\n".join(filter(None, map(_text, parts)))


def _text(part: Part) -> str:
    match part:
        case dict():
            shapes, numbers, matrices = shown(part)
            return "\n\n".join(filter(None, [shapes, numbers, side_by_side(matrices)]))
        case Table():
            return text_table(part.head, part.rows, left=(0, 1))
        case Lines():
            return "\n".join(f"    {line}" if line else "" for line in part.splitlines())
        case _:
            return part
