"""Numbers and arrays for people to read: matrices side by side, each labeled with its index."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

WIDTH = 96
"""Characters in a line of matrices."""

Lines = list[str]
"""A label and the rows of a matrix, aligned and of equal length."""


def number(value: float) -> str:
    """A number with at most four decimals; a tiny one with its power of ten."""
    if 0 < abs(value) < 1e-4:
        return f"{value:.0e}"
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def matrices(name: str, value: np.ndarray) -> Iterator[Lines]:
    """An array as matrices: rows and columns of images, of other arrays the last two axes.

    Each is labeled with its index expression in NumPy.
    """
    images = value.ndim == 4
    stack = np.moveaxis(value, 3, 1) if images else np.atleast_2d(value)
    for place in np.ndindex(stack.shape[:-2]):
        index = list(map(str, place))
        if images:
            index[1:1] = [":", ":"]
        rows = [[number(z) for z in row] for row in stack[place]]
        wide = max((len(cell) for row in rows for cell in row), default=0)
        lines = ["  ".join(cell.rjust(wide) for cell in row) for row in rows]
        lines.insert(0, f"{name}[{','.join(index)}]" if index else name)
        yield [line.ljust(max(map(len, lines))) for line in lines]


def side_by_side(found: Sequence[Lines]) -> str:
    """Matrices beside each other as far as they fit, the others below."""
    blocks: list[list[Lines]] = [[]]
    for lines in found:
        used = sum(len(others[0]) + 4 for others in blocks[-1])
        if used and used + len(lines[0]) > WIDTH:
            blocks.append([])
        blocks[-1].append(lines)
    return "\n\n".join(map(_beside, blocks))


def _beside(block: Sequence[Lines]) -> str:
    widths = [len(lines[0]) for lines in block]
    rows = (zip(row, widths, strict=True) for row in zip_longest(*block, fillvalue=""))
    return "\n".join("    ".join(part.ljust(w) for part, w in row).rstrip() for row in rows)


def shown(values: Mapping[str, Any]) -> tuple[str, str, str]:
    """Named values as a line of the arrays' shapes, a line of the other values, and matrices."""
    arrays = {name: z for name, z in values.items() if isinstance(z, np.ndarray) and z.ndim}
    others = {name: z for name, z in values.items() if name not in arrays}
    shapes = ", ".join(f"{name} {z.shape}" for name, z in arrays.items())
    numbers = [f"{name} = {z if isinstance(z, tuple) else number(z)}" for name, z in others.items()]
    found = [m for name, z in arrays.items() for m in matrices(name, z)]
    return shapes, ", ".join(numbers), side_by_side(found)
