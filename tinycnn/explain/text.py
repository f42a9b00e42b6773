"""An explanation in words: the parts that the terminal and the page both show."""

from collections.abc import Iterator, Sequence
from statistics import median

from tinycnn.explain.example import Values
from tinycnn.explain.explanation import ROUNDING, Explanation
from tinycnn.explain.figures import in_a_line, is_array, matrices, number, side_by_side
from tinycnn.explain.source import Listing
from tinycnn.timing import duration

CHECKED = ("gradient", "of the", "worst at", "by hand", "by differences", "relative error", "")
CHECKED_AT = "At the numbers of the example, with gradients of the output drawn at random:"
TIMED = ("", "median", "range")


def place(listing: Listing) -> str:
    """Where a function stands."""
    return f"{listing.file}, line {listing.line}"


def used(listings: Sequence[Listing]) -> str:
    """What the listings call besides each other, file by file."""
    files: dict[str, dict[str, None]] = {}
    for listing in listings:
        for file, name in listing.uses:
            files.setdefault(file, {})[name] = None
    calls = [f"{', '.join(names)} ({file})" for file, names in files.items()]
    return f"Calls {'; '.join(calls)}." if calls else ""


def numbers(values: Values) -> str:
    """All that is no array, in a line."""
    found = {name: value for name, value in values.items() if not is_array(value)}
    return ", ".join(f"{name} = {in_a_line(value)}" for name, value in found.items())


def shapes(values: Values) -> str:
    """The shapes of the arrays."""
    arrays = {name: value for name, value in values.items() if is_array(value)}
    return ", ".join(f"{name} {in_a_line(value.shape)}" for name, value in arrays.items())


def agreement(explanation: Explanation) -> str:
    """How the kernel's results compare."""
    apart = explanation.example.apart
    if apart > ROUNDING:
        return f"The kernel differs by {apart:.0e}: one of the two is WRONG."
    return "The kernel gives the same" + (f", within {apart:.0e}." if apart else ", bit for bit.")


def checked(explanation: Explanation) -> Iterator[tuple[str, ...]]:
    """The rows of the gradient check, below ``CHECKED``."""
    for check in explanation.checks:
        c = check.comparison
        index = ",".join(map(str, c.index or ()))
        yield (
            f"d{c.argument}",
            check.version,
            f"[{index}]",
            number(c.by_hand),
            number(c.by_difference),
            f"{c.error:.1e}",
            "ok" if c.ok else "WRONG",
        )


def timed(explanation: Explanation) -> Iterator[tuple[str, ...]]:
    """The rows of the timing, below ``TIMED``."""
    if explanation.timing:
        for name in ("reference", "compiled"):
            seconds = getattr(explanation.timing, name)
            low, high = duration(min(seconds)), duration(max(seconds))
            yield name, duration(median(seconds)), f"{low} to {high}"


def verdict(explanation: Explanation) -> str:
    """Which is faster, and at what."""
    timing = explanation.timing
    if timing is None:
        return "not timed"
    ratio = timing.ratio
    words = f"{ratio:.1f} times faster" if ratio >= 1 else f"{1 / ratio:.1f} times slower"
    return f"Compiled it is {words}, for {timing.sizes}, float32."


def as_text(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """The sections: a heading and what stands below it."""
    doc, example = explanation.operation.docstring, explanation.example
    yield explanation.operation.name, "\n\n".join([doc.sentence, *doc.idea])
    yield "Formula", f"{_indented(doc.formula)}\n\n{doc.shapes}"
    own, *helpers = explanation.reference
    codes = [own.body, *(helper.code for helper in helpers)]
    yield f"Reference ({place(own)})", _parts("\n\n\n".join(codes), used(explanation.reference))
    codes = [listing.code for listing in explanation.compiled]
    where = place(explanation.compiled[0])
    yield f"Compiled ({where})", _parts("\n\n\n".join(codes), used(explanation.compiled))
    yield "Example: given", _figures(example.given)
    if example.between:
        yield "Example: on the way", _figures(example.between)
    lines = "\n".join(map(str, example.by_hand))
    results = _figures(example.results)
    pencil = f"By hand:\n{_indented(lines)}"
    yield "Example: result", _parts(results, pencil, agreement(explanation))
    if explanation.checks:
        yield "Gradient check", _parts(CHECKED_AT, _table(CHECKED, list(checked(explanation))))
    if explanation.timing:
        yield "Time", _parts(_table(TIMED, list(timed(explanation))), verdict(explanation))


def _figures(values: Values) -> str:
    arrays = [m for name, z in values.items() if is_array(z) for m in matrices(name, z)]
    return _parts(shapes(values), numbers(values), side_by_side(arrays))


def _parts(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(f"{cell:{'<' if number < 2 else '>'}{width}}" for number, (cell, width) in
                  enumerate(zip(row, widths, strict=True))).rstrip()
        for row in (head, *rows)
    ]  # fmt: skip
    return "\n".join(lines)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())
