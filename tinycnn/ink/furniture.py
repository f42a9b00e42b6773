"""What is printed on a page around the writing: frames, boxes, rules, axes, edges of scans.

Furniture is straight and larger than the writing, or it surrounds it. Lines are sought in each
component of ink by itself, so that a small box is found as a large one is, and only the line is
taken away: a digit that touches its frame stays. In a drawing, whole strokes are furniture.
"""

from dataclasses import dataclass
from itertools import compress

import numpy as np
from scipy import ndimage

from tinycnn.ink.bitmaps import CONNECTED, INKED, Fragment, find_components, line_width
from tinycnn.ink.strokes import Strokes, bounds, resample

CELL = 4  # pixels: lines are sought on a coarse grid, so that small tilts need no trial
STEEPEST = 0.06  # rise over run: about 3.5 degrees
LONG = 0.7  # of the width of a page, or of a component, is covered by a line
THICKEST = 0.012  # of the page's width: thicker bars are not ruled lines
STOUTEST = 0.2  # of a frame's shorter side: thicker bars are no frame
VERTICAL = np.array([[0, 1, 0]] * 3)  # pixels above each other are one run

MOST = 40  # components that may be furniture: the largest ones
LEAST = 24  # pixels, longer side of them
BAR = 6  # times as long as wide: a component is a line, however thick
RIM = 0.2  # of a frame or a page, along each side
PURE = 0.9  # of a component's ink is a line: nothing else hangs on it
LARGER = 1.1  # times the tallest writing: a frame around it, or beside it
WHOLE = 0.6  # of what hangs on lines is one piece, if it is a digit
LONGER = 1.5  # times: a thinner line beside it is no digit
WIDEST = 3.0  # times: no digit is so wide
TALLEST = 4.0  # times: no stroke of a digit is so tall
THINNER = 0.7  # of the width of the writing's line
SMALL = 0.1  # of a line's length: smaller ink is a dot beside a 1, not writing beside a line
CIRCLED = 0.3  # of a ring's shorter side: ink inside is a digit, and the ring surrounds it
APART = 0.2  # of the tallest writing: what is no farther from it is no line beside it
OPEN = 0.2  # of a frame's longer side: so far apart may the ends of its stroke be
UPRIGHT = 0.3  # width over height: narrower ink in a ring is the slash of a zero


@dataclass(frozen=True)
class _Part:
    """A component of ink, and the straight lines in it."""

    place: tuple[slice, slice]
    mask: np.ndarray  # (h,w) bool
    rows: np.ndarray  # (h,w) bool: horizontal lines
    columns: np.ndarray  # (h,w) bool: vertical lines

    @property
    def lines(self) -> np.ndarray:
        return np.asarray(self.rows | self.columns)

    @property
    def pure(self) -> bool:
        return bool(np.count_nonzero(self.lines) >= PURE * np.count_nonzero(self.mask))

    def sides(self) -> int:
        """How many sides of its box are lines."""
        ends = [z[::step] for z in (self.rows, self.columns.T) for step in (1, -1)]
        rims = [z[: max(int(RIM * len(z)), CELL)] for z in ends]
        return sum(bool(rim.any(axis=0).mean() >= LONG) for rim in rims)


def remove_furniture(ink: np.ndarray) -> np.ndarray:
    """Ink (H,W) uint8 without what is no writing; all of it if nothing else would be left."""
    parts = _largest_parts(ink)
    candidates = [z for z in parts if z.lines.any() and (z.sides() > 2 or _is_long(z, ink.shape))]
    writing = _writing(ink, candidates)
    if not candidates or not writing:
        return _uncircled(ink, parts)
    tallest, pen = max(len(component.ink) for component in writing), line_width(writing)
    ink = ink.copy()
    for part in candidates:
        framing = part.sides() > 2 and any(_inside_box(part, component) for component in writing)
        taken = _taken(part, ink.shape, tallest, pen, framing)
        left = part.mask & ~taken
        if taken.any() and np.count_nonzero(left) <= (1 - PURE) * np.count_nonzero(part.mask):
            taken = part.mask
        ink[part.place][taken] = 0
    return _uncircled(ink, parts)


def _writing(ink: np.ndarray, candidates: list[_Part]) -> list[Fragment]:
    """The components beside the candidates; if there are none, what hangs on the lines in them.

    What is left of a digit whose own lines were taken away is in several pieces, and is none.
    """
    beside, hanging = ink.copy(), ink.copy()
    for part in candidates:
        beside[part.place][part.mask] = 0
        hanging[part.place][part.lines] = 0
    least, found = RIM * min(ink.shape), find_components(beside)
    shapes = [z.ink.shape for z in found]
    large = [max(h, w) >= least and h >= UPRIGHT * w for h, w in shapes]
    if any(large):
        return list(compress(found, large))
    pieces = find_components(hanging)
    areas = [np.count_nonzero(z.ink) for z in pieces]
    tallest = max((len(z.ink) for z in pieces), default=0)
    lined = any(z.sides() > 1 or z.mask.shape[1] >= WIDEST * tallest for z in candidates)
    high = all(tallest >= 0.5 * len(z.mask) for z in candidates)
    return pieces if lined and high and max(areas, default=0) >= WHOLE * sum(areas) else []


def _inside_box(part: _Part, component: Fragment) -> bool:
    """Whether a component of some size lies in the box of a part."""
    places = list(zip(part.place, component.place(), strict=True))
    inside = all(outer.start <= z.start and z.stop <= outer.stop for outer, z in places)
    return inside and max(component.ink.shape) >= CIRCLED * min(part.mask.shape)


def _largest_parts(ink: np.ndarray) -> list[_Part]:
    labels, _ = ndimage.label(ink >= INKED, CONNECTED)
    masks = [
        (place, labels[place] == number)
        for number, place in enumerate(ndimage.find_objects(labels), start=1)
        if max(labels[place].shape) >= LEAST
    ]
    largest = sorted(masks, key=lambda part: max(part[1].shape), reverse=True)[:MOST]
    return [_Part(place, mask, _rows_of(mask), _rows_of(mask.T).T) for place, mask in largest]


def _rows_of(mask: np.ndarray) -> np.ndarray:
    """The lines of a component that lie; all of it if it is nothing but a bar."""
    h, w = mask.shape
    return mask if w >= BAR * h else _horizontal(mask, max(STOUTEST * min(h, w), 2))


def _is_long(part: _Part, page: tuple[int, ...]) -> bool:
    """Whether lines cross most of the page."""
    pairs = zip((part.columns, part.rows.T), page, strict=True)
    return any(lines.any(axis=1).sum() >= LONG * length for lines, length in pairs)


def _taken(
    part: _Part, page: tuple[int, ...], tallest: int, pen: float, framing: bool
) -> np.ndarray:
    """The lines of a part that are no writing, (h,w) bool."""
    h, w = part.mask.shape
    length, ruled = max(h, w), np.count_nonzero(part.lines)
    thin = ruled <= THINNER * pen * (h + w)  # the axes of a plot are two lines in one component
    alone = part.pure and tallest >= SMALL * length
    if (framing and length >= LARGER * tallest) or (alone and thin and length >= LONGER * tallest):
        return part.lines
    if w >= WIDEST * tallest:
        return part.rows
    along = np.zeros_like(part.mask)  # lines from border to border, and along a border
    larger, (H, W) = (LARGER if part.pure else LONGER) * tallest, page
    if larger <= h == H and w < W:
        along |= part.columns
    if larger <= w == W:
        along |= part.rows
    if part.pure and (w > h or h >= larger) and _beside_border(part.place, page):
        along |= part.lines
    return along


def _beside_border(place: tuple[slice, slice], page: tuple[int, ...]) -> bool:
    """Whether a part reaches a border of the page along most of its length."""
    for (along, across), (length, other) in ((place, page), (place[::-1], page[::-1])):
        near = across.start <= 1 or across.stop >= other - 1
        if near and along.stop - along.start >= LONG * length:
            return True
    return False


def _uncircled(ink: np.ndarray, parts: list[_Part]) -> np.ndarray:
    """Ink without the rings and boxes that surround other ink."""
    for part in parts:
        inside = ndimage.binary_fill_holes(part.mask) & ~part.mask
        labels, _ = ndimage.label(inside & (ink[part.place] >= INKED), CONNECTED)
        least = CIRCLED * min(part.mask.shape)
        for y, x in ndimage.find_objects(labels):
            h, w = y.stop - y.start, x.stop - x.start
            if max(h, w) >= least and (min(h, w) >= UPRIGHT * max(h, w) or part.sides() > 3):
                ink = ink.copy()
                ink[part.place][part.mask] = 0
                break
    return ink


def furniture_of(strokes: Strokes) -> list[int]:
    """The numbers of the strokes (n,2) that frame others, or rule the page beside them."""
    if len(strokes) < 2:
        return []
    spans = np.array([bounds([stroke]) for stroke in strokes])
    sizes = spans[:, 2:] - spans[:, :2]
    frames = {i for i in range(len(strokes)) if _surrounds(strokes, sizes, i)} | _border_of(strokes)
    standing, lying = (sizes[:, k] <= STEEPEST * sizes[:, 1 - k] for k in (0, 1))
    tallest = sizes[~standing, 1].max(initial=0)
    long = lying & (sizes[:, 0] >= LONGER * tallest)
    left, high, right, low = spans[~standing & ~lying].T if tallest else spans.T
    first, last = left.min(initial=np.inf), right.max(initial=-np.inf)
    beside = np.maximum(first - spans[:, 2], spans[:, 0] - last) > APART * tallest
    outside = (spans[:, 1] > low.max(initial=-np.inf)) | (spans[:, 3] < high.min(initial=np.inf))
    on_axis = (abs(spans[:, 3:] - spans[long, 1]) <= SMALL * sizes[:, 1:]).any(axis=1)
    longer = sizes[:, 1] >= np.where(on_axis, LARGER, TALLEST) * tallest
    rules = np.flatnonzero((tallest > 0) & ((standing & beside & longer) | (long & outside)))
    found = sorted(frames | set(map(int, rules)))
    return found if len(found) < len(strokes) else []


def _surrounds(strokes: Strokes, sizes: np.ndarray, index: int) -> bool:
    """Whether a stroke closes around another one: a box around anything, a ring around a digit."""
    line = resample(strokes[index], max(float(sizes[index].max()), 1e-9) / 50)
    if np.hypot(*(line[0] - line[-1])) > OPEN * sizes[index].max():
        return False
    x0, y0, x1, y1 = bounds([line])
    edge = np.minimum(abs(line - (x0, y0)), abs(line - (x1, y1))) / np.maximum(sizes[index], 1e-9)
    boxed = (edge.min(axis=1) <= RIM / 2).mean() >= PURE
    large = sizes.max(axis=1) >= CIRCLED * sizes[index].min()
    wide = boxed | (sizes.min(axis=1) >= UPRIGHT * sizes.max(axis=1))
    others = [z for k, z in enumerate(strokes) if k != index and large[k] and wide[k]]
    return any(_inside(line, other).mean() >= PURE for other in others)


def _inside(ring: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Which points (n,2) a closed line (m,2) surrounds: a ray to the right crosses it oddly."""
    (x, y), (x0, y0), (x1, y1) = points.T[..., None], ring.T, np.roll(ring, -1, axis=0).T
    with np.errstate(divide="ignore", invalid="ignore"):
        crossed = ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return np.asarray(crossed.sum(axis=1) % 2 == 1)


def _border_of(strokes: Strokes) -> set[int]:
    """The strokes that together draw all four sides of the box around the drawing."""
    x0, y0, x1, y1 = bounds(strokes)
    extent = np.array([x1 - x0, y1 - y0])
    sides = []
    for axis, at in ((0, x0), (0, x1), (1, y0), (1, y1)):
        rim = RIM / 2 * extent[axis]
        near = [i for i, z in enumerate(strokes) if (abs(z[:, axis] - at) <= rim).all()]
        reach = sum(np.ptp(strokes[i][:, 1 - axis]) for i in near)
        sides.append(set(near) if reach >= LONG * extent[1 - axis] else set())
    return set().union(*sides) if all(sides) else set()


def find_ruled_lines(ink: np.ndarray) -> np.ndarray:
    """Straight lines across the page, in both directions; ink (H,W) bool -> (H,W) bool.

    A ruled line shows as a row of ink nearly as long as the page, perhaps a little tilted. Along
    it, runs of ink hardly thicker than the line are found; where handwriting crosses, the ink is
    thicker and stays.
    """
    H, W = ink.shape
    rows, columns = (_horizontal(z, max(THICKEST * n, 2)) for z, n in ((ink, W), (ink.T, H)))
    return np.asarray(rows | columns.T)


def _horizontal(ink: np.ndarray, thickest: float) -> np.ndarray:
    near = np.zeros_like(ink)
    columns = np.arange(ink.shape[1])
    for start, rise in _rows(ink):
        for beside in range(-CELL, CELL + 1):
            rows = np.rint(start + rise * columns).astype(int) + beside
            inside = (rows >= 0) & (rows < ink.shape[0])
            near[rows[inside], columns[inside]] = True
    return _thin_runs(ink, near, thickest) if near.any() else near


def _rows(ink: np.ndarray) -> list[tuple[float, float]]:
    """Straight rows of ink across the page: y at x = 0 in pixels, and rise over run."""
    H, W = (length // CELL for length in ink.shape)
    cells = ink[: H * CELL, : W * CELL].reshape(H, CELL, W, CELL).any(axis=(1, 3))
    y, x = np.nonzero(cells)
    reach = int(np.ceil(STEEPEST * W))
    found: list[tuple[float, float]] = []
    for rise in np.arange(-reach, reach + 1) / max(W, 1):
        covered = np.bincount(np.rint(y - rise * x).astype(int) + reach, minlength=H + 2 * reach)
        starts = np.flatnonzero(covered >= LONG * W) - reach + 0.5
        found += [(float(start) * CELL, float(rise)) for start in starts]
    return found


def _thin_runs(ink: np.ndarray, near: np.ndarray, thickest: float) -> np.ndarray:
    """The vertical runs of ink near a line that are about as thick as it, (H,W) bool."""
    runs, count = ndimage.label(ink, VERTICAL)
    length = np.bincount(runs.ravel())
    touched = np.zeros(count + 1, bool)
    touched[runs[near & ink]] = True
    usual = float(np.median(length[touched])) if touched.any() else 0.0
    thin = touched & (length <= min(1.5 * usual + 1, thickest))
    return np.asarray(thin[runs])
