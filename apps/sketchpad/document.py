"""The document: everything on the paper, in paper units; never changed, only replaced."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

Place = tuple[float, float]
Size = tuple[float, float]
"""In paper units: logical pixels, (0, 0) at the top left of the paper."""

SHEET_PART = 0.86  # of the paper that a picture may fill
DRAWING_PART = 0.6  # of the paper that a drawing of unknown size gets


@dataclass(frozen=True, eq=False)
class Stroke:
    """One line of the pen."""

    number: int  # no other stroke of the session has it
    points: np.ndarray  # (n,2), n >= 1, float64
    brush: float  # width of the line as it is shown; the network never sees it

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """X, y, width and height of the ink."""
        low = self.points.min(axis=0) - self.brush / 2
        size = self.points.max(axis=0) + self.brush / 2 - low
        return float(low[0]), float(low[1]), float(size[0]), float(size[1])


@dataclass(frozen=True, eq=False)
class Sheet:
    """A picture laid on the paper: a photo, or a digit of the test set."""

    name: str
    shade: np.ndarray  # uint8 (H,W) as it is shown, 0 is black
    source: object  # to be read: a Picture of ``tinycnn.ink``, or a prepared image (28,28)
    truth: str | None = None  # its true class, if known
    unit: float = 1.0  # pixels of ``shade`` for one unit of the boxes that are read in it

    def placed(self, paper: Size) -> tuple[float, float, float]:
        """X and y of its corner on the paper, and paper units for one pixel."""
        H, W = self.shade.shape
        scale = min(SHEET_PART * paper[0] / W, SHEET_PART * paper[1] / H)
        return (paper[0] - scale * W) / 2, (paper[1] - scale * H) / 2, scale


@dataclass(frozen=True, eq=False)
class Page:
    """All that undo brings back."""

    strokes: tuple[Stroke, ...] = ()
    sheet: Sheet | None = None
    labels: dict[frozenset[int], str] = field(default_factory=dict)  # of groups of strokes

    @property
    def empty(self) -> bool:
        """Whether there is nothing to see."""
        return not self.strokes and self.sheet is None

    @cached_property
    def extent(self) -> Size:
        """How far to the right and down the strokes reach."""
        right = max((s.points[:, 0].max() for s in self.strokes), default=0.0)
        bottom = max((s.points[:, 1].max() for s in self.strokes), default=0.0)
        return float(right), float(bottom)


def erase(strokes: Sequence[Stroke], start: Place, end: Place, radius: float) -> list[Stroke]:
    """The strokes that remain when a round eraser goes from ``start`` to ``end``.

    A stroke that is touched keeps the runs of its points that are not; they get negative
    numbers, to be replaced by their new owner.
    """
    from tinycnn.ink.strokes import without

    kept = []
    left, right = min(start[0], end[0]) - radius, max(start[0], end[0]) + radius
    top, bottom = min(start[1], end[1]) - radius, max(start[1], end[1]) + radius
    for stroke in strokes:
        x, y, width, height = stroke.box
        apart = right < x or left > x + width or bottom < y or top > y + height
        runs = None if apart else without(stroke.points, start, end, radius + stroke.brush / 2)
        kept += [stroke] if runs is None else [Stroke(-1, run, stroke.brush) for run in runs]
    return kept


def is_on(place: Place, paper: Size) -> bool:
    """Whether a place lies on the paper, its edge included."""
    return 0 <= place[0] <= paper[0] and 0 <= place[1] <= paper[1]


def crossing(inner: Place, outer: Place, paper: Size) -> Place:
    """The place at which the way from a place on the paper to one beside it leaves the paper."""
    part = 1.0
    for a, b, most in zip(inner, outer, paper, strict=True):
        if b < 0:
            part = min(part, a / (a - b))
        elif b > most:
            part = min(part, (most - a) / (b - a))
    x, y = (a + part * (b - a) for a, b in zip(inner, outer, strict=True))
    return min(max(x, 0.0), paper[0]), min(max(y, 0.0), paper[1])


def overlapping(groups: Sequence[frozenset[int]], wanted: frozenset[int]) -> int | None:
    """The index of the group that shares most with ``wanted``; None if none shares any."""
    shared = [len(group & wanted) for group in groups]
    best = max(shared, default=0)
    return shared.index(best) if best else None


def placed(lines: Sequence[np.ndarray], size: Size, part: float = DRAWING_PART) -> list[np.ndarray]:
    """Strokes (n,2) in any unit, in the middle of an area, of which they fill a ``part``."""
    if not lines:
        return []
    points = np.concatenate(lines)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = min(part * np.array(size) / np.maximum(extent, 1e-9)) if extent.any() else 1.0
    corner = (np.array(size) - extent * scale) / 2
    return [(line - low) * scale + corner for line in lines]
