"""A page of ink in fragments, strokes or components of a bitmap, and the lines of text they form.

Segmentation need not know which kind they are: it asks for their place and for their distance from
each other.

Large fragments make the lines: neighbors that lie side by side are on one line, and so are their
neighbors, so that a line may climb or fall. Small fragments (a bar, a hat, a dot) go to the nearest
line; those that are far from every line are on lines of their own.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from tinycnn.ink.bitmaps import INKED, MOST_FRAGMENTS, Fragment, find_components, line_width
from tinycnn.ink.results import Box, Group, Ink
from tinycnn.ink.strokes import Strokes, bounds, resample

FLAT = 0.2  # height over width: ink flatter than that is a dash
LARGE = 0.5  # of the height of the tallest fragments
BESIDE = 0.35  # of the lower one's height: overlap in y of fragments that lie side by side
REACH = 3.0  # heights: neighbors are no farther apart
MARK_REACH = 1.2  # heights: a dot or a dash is no farther from its line
STRAIGHT = 0.1  # of a fragment's length: it is straight if it is no wider
BELONGS = 1.5  # of its own length: a bar or a hat is no farther above or below its digit
HIGHEST = 0.75  # heights, and no farther than that
TOUCHING = 0.15  # of the lower one's height: rings are so close, and lines of text are not
STACKED = 0.36  # of the lower one's height: the two rings of an 8 are no farther apart
FEWEST = 5  # dashes at least of a broken digit
DASHES = 1.6  # pens between them at most
BROKEN = 0.45  # of the digit's height: none of them is longer

Span = tuple[float, float, float, float]
"""x0, y0, x1, y1."""

Judge = Callable[[Group], bool]
"""Whether fragments look like one digit."""


class Fragments(ABC):
    """Ink in fragments, numbered from 0."""

    def __init__(self, boxes: np.ndarray, pen: float) -> None:
        self.boxes = boxes.reshape(-1, 4)  # (n,4): x0, y0, x1, y1 of all their ink
        self.spans = self.boxes.astype(float)  # of their center lines, whatever the brush
        self.pen = pen  # its width, 0 if unknown
        self._trees: dict[int, cKDTree] = {}

    def span(self, group: Group) -> Span:
        """The span of the center lines of a group."""
        return _around(self.spans[list(group)])

    def box(self, group: Group) -> Box:
        """The box around all ink of the group."""
        x0, y0, x1, y1 = _around(self.boxes[list(group)])
        return x0, y0, x1 - x0, y1 - y0

    def distance(self, one: int, other: int) -> float:
        """The shortest distance between the center lines of two fragments."""
        for index in (one, other):
            if index not in self._trees:
                self._trees[index] = cKDTree(self._points(index))
        distances, _ = self._trees[one].query(self._trees[other].data)
        return float(distances.min())

    def lean(self, index: int) -> float:
        """Run over rise of a straight fragment, positive to the right; 0 if it is curved."""
        points = self._points(index)
        _, _, (along, across) = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
        if np.ptp(points @ across) > STRAIGHT * np.ptp(points @ along) + self.pen or not along[1]:
            return 0.0
        return float(-along[0] / along[1])

    @abstractmethod
    def ink(self, group: Group) -> Ink:
        """The ink of the group alone."""

    @abstractmethod
    def _points(self, index: int) -> np.ndarray:
        """Points x, y (n,2) from which distances to the fragment are measured."""


def _around(boxes: np.ndarray) -> Span:
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    return x0, y0, x1, y1


class StrokeFragments(Fragments):
    """Every stroke is a fragment."""

    def __init__(self, strokes: Strokes, pen: float = 0.0) -> None:
        super().__init__(np.array([bounds([z]) for z in strokes]), pen)
        self.strokes = strokes

    def ink(self, group: Group) -> list[np.ndarray]:
        return [self.strokes[index] for index in group]

    def _points(self, index: int) -> np.ndarray:
        x0, y0, x1, y1 = _around(self.spans)
        return resample(self.strokes[index], max(x1 - x0, y1 - y0) / 200)


class BitmapFragments(Fragments):
    """Connected components of a bitmap."""

    def __init__(self, fragments: Sequence[Fragment], pen: float) -> None:
        corners = np.array([(z.left, z.top) for z in fragments], int).reshape(-1, 2)
        sizes = np.array([z.ink.shape[::-1] for z in fragments], int).reshape(-1, 2)
        boxes = np.hstack([corners, corners + sizes])
        super().__init__(boxes, pen)
        self.spans += np.hstack([np.minimum(pen, sizes), -np.minimum(pen, sizes)]) / 2
        self.fragments = fragments

    def distance(self, one: int, other: int) -> float:
        # The points are those of the outlines, half a pen from the center lines on both sides.
        return super().distance(one, other) + self.pen

    def ink(self, group: Group) -> np.ndarray:
        x, y, width, height = map(int, self.box(group))
        page = np.zeros((height, width), np.uint8)
        for fragment in (self.fragments[index] for index in group):
            rows, columns = fragment.place(y, x)
            page[rows, columns] = np.maximum(page[rows, columns], fragment.ink)
        return page

    def joined(self, group: Group) -> Fragment:
        """The group as one fragment."""
        x, y, _, _ = map(int, self.box(group))
        return Fragment(y, x, self.ink(group))

    def view(self, size: tuple[int, ...]) -> np.ndarray:
        """The page, uint8 (H,W), with neighboring fragments in different shades."""
        page = np.zeros(size, np.uint8)
        for number, fragment in enumerate(self.fragments):
            rows, columns = fragment.place()
            shade = fragment.ink // 3 * (1 + number % 3)
            page[rows, columns] = np.maximum(page[rows, columns], shade)
        return page

    def _points(self, index: int) -> np.ndarray:
        fragment = self.fragments[index]
        inked = fragment.ink >= INKED
        outline = np.argwhere(inked & ~ndimage.binary_erosion(inked))
        return np.asarray(outline[:, ::-1] + (fragment.left, fragment.top))


def find_fragments(ink: np.ndarray) -> BitmapFragments:
    """The components of a page of ink (H,W) uint8; ImageError if there are too many."""
    components = find_components(ink)
    pen = line_width(components)
    return BitmapFragments(_join_broken(components, pen), pen)


def _join_broken(components: Sequence[Fragment], pen: float) -> list[Fragment]:
    """Put the dashes of broken lines together: many small components in reach of each other."""
    whole = BitmapFragments(components, 0.0)
    low, high = whole.boxes[:, :2], whole.boxes[:, 2:]
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    single, joined = [], []
    for group in connected(np.arange(len(components)), shared.min(axis=2) >= -DASHES * pen):
        members = [components[index] for index in group]
        *_, height = whole.box(tuple(group))
        longest = max(max(z.ink.shape) for z in members)
        if len(group) >= FEWEST and longest <= BROKEN * height:
            joined.append(whole.joined(tuple(group)))
        else:
            single += members
    return single + joined


@dataclass(frozen=True)
class TextLine:
    """The numbers of fragments from left to right, and the height of a digit among them."""

    order: list[int]
    height: float


def find_lines(fragments: Fragments, is_digit: Judge = lambda _: True) -> list[TextLine]:
    """Sort fragments into lines, from top to bottom; is_digit judges two above each other."""
    spans = fragments.spans
    heights = spans[:, 3] - spans[:, 1]
    large = heights >= LARGE * np.percentile(heights, 90)
    rows = _join_stacked(fragments, _rows(fragments, np.flatnonzero(large)), is_digit)
    usual = [_digit_height(spans[row]) for row in rows]
    small = np.flatnonzero(~large)
    near = [_nearest(spans, rows, usual, index) for index in small.tolist()]
    far = small[[row is None for row in near]]
    for index, row in zip(small.tolist(), near, strict=True):
        if row is not None:
            rows[row].append(index)
    lines = [TextLine(_left_to_right(spans, row), _digit_height(spans[row])) for row in rows]
    if far.size:  # by their own height, marks would look like small digits
        height = float(np.median(usual))
        lines += [TextLine(_left_to_right(spans, row), height) for row in _rows(fragments, far)]
    return sorted(lines, key=lambda line: spans[line.order, 1::2].mean())


def _rows(fragments: Fragments, large: np.ndarray) -> list[list[int]]:
    """The fragments ``large`` (n,), by the line they are on."""
    x0, y0, x1, y1 = fragments.spans[large].T
    lower = np.minimum((y1 - y0)[:, None], y1 - y0)
    beside = _shared(y0, y1) >= BESIDE * lower
    near = -_shared(x0, x1) <= REACH * lower
    return _join_words(fragments, connected(large, beside & near))


def connected(members: np.ndarray, linked: np.ndarray) -> list[list[int]]:
    """Members (n,) in groups, given which pairs (n,n) are linked."""
    count, labels = connected_components(linked, directed=False)
    return [members[labels == label].tolist() for label in range(count)]


def _shared(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(n,n): how much of the axis two intervals share; negative is the gap between them."""
    return np.asarray(np.minimum(high[:, None], high) - np.maximum(low[:, None], low))


def _join_words(fragments: Fragments, rows: list[list[int]]) -> list[list[int]]:
    """Rows far apart are words of one line if they overlap in y and neither is above the other."""
    x0, y0, x1, y1 = np.array([fragments.span(tuple(row)) for row in rows]).T
    lower = np.minimum((y1 - y0)[:, None], y1 - y0)
    one_line = (_shared(y0, y1) >= 0.5 * lower) & (_shared(x0, x1) <= 0)
    groups = connected(np.arange(len(rows)), one_line)
    return [[index for row in group for index in rows[row]] for group in groups]


def _join_stacked(fragments: Fragments, rows: list[list[int]], is_digit: Judge) -> list[list[int]]:
    """Two rows are the rings of 8s if each fragment of one is close above one of the other."""
    spans = fragments.spans
    joined: list[list[int]] = []
    for row in sorted(rows, key=lambda row: spans[row, 1].min()):
        above = joined[-1] if joined else []
        pairs = zip(_left_to_right(spans, above), _left_to_right(spans, row), strict=False)
        if len(above) == len(row) and all(_stacked(fragments, pair, is_digit) for pair in pairs):
            joined[-1] = above + row
        else:
            joined.append(row)
    return joined


def _stacked(fragments: Fragments, pair: Group, is_digit: Judge) -> bool:
    """Whether one fragment above another is one digit: beyond a small gap, if it looks like one."""
    (a0, b0, a1, b1), (c0, d0, c1, d1) = fragments.spans[list(pair)]
    lower, distance = min(b1 - b0, d1 - d0), fragments.distance(*pair)
    if min(a1, c1) - max(a0, c0) < 0.5 * min(a1 - a0, c1 - c0):
        return False
    touching = distance <= max(TOUCHING * lower, 2 * fragments.pen)  # a gap as wide as the pen
    return bool(touching or (distance <= STACKED * lower and is_digit(pair)))


def _nearest(
    spans: np.ndarray, rows: list[list[int]], heights: list[float], index: int
) -> int | None:
    """The row whose fragments are nearest to fragment ``index``, box to box; None if it is far."""
    x0, y0, x1, y1 = spans[index]
    gaps = []
    for row in rows:
        across = np.maximum(0, np.maximum(spans[row, 0] - x1, x0 - spans[row, 2]))
        down = np.maximum(0, np.maximum(spans[row, 1] - y1, y0 - spans[row, 3]))
        nearest = np.hypot(across, down).argmin()
        gaps.append((float(across[nearest]), float(down[nearest])))
    best = min(range(len(rows)), key=lambda row: math.hypot(*gaps[row]))
    (across, down), height = gaps[best], heights[best]
    length = min(BELONGS * max(x1 - x0, y1 - y0), HIGHEST * height)
    reach = max(length, STACKED * height)
    return best if down <= reach and across <= MARK_REACH * height else None


def _left_to_right(spans: np.ndarray, row: list[int]) -> list[int]:
    return sorted(row, key=lambda index: float(spans[index, 0] + spans[index, 2]))


def _digit_height(spans: np.ndarray) -> float:
    """How tall digits are in a line, given the spans (n,4) of its fragments.

    A tilted line is taller than its digits, so each fragment is measured together with those above
    and below it; the upper quartile is the height of a whole digit. Lengths are divided by the
    result, so it is never close to zero, even for dots and flat dashes.
    """
    x0, y0, x1, y1 = spans.T
    above = _shared(x0, x1) >= 0.5 * np.minimum((x1 - x0)[:, None], x1 - x0)
    tops = np.where(above, y0, np.inf).min(axis=1)
    bottoms = np.where(above, y1, -np.inf).max(axis=1)
    height = np.percentile(bottoms - tops, 75, method="higher")
    flat = y1 - y0 < FLAT * (x1 - x0)  # underlines say nothing of digits; a lone dash has to do
    width = (x1 - x0)[~flat if not flat.all() else flat].max()
    extent = max(x1.max() - x0.min(), y1.max() - y0.min(), np.finfo(float).tiny)
    return max(float(height), FLAT * float(width), float(extent) / MOST_FRAGMENTS)
