"""Numbers and arrays as people read them: matrices, side by side, each with its place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

WIDTH = 96
"""Characters of a line of matrices."""


@dataclass(frozen=True)
class Matrix:
    """A part of an array that lies flat; ``label`` is its name in NumPy's words."""

    label: str
    rows: tuple[tuple[str, ...], ...]

    def lines(self) -> list[str]:
        """The label and the rows, aligned, all of one length."""
        wide = max((len(cell) for row in self.rows for cell in row), default=0)
        rows = ["  ".join(f"{cell:>{wide}}" for cell in row) for row in self.rows]
        length = max(map(len, [self.label, *rows]))
        return [line.ljust(length) for line in [self.label, *rows]]


def number(value: float) -> str:
    """A number with four decimals at most; a tiny one with its power of ten."""
    value = float(value)
    if value and abs(value) < 1e-4:
        return f"{value:.0e}" if value > 0 else f"({value:.0e})"
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def matrices(name: str, value: np.ndarray) -> Iterator[Matrix]:
    """An array as matrices: of images rows and columns lie flat, of all else the last two axes."""
    if value.ndim < 2:
        yield Matrix(name, (tuple(map(number, value)),))
        return
    flat = (1, 2) if value.ndim == 4 else (value.ndim - 2, value.ndim - 1)
    others = [axis for axis in range(value.ndim) if axis not in flat]
    for place in np.ndindex(*(value.shape[axis] for axis in others)):
        index: list[Any] = [slice(None)] * value.ndim
        for axis, i in zip(others, place, strict=True):
            index[axis] = i
        words = ",".join(":" if isinstance(i, slice) else str(i) for i in index)
        label = f"{name}[{words.removesuffix(',:,:')}]" if others else name
        yield Matrix(label, tuple(tuple(map(number, row)) for row in value[tuple(index)]))


def side_by_side(found: Sequence[Matrix], width: int = WIDTH) -> str:
    """Matrices beside each other as far as they fit, the rest below."""
    blocks: list[list[list[str]]] = [[]]
    used = 0
    for matrix in found:
        lines = matrix.lines()
        if blocks[-1] and used + len(lines[0]) > width:
            blocks.append([])
            used = 0
        blocks[-1].append(lines)
        used += len(lines[0]) + 4
    return "\n\n".join(map(_beside, blocks))


def _beside(block: Sequence[Sequence[str]]) -> str:
    height = max(map(len, block))
    padded = [[*lines, *[" " * len(lines[0])] * (height - len(lines))] for lines in block]
    return "\n".join("    ".join(row).rstrip() for row in zip(*padded, strict=True))


def is_array(value: Any) -> bool:
    """Whether ``value`` is shown as matrices rather than in a line."""
    return isinstance(value, np.ndarray) and value.ndim > 0


def in_a_line(value: Any) -> str:
    """A number, or a tuple of them."""
    if isinstance(value, tuple):
        return f"({', '.join(map(in_a_line, value))}{',' if len(value) == 1 else ''})"
    return number(value)
