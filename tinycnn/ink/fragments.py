"""What a page of ink is cut into before digits are looked for: strokes, or parts of a bitmap.

Segmentation need not know which: it asks pieces for their place and for their distance from each
other. ``to_image`` makes 28 x 28 pixels of either.
"""

from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.spatial import cKDTree

from tinycnn.errors import ImageError
from tinycnn.ink.bitmaps import bitmap_to_image
from tinycnn.ink.rasterize import Lines
from tinycnn.ink.strokes import bounds, resample, strokes_to_image
from tinycnn.ink.trace import Show, unseen

MOST_PIECES = 1000  # a page with more is a texture, not writing

Box = tuple[float, float, float, float]
"""x, y, width, height in the units of the input."""


Span = tuple[float, float, float, float]
"""x0, y0, x1, y1."""

Ink = np.ndarray | list[np.ndarray]
"""A bitmap (H,W) uint8, 255 is ink, or strokes (n,2)."""

Group = tuple[int, ...]
"""The numbers of some pieces."""


class Pieces(Protocol):
    """Ink in pieces, numbered from 0."""

    boxes: np.ndarray
    """(n,4): the span of each piece's center line, so that no brush counts."""

    pen: float
    """Width of the pen, 0 if unknown."""

    origins: np.ndarray
    """(n,): pieces that were cut from one component have the same number."""

    def distance(self, one: int, other: int) -> float:
        """Between the center lines of two pieces, at their nearest."""

    def cut_odds(self, one: int, other: int) -> float | None:
        """Log-odds that two parts of one component belong together; None if they never were one."""

    def ink(self, group: Group) -> Ink:
        """The ink of the group alone."""

    def frame(self, group: Group) -> Box:
        """The box around all ink of the group."""


def refuse_texture(count: int) -> None:
    """Raise ImageError for a page in more pieces than writing has; they would take for ever."""
    if count > MOST_PIECES:
        raise ImageError(
            f"{count:,} separate pieces of ink are more than the {MOST_PIECES:,} that are read; "
            "cut the digits out of the picture"
        )


def span(pieces: Pieces, group: Group) -> Span:
    """From where to where the center lines of a group reach."""
    boxes = pieces.boxes[list(group)]
    x0, y0 = boxes[:, :2].min(axis=0).tolist()
    x1, y1 = boxes[:, 2:].max(axis=0).tolist()
    return x0, y0, x1, y1


def to_image(ink: Ink, show: Show = unseen) -> np.ndarray:
    """Prepare the ink of one digit, strokes or bitmap, as MNIST would: uint8 (28,28)."""
    if isinstance(ink, np.ndarray):
        return bitmap_to_image(ink, show)
    return strokes_to_image(ink, show)


class StrokePieces:
    """Every stroke is a piece."""

    def __init__(self, strokes: Lines, pen: float = 0.0):
        self.strokes = list(strokes)
        self.pen = pen
        self.boxes = np.array([bounds([stroke]) for stroke in self.strokes]).reshape(-1, 4)
        self.origins = np.arange(len(self.strokes))

    @cached_property
    def _trees(self) -> list[cKDTree]:
        x0, y0, x1, y1 = bounds(self.strokes)
        step = max(x1 - x0, y1 - y0) / 200
        return [cKDTree(resample(stroke, step)) for stroke in self.strokes]

    def distance(self, one: int, other: int) -> float:
        near, _ = self._trees[one].query(self._trees[other].data)
        return float(near.min())

    def cut_odds(self, one: int, other: int) -> float | None:
        return None

    def ink(self, group: Group) -> Ink:
        return [self.strokes[index] for index in group]

    def frame(self, group: Group) -> Box:
        x0, y0, x1, y1 = bounds([self.strokes[index] for index in group])
        return x0, y0, x1 - x0, y1 - y0
