"""Where a component of ink could be cut, if it were two digits that touch.

A seam is a path from the top to the bottom of the component that goes down one row at a time,
straight or diagonally, and crosses as little ink as it can. This module does not decide whether a
component is two digits: seams divide it into fragments, and segmentation weighs joining them again.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PIL import Image
from scipy import ndimage

from tinycnn.ink.bitmaps import INKED, Fragment, box_of, find_components, line_width
from tinycnn.ink.fragments import BitmapFragments, connected, find_lines

WIDE = 0.5  # line heights: a component narrower or lower than this is not two digits
HEIGHT = 48  # rows of the small copy on which seams are searched
PAPER = 0.05  # cost of a step on paper, so that seams across paper are straight
INNER = (0.0, 0.5)  # costs of a step between ink above and ink below
APART = 0.08  # heights: seams are no nearer to each other, nor to the ends of the component
RING = 0.4  # of a component's box
MOST = 14  # seams of one component
FEWEST = 5  # dashes at least of a broken digit
DASHES = 1.6  # pens between them at most
BROKEN = 0.45  # of the digit's height: none of them is longer
HOPELESS = 2.5  # log-odds: seams that look less likely than one in twelve are not tried


Seam = tuple[np.ndarray, float]
"""Its column in each row (H,), and the log-odds that the ink on both sides is one digit."""


def split_components(ink: np.ndarray) -> BitmapFragments:
    """The components of a page of ink (H,W) uint8, each split at every seam worth trying.

    Raises ImageError if there are too many components.
    """
    components = find_components(ink)
    pen = line_width(components)
    components = join_broken(components, pen)
    whole = BitmapFragments(components, pen)
    if not components:
        return whole
    heights = {index: line.height for line in find_lines(whole) for index in line.order}
    parts = [_split(z, heights[i], whole.pen) for i, z in enumerate(components)]
    return BitmapFragments([fragment for part in parts for fragment in part], whole.pen)


def join_broken(components: Sequence[Fragment], pen: float) -> list[Fragment]:
    """Put the dashes of broken lines together: many small components in reach of each other."""
    whole = BitmapFragments(components, 0.0)
    low, high = whole.boxes[:, :2], whole.boxes[:, 2:]
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    single, joined = [], []
    for group in connected(np.arange(len(components)), shared.min(axis=2) >= -DASHES * pen):
        members = [components[index] for index in group]
        left, top, _, height = whole.box(tuple(group))
        longest = max(max(z.ink.shape) for z in members)
        if len(group) >= FEWEST and longest <= BROKEN * height:
            ink = whole.ink(tuple(group))
            joined.append(Fragment(int(top), int(left), ink, members[0].component))
        else:
            single += members
    return single + joined


def _split(component: Fragment, height: float, pen: float) -> list[Fragment]:
    """The parts of a component on a line of digits of that height, written with that pen."""
    H, W = component.ink.shape
    may_be_two = min(H, W) >= WIDE * height and 2 * pen <= W and not _is_ring(component.ink)
    seams = find_seams(component.ink, height) if may_be_two else []
    edges = np.maximum.accumulate([np.zeros(H), *(columns for columns, _ in seams), np.full(H, W)])
    columns = np.arange(W) + 0.5
    parts = []
    odds = [None, *(odds for _, odds in seams)]
    for seam_odds, left, right in zip(odds, edges[:-1], edges[1:], strict=True):
        between = (columns >= left[:, None]) & (columns < right[:, None])
        pixels = np.where(between, component.ink, 0)
        if (pixels >= INKED).any():
            y0, x0, y1, x1 = box_of(pixels >= INKED)
            corner, inner = (component.top + y0, component.left + x0), pixels[y0:y1, x0:x1]
            parts.append(Fragment(*corner, inner, component.component, seam_odds))
    return parts


def _is_ring(ink: np.ndarray) -> bool:
    """Whether most of the box of a component is one hole, as in a zero of any width."""
    filled = ndimage.binary_fill_holes(ink >= INKED)
    holes, count = ndimage.label(filled & (ink < INKED))
    return bool(count and np.bincount(holes.ravel())[1:].max() >= RING * ink.size)


def find_seams(ink: np.ndarray, height: float) -> list[Seam]:
    """The seams worth trying, from left to right.

    ink (H,W) uint8, one component, cut out tightly; height, in pixels, of a digit on its line
    -> seams: pixels left of a seam have smaller columns.
    """
    H, W = ink.shape
    size = max(round(W * HEIGHT / H), 1), HEIGHT
    small = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX)) / np.float32(255)
    inked = small >= 0.5
    below = np.logical_or.accumulate(inked[::-1])[::-1]
    inside = np.logical_or.accumulate(inked) & below  # of the outline, column by column
    rows = (np.arange(H) + 0.5) * HEIGHT / H - 0.5
    seams = []
    for inner in INNER:
        cost = PAPER + np.maximum(small, inner * inside)
        down, up = _descend(cost), _descend(cost[::-1])[::-1]
        through = down + up - cost  # the cheapest seam through each place
        for column in _valleys(through[HEIGHT // 2]):
            path = _path(down, up, column)
            odds = _odds(inked, path, height * HEIGHT / H)
            if odds < HOPELESS:
                columns = np.interp(rows, np.arange(HEIGHT), path + 0.5) * W / inked.shape[1]
                seams.append((columns, odds))
    return _apart(seams, APART * H)


def _apart(seams: list[Seam], distance: float) -> list[Seam]:
    """The likeliest seams, none nearer to another than ``distance``, from left to right."""
    kept: list[Seam] = []
    for columns, odds in sorted(seams, key=lambda seam: seam[1]):
        if all(abs(columns - other).mean() >= distance for other, _ in kept):
            kept.append((columns, odds))
    return sorted(kept[:MOST], key=lambda seam: seam[0].mean())


def _odds(ink: np.ndarray, seam: np.ndarray, height: float) -> float:
    """Log-odds that the two sides of a seam are one digit, ink (48,W) bool.

    A logistic regression on 21,000 seams through pen digits that touch or do not. Digits meet
    where the outline of the component is narrow, each is about as high as a digit, and neither
    reaches far across the other. (The bias is half a unit lower than fitted: where a
    seam is missing a digit is lost, and the classifier rejects most of the needless seams.)
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
    """The first and the last row (axis 0) or column (1) with ink; 0 and -1 without ink."""
    places = np.flatnonzero(ink.any(axis=1 - axis))
    return (int(places[0]), int(places[-1])) if places.size else (0, -1)


def _descend(cost: np.ndarray) -> np.ndarray:
    """total[i,j]: cost of the cheapest seam from the first row to (i,j), both included."""
    total = cost.copy()
    for above, row in pairwise(total):
        row += ndimage.minimum_filter1d(above, 3)  # straight on, or diagonally
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


def _path(down: np.ndarray, up: np.ndarray, column: int) -> np.ndarray:
    """The cheapest seam through the middle row at ``column``: its column in every row."""
    seam = np.full(HEIGHT, column)
    for total, rows in ((down, range(HEIGHT // 2)[::-1]), (up, range(HEIGHT // 2 + 1, HEIGHT))):
        for i in rows:
            near = np.clip(column + np.array([0, -1, 1]), 0, total.shape[1] - 1)
            seam[i] = column = near[total[i, near].argmin()]  # straight on if all are equal
        column = seam[HEIGHT // 2]
    return seam
