"""Negatives: images that are not digits, so that a network learns when not to answer.

A network that has seen nothing but digits takes everything for one. These teach it to be unsure:
mirrored and rotated digits, two digits in one place, rings with a gap or a bar as in u and e, nines
without a stem as in a, letters made of a few lines, scribbles, and images with almost no ink.
"""

from collections.abc import Callable, Collection

import numpy as np
from scipy import ndimage

from tinycnn.augment.refit import MIDDLE, center_of_mass, columns_with_ink, refitted, resized
from tinycnn.augment.strokes import add_marks, pens
from tinycnn.data.mnist import BOX, SIZE

Random = np.random.Generator

Some = Callable[[Collection[int], int], np.ndarray]
"""From some of the ten digits and a number to so many images of them, drawn at random."""

Maker = Callable[[Some, int, Random], np.ndarray]
"""Makes a number of negatives (count,28,28) uint8, not refitted."""


def make_non_digits(images: np.ndarray, labels: np.ndarray, count: int, rng: Random) -> np.ndarray:
    """Make ``count`` negatives (count,28,28) uint8 from images (B,28,28) of digits."""
    blank = np.zeros((count, SIZE, SIZE), np.uint8)

    def some(digits: Collection[int], count: int) -> np.ndarray:
        fit = np.flatnonzero(np.isin(labels, list(digits)))
        return images[rng.choice(fit, count)] if len(fit) else blank[:count]

    kinds = rng.choice(len(MAKERS), count, p=list(MAKERS.values()))
    made = blank.copy()
    for kind, make in enumerate(MAKERS):
        these = np.flatnonzero(kinds == kind)
        if len(these):
            made[these] = make(some, len(these), rng)
    large = kinds != list(MAKERS).index(almost_blank)
    made[large] = refitted(made[large])
    return made


def rotated(some: Some, count: int, rng: Random) -> np.ndarray:
    """Mirrored, upside-down and sideways digits, where the result is not a digit."""
    ways: list[tuple[Callable[[np.ndarray], np.ndarray], tuple[int, ...]]] = [
        (lambda z: z[:, :, ::-1], (2, 3, 4, 5, 6, 7, 9)),
        (lambda z: z[:, ::-1, ::-1], (3, 4, 7)),
        (lambda z: z[:, ::-1].transpose(0, 2, 1), (2, 3, 4, 5, 6, 7, 9)),
        (lambda z: z.transpose(0, 2, 1)[:, ::-1], (2, 3, 4, 5, 6, 7, 9)),
    ]
    chosen = rng.integers(len(ways), size=count)
    made = np.empty((count, SIZE, SIZE), np.uint8)
    for way, (rotate, digits) in enumerate(ways):
        these = chosen == way
        made[these] = rotate(some(digits, int(np.count_nonzero(these))))
    return made


def squeezed(some: Some, count: int, rng: Random) -> np.ndarray:
    """Two digits in the place of one, close together."""
    one, other = some(range(10), count), some(range(10), count)
    size = rng.uniform([0.6, 0.4], [0.8, 0.5], (count, 2))
    places = np.zeros((count, 2))
    places[:, 1] = size[:, 1] * rng.uniform(0.25, 0.4, count) * SIZE
    together: np.ndarray = np.maximum(resized(one, size, -places), resized(other, size, places))
    return together


def opened(some: Some, count: int, rng: Random) -> np.ndarray:
    """Zeros with a gap at the top, on the right or at the bottom, as in u, c and n."""
    rings = some((0,), count)
    ahead = np.arange(SIZE) - MIDDLE
    side, depth, width = rng.uniform([[0], [1], [4]], [[3], [6], [9]], (3, count))[:, :, None, None]
    toward = np.choose(side.astype(int), [-ahead[:, None], ahead, ahead[:, None]])
    across = np.where(side.astype(int) == 1, ahead[:, None], ahead)
    gap = (toward > depth) & (abs(across) < width)
    return np.where(gap, 0, rings).astype(np.uint8)


def barred(some: Some, count: int, rng: Random) -> np.ndarray:
    """Zeros with a bar in the middle and a gap on the right, below it as in e or above as in G."""
    rings = some((0,), count)
    ahead = np.arange(SIZE) - MIDDLE
    side = rng.choice([1, -1], count, p=(0.65, 0.35))  # e, G
    row = rng.normal(0, 1.5, count)
    depth, reach = rng.uniform([[0], [3]], [[3], [7]], (2, count))[:, :, None, None]
    below = ((ahead - row[:, None]) * side[:, None])[:, :, None]
    gap = (below > 0) & (below < reach) & (ahead > depth)
    left, right = columns_with_ink(rings)
    start = np.where(side > 0, left + 0.5, MIDDLE + rng.uniform(-1, 4, count))
    tilt = rng.normal(0, 1.2, count)
    bar = np.array([[row + tilt, start - MIDDLE], [row - tilt, right - 0.5 - MIDDLE]]) + MIDDLE
    return add_marks(
        np.where(gap, np.uint8(0), rings), bar.T.swapaxes(1, 2)[:, None], pens(count, rng)
    )


def cut_short(some: Some, count: int, rng: Random) -> np.ndarray:
    """Nines whose stem ends where the loop does, with or without a tail, as in a."""
    nines = some((9,), count)
    last = MIDDLE + rng.uniform(1, 4.5, count)
    kept = np.clip(last[:, None] - np.arange(SIZE) + 0.5, 0, 1)
    short = (nines * kept[:, :, None]).astype(np.uint8)
    on_the_right = short[np.arange(count), last.astype(int)] * (np.arange(SIZE) > MIDDLE - 2)
    end = np.stack([last, center_of_mass(on_the_right)], axis=1)
    tail = np.stack([end, end + rng.uniform([-1, 1], [2, 5], (count, 2))], axis=1)
    tail[rng.random(count) < 0.35] = np.nan
    return add_marks(short, tail[:, None], pens(count, rng))


ALPHABET = """
    062046.1434 40000646.0333 400006.0333 4130100105163645434323 0006.4046.0343 1030.3035261605
    1040.3034251605 0006.400346 0600244046 06004640 0600.003041433303 0600.003041330346 0040.2026
    0004163644.4046 002640 0006244640 4006.0046 002340.2326 4231120405163544.414546
    42301203041535.4046 03434231110305163645 0006.0413334346 31351605 0106.0312324346
    0106.0121323313 0106.03123141 20253646.0242 020516364542.4246 01133341.4106 01042534.4145361605
"""
"""Letters that are no digits: polylines of points x, y on a grid of 5 x 7, from A to y."""


def letters(some: Some, count: int, rng: Random) -> np.ndarray:
    """Letters, written with an unsteady hand."""
    made, widths = np.zeros((count, SIZE, SIZE), np.uint8), pens(count, rng)
    alphabet = ALPHABET.split()
    kinds = rng.integers(len(alphabet), size=count)
    wide, slant = rng.uniform([[[0.8]], [[-0.2]]], [[[1.4]], [[0.5]]], (2, count, 1))
    for kind in np.unique(kinds):
        these = kinds == kind
        for stroke in alphabet[kind].split("."):
            corners = np.array([*map(int, stroke)], float).reshape(-1, 2)[:, ::-1] - [3, 2]
            corners = corners + rng.normal(0, 0.3, (np.count_nonzero(these), *corners.shape))
            path = _rounded(corners, int(rng.integers(1, 8))) * (BOX - 3) / 6
            path[:, :, 1] = path[:, :, 1] * wide[these] - path[:, :, 0] * slant[these]
            made[these] = add_marks(made[these], MIDDLE + path[:, None], widths[these])
    return made


def _rounded(corners: np.ndarray, over: int) -> np.ndarray:
    """Lines (count,24,2) through corners (count,P,2), averaged ``over`` neighboring points."""
    P = corners.shape[1]
    along = np.linspace(0, P - 1, 24)
    weights = np.stack([np.interp(along, range(P), row) for row in np.eye(P)], axis=1)
    smoothed: np.ndarray = ndimage.uniform_filter1d(weights, over, axis=0, mode="nearest") @ corners
    return smoothed


def scribbles(some: Some, count: int, rng: Random) -> np.ndarray:
    """A wandering line: a few waves in both directions."""
    time = np.linspace(0, 2 * np.pi, 40)
    waves = np.arange(2, 6) * rng.uniform(0.7, 1.2, (count, 2, 1))
    phase = rng.uniform(0, 2 * np.pi, (count, 2, 4, 1))
    swing = rng.standard_normal((count, 2, 4)) / np.sqrt(np.arange(2, 6))
    path = np.einsum("ndw,ndwt->ntd", swing, np.sin(waves[..., None] * time + phase))
    path -= (path.min(axis=1, keepdims=True) + path.max(axis=1, keepdims=True)) / 2
    path *= (BOX - 3) / 2 / abs(path).max(axis=(1, 2), keepdims=True)
    return add_marks(
        np.zeros((count, SIZE, SIZE), np.uint8), MIDDLE + path[:, None], pens(count, rng)
    )


def almost_blank(some: Some, count: int, rng: Random) -> np.ndarray:
    """A dot, a dash, a few specks, or a blank image."""
    kind = rng.integers(4, size=count)
    spots = MIDDLE + rng.uniform(-8, 8, (count, 4, 2)) * (kind == 2)[:, None, None]
    marks = np.stack([spots, spots], axis=2)
    marks[(np.arange(4) >= rng.integers(1, 5, (count, 1)))] = np.nan
    dash = rng.uniform([-2, 3], [2, 9], (count, 2)) * (kind == 1)[:, None]
    marks[:, 0] += np.stack([-dash, dash], axis=1)
    marks[kind == 3] = np.nan
    thick = rng.random(count) < 0.3
    blank = np.zeros((count, SIZE, SIZE), np.uint8)
    return add_marks(blank, marks, np.where(thick, rng.uniform(4, 20, count), pens(count, rng)))


MAKERS: dict[Maker, float] = {
    rotated: 0.25,
    squeezed: 0.15,
    opened: 0.06,
    barred: 0.12,
    cut_short: 0.12,
    letters: 0.2,
    scribbles: 0.05,
    almost_blank: 0.05,
}
"""The kinds and their shares."""
