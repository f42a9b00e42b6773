"""Where a blot of ink could be cut, if it were two digits that touch.

A cut is a path from the top to the bottom of the blot that goes down one row at a time, straight
or diagonally, and crosses as little ink as it can (a seam). Whether a blot is cut at all is not
decided here: cuts make pieces, and segmentation weighs joining them again.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

HEIGHT = 48  # rows of the small copy on which seams are searched
PAPER = 0.05  # cost of a step on paper, so that cuts are straight where nothing speaks against it
APART = 0.15  # heights: seams are no nearer to each other, nor to the ends of the blot
MOST = 8  # seams of one blot
HOPELESS = 2.5  # log-odds: cuts that look less likely than one in twelve are not tried


@dataclass(frozen=True)
class Cut:
    """A seam through a blot: its column in each row, and the log-odds that it cuts a digit."""

    columns: np.ndarray
    odds: float


def find_cuts(ink: np.ndarray, pen: float, height: float) -> list[Cut]:
    """The seams worth trying, from left to right.

    ink (H,W) uint8, one blot, cut out tightly; pen, the width of its line, and height, that of
    a digit on its line, in pixels -> cuts with columns (H,): what lies left of the seam has
    smaller ones.
    """
    H, W = ink.shape
    small = Image.fromarray(ink).resize(
        (max(round(W * HEIGHT / H), 1), HEIGHT), Image.Resampling.BOX
    )
    cost = np.asarray(small, np.float32) / 255
    down, up = _descend(cost + PAPER), _descend(cost[::-1] + PAPER)[::-1]
    through = down + up - cost - PAPER  # the cheapest seam through each place
    rows = (np.arange(H) + 0.5) * HEIGHT / H - 0.5
    cuts = []
    for column in _valleys(through[HEIGHT // 2]):
        seam = _trace(down, up, column)
        odds = _odds(cost, seam, pen * HEIGHT / H, height * HEIGHT / H)
        if odds < HOPELESS:
            columns = np.interp(rows, np.arange(HEIGHT), seam + 0.5) * W / cost.shape[1]
            cuts.append(Cut(columns, odds))
    return cuts


def _odds(ink: np.ndarray, seam: np.ndarray, pen: float, height: float) -> float:
    """Log-odds that the two sides of a seam are one digit, ink (48,W) from 0 to 1.

    A logistic regression on 6,766 seams through pen digits that touch or do not: digits that
    touch do so at one place, and there is ink of about a digit's height on both sides.
    """
    H, W = ink.shape
    left = np.arange(W) < seam[:, None]
    lower = min(_height(ink, left), _height(ink, ~left)) / height
    crossed = float(ink[np.arange(H), seam].sum()) / max(pen, 1.0)
    w = WEIGHTS
    return w[0] + w[1] * crossed + w[2] * W / height + w[3] * lower


WEIGHTS = (9.9, 1.4, -1.5, -8.7)


def _height(ink: np.ndarray, where: np.ndarray) -> int:
    rows = np.flatnonzero(((ink >= 0.5) & where).any(axis=1))
    return int(rows[-1] - rows[0]) + 1 if rows.size else 0


def _descend(cost: np.ndarray) -> np.ndarray:
    """total[i,j]: cost of the cheapest seam from the first row to (i,j), both included."""
    total = cost.copy()
    for i in range(1, len(cost)):
        above = np.pad(total[i - 1], 1, constant_values=np.inf)
        total[i] += np.minimum(np.minimum(above[:-2], above[2:]), above[1:-1])
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
    """The neighbour with the least total; straight on where all are alike."""
    low = max(column - 1, 0)
    near = total[low : column + 2]
    best = int(near.argmin())
    return column if near[column - low] <= near[best] else low + best
