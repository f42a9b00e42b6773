"""Which pieces of ink stand on one line, and in which order they are read.

Large pieces make the lines: neighbors that stand side by side are on one line, and so are
their neighbors, so that a line may climb or fall. Small pieces (a bar, a hat, a dot) go to the
line they are nearest to; those that are far from every line are marks on lines of their own.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

from tinycnn.ink.fragments import MOST_PIECES, Pieces

FLAT = 0.2  # height over width: ink flatter than that is a dash
LARGE = 0.5  # of the height of the tallest pieces
BESIDE = 0.35  # of the lower piece's height: overlap in y of pieces that stand side by side
REACH = 3.0  # heights: neighbors are no further apart
BELONGS = 1.5  # of its own length: a bar or a hat is no further above or below its digit
HIGHEST = 0.75  # heights, and no further than that
STACKED = 0.36  # of the lower piece's height: the two rings of an 8 are no further apart


@dataclass(frozen=True)
class Line:
    """The numbers of pieces from left to right, and the height of a digit among them."""

    order: list[int]
    height: float


def find_lines(pieces: Pieces) -> list[Line]:
    """Sort pieces into lines, from top to bottom."""
    boxes = pieces.boxes
    heights = boxes[:, 3] - boxes[:, 1]
    large = heights >= LARGE * np.percentile(heights, 90)
    large |= np.isin(pieces.origins, pieces.origins[large])
    rows = _rows(pieces, np.flatnonzero(large))
    usual = [_digit_height(boxes[row]) for row in rows]
    small = np.flatnonzero(~large)
    near = [_nearest(boxes, rows, usual, index) for index in small.tolist()]
    far = small[[row is None for row in near]]
    for index, row in zip(small.tolist(), near, strict=True):
        if row is not None:
            rows[row].append(index)
    lines = [Line(_left_to_right(boxes, row), _digit_height(boxes[row])) for row in rows]
    if far.size:  # measured by the digits, for on their own they would look like small ones
        height = float(np.median(usual))
        lines += [Line(_left_to_right(boxes, row), height) for row in _rows(pieces, far)]
    return sorted(lines, key=lambda line: boxes[line.order, 1::2].mean())


def _rows(pieces: Pieces, large: np.ndarray) -> list[list[int]]:
    x0, y0, x1, y1 = pieces.boxes[large].T
    lower = np.minimum((y1 - y0)[:, None], y1 - y0)
    beside = _shared(y0, y1) >= BESIDE * lower
    near = -_shared(x0, x1) <= REACH * lower
    origins = pieces.origins[large]
    rows = _connected(large, beside & near | (origins[:, None] == origins))
    if len(rows) > 1:
        rows = _join_parts_of_one_line(pieces.boxes, rows)
        rows = _join_stacked(pieces, rows)
    return rows


def _connected(members: np.ndarray, linked: np.ndarray) -> list[list[int]]:
    """Members (n,) in groups, given which pairs (n,n) are linked."""
    count, labels = connected_components(linked, directed=False)
    return [members[labels == label].tolist() for label in range(count)]


def _shared(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n,n): how much of the axis two intervals share; negative is the gap between them."""
    return np.minimum(high[:, None], high) - np.maximum(low[:, None], low)


def _join_parts_of_one_line(boxes: np.ndarray, rows: list[list[int]]) -> list[list[int]]:
    """Words far apart are on one line if they overlap in y and do not stand above each other."""
    x0, y0, x1, y1 = np.array([[*boxes[r, :2].min(0), *boxes[r, 2:].max(0)] for r in rows]).T
    lower = np.minimum((y1 - y0)[:, None], y1 - y0)
    one_line = (_shared(y0, y1) >= 0.5 * lower) & (_shared(x0, x1) <= 0)
    groups = _connected(np.arange(len(rows)), one_line)
    return [[index for row in group for index in rows[row]] for group in groups]


def _join_stacked(pieces: Pieces, rows: list[list[int]]) -> list[list[int]]:
    """Two rows, every piece of one close above a piece of the other, are the rings of 8s."""
    boxes = pieces.boxes
    rows = sorted(rows, key=lambda row: boxes[row, 1].min())
    joined = [rows[0]]
    for row in rows[1:]:
        pairs = list(
            zip(_left_to_right(boxes, joined[-1]), _left_to_right(boxes, row), strict=False)
        )
        alike = len(pairs) == len(row) == len(joined[-1])
        if alike and all(_stacked(pieces, *pair) for pair in pairs):
            joined[-1] = joined[-1] + row
        else:
            joined.append(row)
    return joined


def _stacked(pieces: Pieces, one: int, other: int) -> bool:
    (a0, b0, a1, b1), (c0, d0, c1, d1) = pieces.boxes[one], pieces.boxes[other]
    overlap = min(a1, c1) - max(a0, c0)
    close = pieces.distance(one, other) <= STACKED * min(b1 - b0, d1 - d0)
    return bool(close and overlap >= 0.5 * min(a1 - a0, c1 - c0))


def _nearest(
    boxes: np.ndarray, rows: list[list[int]], heights: list[float], index: int
) -> int | None:
    """The row with the piece that is nearest to piece ``index``, box to box; None if it is far."""
    x0, y0, x1, y1 = boxes[index]
    gaps = []
    for row in rows:
        across = np.maximum(0, np.maximum(boxes[row, 0] - x1, x0 - boxes[row, 2]))
        down = np.maximum(0, np.maximum(boxes[row, 1] - y1, y0 - boxes[row, 3]))
        nearest = np.hypot(across, down).argmin()
        gaps.append((float(across[nearest]), float(down[nearest])))
    best = min(range(len(rows)), key=lambda row: math.hypot(*gaps[row]))
    (across, down), height = gaps[best], heights[best]
    length = min(BELONGS * max(x1 - x0, y1 - y0), HIGHEST * height)
    reach = max(length, STACKED * height)
    return best if down <= reach and across <= REACH * height else None


def _left_to_right(boxes: np.ndarray, row: list[int]) -> list[int]:
    middles = boxes[row, 0] + boxes[row, 2]
    return [row[place] for place in np.argsort(middles, kind="stable")]


def _digit_height(boxes: np.ndarray) -> float:
    """How tall digits are in a line.

    A tilted line is taller than its digits, so heights are measured piece by piece, together
    with what stands above or below the piece; the upper quartile is a whole digit. Dots and flat
    dashes have no height to speak of; lengths are divided by it, so it is never next to nothing.
    """
    x0, y0, x1, y1 = boxes.T
    above = _shared(x0, x1) >= 0.5 * np.minimum((x1 - x0)[:, None], x1 - x0)
    tops = np.where(above, y0, np.inf).min(axis=1)
    bottoms = np.where(above, y1, -np.inf).max(axis=1)
    height = np.percentile(bottoms - tops, 75, method="higher")
    flat = y1 - y0 < FLAT * (x1 - x0)  # an underline says nothing about digits, a lone dash must
    width = (x1 - x0)[~flat if not flat.all() else flat].max()
    extent = max(x1.max() - x0.min(), y1.max() - y0.min(), np.finfo(float).tiny)
    return max(float(height), FLAT * float(width), float(extent) / MOST_PIECES)
