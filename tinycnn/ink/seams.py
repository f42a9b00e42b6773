"""Where a component of ink could be cut, if it were two digits that touch.

A cut is a path from the top to the bottom of the component that goes down one row at a time,
straight or diagonally, and crosses as little ink as it can (a seam). Whether a component is cut
at all is not decided here: cuts make pieces, and segmentation weighs joining them again.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

HEIGHT = 48  # rows of the small copy on which seams are searched
PAPER = 0.05  # cost of a step on paper, so that cuts are straight where nothing speaks against it
INNER = (0.0, 0.5)  # costs of a step between ink above and ink below
APART = 0.08  # heights: seams are no nearer to each other, nor to the ends of the component
MOST = 14  # seams of one component
HOPELESS = 2.5  # log-odds: cuts that look less likely than one in twelve are not tried


@dataclass(frozen=True)
class Cut:
    """A seam through a component: its column in each row, and the log-odds that it cuts a digit."""

    columns: np.ndarray
    odds: float


def find_seams(ink: np.ndarray, height: float) -> list[Cut]:
    """The seams worth trying, from left to right.

    ink (H,W) uint8, one component, cut out tightly; height, in pixels, that of a digit on its line
    -> cuts with columns (H,): what lies left of the seam has smaller ones.
    """
    H, W = ink.shape
    size = max(round(W * HEIGHT / H), 1), HEIGHT
    small = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX)) / np.float32(255)
    inked = small >= 0.5
    rows = (np.arange(H) + 0.5) * HEIGHT / H - 0.5
    cuts = []
    for inner in INNER:
        cost = PAPER + np.maximum(small, inner * _between(inked))
        down, up = _descend(cost), _descend(cost[::-1])[::-1]
        through = down + up - cost  # the cheapest seam through each place
        for column in _valleys(through[HEIGHT // 2]):
            seam = _trace(down, up, column)
            odds = _odds(inked, seam, height * HEIGHT / H)
            if odds < HOPELESS:
                columns = np.interp(rows, np.arange(HEIGHT), seam + 0.5) * W / inked.shape[1]
                cuts.append(Cut(columns, odds))
    return _apart(cuts, APART * H)


def _between(ink: np.ndarray) -> np.ndarray:
    """Where there is ink above and below: what the outline encloses, column by column."""
    above = np.logical_or.accumulate(ink)
    below = np.logical_or.accumulate(ink[::-1])[::-1]
    return above & below


def _apart(cuts: list[Cut], distance: float) -> list[Cut]:
    """The likeliest cuts, none nearer to another than ``distance``, from left to right."""
    kept: list[Cut] = []
    for cut in sorted(cuts, key=lambda cut: cut.odds):
        if all(abs(cut.columns - other.columns).mean() >= distance for other in kept):
            kept.append(cut)
    return sorted(kept[:MOST], key=lambda cut: cut.columns.mean())


def _odds(ink: np.ndarray, seam: np.ndarray, height: float) -> float:
    """Log-odds that the two sides of a seam are one digit, ink (48,W) bool.

    A logistic regression on 21,000 seams through pen digits that touch or do not. Digits meet
    where the outline of the component is narrow, each is about as high as a digit, and neither
    reaches far across the other. (Half a unit is taken off: a cut that was not tried is lost,
    and the classifier turns down most of those that were in vain.)
    """
    H, W = ink.shape
    left = np.arange(W) < seam[:, None]
    sides = ink & left, ink & ~left
    if not (sides[0].any() and sides[1].any()):
        return np.inf
    rows, columns = ([_span(side, axis) for side in sides] for axis in (0, 1))
    lower = min(last - first + 1 for first, last in rows) / height
    narrower = min(last - first + 1 for first, last in columns) / height
    across = (columns[0][1] - columns[1][0]) / height
    top, bottom = _span(ink[np.arange(H), seam][:, None], 0)
    narrow = (bottom - top + 1) / height
    return 6.0 - 5.7 * lower - 1.6 * narrower + 2.7 * narrow + 7.3 * across


def _span(ink: np.ndarray, axis: int) -> tuple[int, int]:
    """The first and the last row (axis 0) or column with ink; where none is, a span of nothing."""
    places = np.flatnonzero(ink.any(axis=1 - axis))
    return (int(places[0]), int(places[-1])) if places.size else (0, -1)


def _descend(cost: np.ndarray) -> np.ndarray:
    """total[i,j]: cost of the cheapest seam from the first row to (i,j), both included."""
    total = cost.copy()
    for i in range(1, len(cost)):
        above = total[i - 1]
        cheapest = above.copy()
        np.minimum(cheapest[1:], above[:-1], out=cheapest[1:])
        np.minimum(cheapest[:-1], above[1:], out=cheapest[:-1])
        total[i] += cheapest
    return total


def _valleys(profile: np.ndarray) -> list[int]:
    """Places of the lowest values, cheapest first, at a distance from each other and the ends."""
    apart = round(APART * HEIGHT)
    free = np.zeros(len(profile), bool)
    free[apart : len(profile) - apart] = True
    found: list[int] = []
    while free.any() and len(found) < MOST:
        place = int(np.where(free, profile, np.inf).argmin())
        found.append(place)
        free[max(place - apart, 0) : place + apart + 1] = False
    return sorted(found)


def _trace(down: np.ndarray, up: np.ndarray, column: int) -> np.ndarray:
    """The cheapest seam through the middle row at ``column``: its column in every row."""
    seam = np.empty(HEIGHT, np.intp)
    middle = HEIGHT // 2
    seam[middle] = column
    for i in range(middle - 1, -1, -1):
        seam[i] = _cheapest_near(down[i], seam[i + 1])
    for i in range(middle + 1, HEIGHT):
        seam[i] = _cheapest_near(up[i], seam[i - 1])
    return seam


def _cheapest_near(total: np.ndarray, column: int) -> int:
    """The neighbor with the least total; straight on where all are alike."""
    low = max(column - 1, 0)
    near = total[low : column + 2]
    best = int(near.argmin())
    return column if near[column - low] <= near[best] else low + best
