"""An explanation as plain text for the terminal."""

from collections.abc import Iterator

from tinycnn.explain.explanation import Explanation
from tinycnn.explain.figures import shown, side_by_side
from tinycnn.explain.sections import Lines, Part, Table, sections


def as_text(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """The sections, each a heading and the text below it."""
    for heading, parts in sections(explanation):
        yield heading, "\n\n".join(filter(None, map(_text, parts)))


def _text(part: Part) -> str:
    match part:
        case dict():
            shapes, numbers, matrices = shown(part)
            return "\n\n".join(filter(None, [shapes, numbers, side_by_side(matrices)]))
        case Table():
            return _table(part)
        case Lines():
            return "\n".join(f"    {line}" if line else "" for line in part.splitlines())
        case _:
            return part


def _table(table: Table) -> str:
    """Columns aligned: the first two on the left, numbers on the right."""
    rows = [table.head, *table.rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    signs = "<<" + ">" * len(widths)
    return "\n".join(
        "  ".join(f"{cell:{s}{w}}" for cell, s, w in zip(row, signs, widths, strict=False)).rstrip()
        for row in rows
    )
