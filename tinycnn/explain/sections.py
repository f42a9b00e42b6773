"""An explanation as sections, each a heading and the text below it."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from tinycnn.explain.catalogue import FunctionSource
from tinycnn.explain.example import Values
from tinycnn.explain.explanation import ROUNDING, Explanation
from tinycnn.explain.figures import number, shown
from tinycnn.metrics import text_table
from tinycnn.timing import duration

CHECKED_AT = "At the numbers of the example, with random gradients of the output:"
CHECK_HEAD = ("gradient", "version", "worst at", "analytic", "numerical", "relative error", "")

Section = tuple[str, str]


def sections(explanation: Explanation) -> Iterator[Section]:
    """The sections in order; the first one has the name of the operation."""
    doc, example = explanation.operation.docstring, explanation.example
    yield _section(explanation.operation.name, doc.sentence, *doc.idea)
    yield _section("Formula", _indented(doc.formula.splitlines()), doc.shapes)
    own, *helpers = explanation.reference
    yield _code("Reference", [own, *helpers], [own.body, *(helper.code for helper in helpers)])
    yield _code("Compiled", explanation.compiled, [z.code for z in explanation.compiled])
    yield _values("Example: given", example.given)
    if example.between:
        yield _values("Example: intermediate values", example.between)
    lines, agreement = _indented(map(str, example.worked)), _agreement(example.apart)
    yield _values("Example: result", example.results, "By hand:", lines, agreement)
    if explanation.checks:
        yield _section("Gradient check", CHECKED_AT, _checks(explanation))
    if explanation.seconds:
        yield _section("Time", *_times(explanation))


def _section(heading: str, *parts: str) -> Section:
    return heading, "\n\n".join(filter(None, parts))


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" if line else "" for line in lines)


def _values(heading: str, values: Values, *parts: str) -> Section:
    return _section(heading, *shown(values), *parts)


def _code(title: str, found: Sequence[FunctionSource], codes: Sequence[str]) -> Section:
    """Functions of one file, and below them the functions of other files that they call."""
    files: dict[str, dict[str, None]] = {}
    for source in found:
        for file, name in source.uses:
            files.setdefault(file, {})[name] = None
    calls = "; ".join(f"{', '.join(names)} ({file})" for file, names in files.items())
    used = f"Calls {calls}." if calls else ""
    heading = f"{title} ({found[0].file}, line {found[0].line})"
    return _section(heading, "\n\n\n".join(codes), used)


def _agreement(apart: float) -> str:
    if apart > ROUNDING:
        return f"The kernel differs by {apart:.0e}: one of the two is WRONG."
    return "The kernel gives the same" + (f", within {apart:.0e}." if apart else ", bit for bit.")


def _checks(explanation: Explanation) -> str:
    rows = []
    for version, c in explanation.checks:
        index = ",".join(map(str, c.index or ()))
        numbers = number(c.analytic), number(c.numerical), f"{c.error:.1e}"
        rows.append((f"d{c.argument}", version, f"[{index}]", *numbers, "ok" if c.ok else "WRONG"))
    return text_table(CHECK_HEAD, rows, left=(0, 1))


def _times(explanation: Explanation) -> tuple[str, str]:
    """Both times, and the median over the rounds of how many times longer the reference takes."""
    rows = [
        (name, duration(median(z)), f"{duration(min(z))} to {duration(max(z))}")
        for name, z in explanation.seconds.items()
    ]
    pairs = zip(*explanation.seconds.values(), strict=True)
    ratio = median(reference / compiled for reference, compiled in pairs)
    factor = f"{ratio:.1f} times faster" if ratio >= 1 else f"{1 / ratio:.1f} times slower"
    verdict = f"The compiled version is {factor}, for {explanation.sizes}, float32."
    return text_table(("", "median", "range"), rows, left=(0, 1)), verdict
