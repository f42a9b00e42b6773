"""Negatives: images that are not digits, so that a network learns when not to answer.

A network that has seen nothing but digits takes everything for one. These teach it to be unsure:
mirrored and rotated digits, halves of two digits in one image, two digits squeezed into one place,
rings with a stem or a gap as in a and u, frames of straight lines as in A and K, scribbles, and
images with almost no ink.
"""

from collections.abc import Callable, Sequence

import numpy as np

from tinycnn.augment.refit import MIDDLE, columns_with_ink, refitted, resized
from tinycnn.augment.strokes import add_marks
from tinycnn.augment.styles import pens
from tinycnn.data.mnist import BOX, SIZE

Maker = Callable[[np.ndarray, np.ndarray, int, np.random.Generator], np.ndarray]
"""From digits, images (B,28,28) uint8 and labels (B,), to ``count`` negatives, not refitted."""


def make_non_digits(
    images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Make ``count`` negatives (count,28,28) uint8 from images (B,28,28) of digits."""
    kinds = rng.choice(len(MAKERS), count, p=list(MAKERS.values()))
    made = np.zeros((count, SIZE, SIZE), np.uint8)
    for kind, make in enumerate(MAKERS):
        these = np.flatnonzero(kinds == kind)
        if len(these):
            made[these] = make(images, labels, len(these), rng)
    large = kinds != list(MAKERS).index(almost_blank)
    made[large] = refitted(made[large])
    return made


def rotated(
    images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
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
        made[these] = rotate(_some(images, labels, digits, int(np.count_nonzero(these)), rng))
    return made


def spliced(
    images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Half of one digit and half of another, side by side or one above the other."""
    one, other = _pairs(images, labels, count, rng)
    upper = np.arange(SIZE)[:, None] < SIZE // 2
    lying = rng.random((count, 1, 1)) < 0.5
    return np.where(np.where(lying, upper, upper.T), one, other)


def squeezed(
    images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Two digits in the place of one, close together."""
    one, other = _pairs(images, labels, count, rng)
    size = rng.uniform([0.6, 0.4], [0.8, 0.5], (count, 2))
    places = np.zeros((count, 2))
    places[:, 1] = size[:, 1] * rng.uniform(0.25, 0.4, count) * SIZE
    together: np.ndarray = np.maximum(resized(one, size, -places), resized(other, size, places))
    return together


def stemmed(
    images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Zeros with a stem, as in a, d and p."""
    rings = resized(_some(images, labels, (0,), count, rng), rng.uniform(0.65, 0.85, (count, 2)))
    left, right = columns_with_ink(rings)
    top, bottom = MIDDLE - 7, MIDDLE + 7
    kind = rng.choice(3, count, p=(0.5, 0.3, 0.2))  # a, d, p
    column = np.where(kind == 2, left + 0.5, right - 0.5) + rng.normal(0, 0.5, count)
    stem = np.stack(
        [
            np.choose(kind, [top + rng.uniform(-1, 5, count), top - rng.uniform(3, 7, count), top]),
            column + rng.uniform(-1, 2, count),
            bottom + np.where(kind == 2, rng.uniform(3, 7, count), rng.uniform(-1, 1, count)),
            column + rng.uniform(-1, 2, count),
        ],
        axis=1,
    )
    tail = np.concatenate([stem[:, 2:], stem[:, 2:] + rng.uniform([-2, 1], [1, 5], (count, 2))], 1)
    tail[(kind == 2) | (rng.random(count) < 0.3)] = np.nan
    return add_marks(rings, np.stack([stem, tail], axis=1), pens(count, rng))


def opened(
    images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Zeros with a gap at the top, on the right or at the bottom, as in u, c and n."""
    rings = _some(images, labels, (0,), count, rng)
    ahead = np.arange(SIZE) - MIDDLE
    side, depth, width = rng.uniform([[0], [1], [4]], [[3], [6], [9]], (3, count))[:, :, None, None]
    toward = np.choose(side.astype(int), [-ahead[:, None], ahead, ahead[:, None]])
    across = np.where(side.astype(int) == 1, ahead[:, None], ahead)
    gap = (toward > depth) & (abs(across) < width)
    return np.where(gap, 0, rings).astype(np.uint8)


def frames(
    images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Straight lines between the corners of a letter: what A, E, K, M or Z are made of."""
    corners = np.indices((3, 3)).reshape(2, 9).T / 2 - 0.5
    grid = corners[rng.random((count, 9)).argsort(axis=1)[:, :6]]
    grid += rng.normal(0, 0.05, grid.shape)
    grid[:, :, 1] *= rng.uniform(0.5, 1, (count, 1))
    lines = _polylines(MIDDLE + (BOX - 3) * grid)
    lifted = np.arange(5) == rng.integers(0, 5, (count, 1))  # one line is not drawn
    lines[lifted | (np.arange(5) >= rng.integers(4, 6, (count, 1)))] = np.nan
    return _drawn(lines, rng)


def scribbles(
    images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """A wandering line: a few waves in both directions."""
    time = np.linspace(0, 2 * np.pi, 40)
    waves = np.arange(2, 6) * rng.uniform(0.7, 1.2, (count, 2, 1))
    phase = rng.uniform(0, 2 * np.pi, (count, 2, 4, 1))
    swing = rng.standard_normal((count, 2, 4)) / np.sqrt(np.arange(2, 6))
    path = np.einsum("ndw,ndwt->ntd", swing, np.sin(waves[..., None] * time + phase))
    path -= (path.min(axis=1, keepdims=True) + path.max(axis=1, keepdims=True)) / 2
    path *= (BOX - 3) / 2 / abs(path).max(axis=(1, 2), keepdims=True)
    return _drawn(_polylines(MIDDLE + path), rng)


def almost_blank(
    images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """A dot, a dash, a few specks, or a blank image."""
    kind = rng.integers(4, size=count)
    spots = MIDDLE + rng.uniform(-8, 8, (count, 4, 2)) * (kind == 2)[:, None, None]
    marks = np.concatenate([spots, spots], axis=2)
    marks[(np.arange(4) >= rng.integers(1, 5, (count, 1)))] = np.nan
    dash = rng.uniform([-2, 3], [2, 9], (count, 2)) * (kind == 1)[:, None]
    marks[:, 0] += np.concatenate([-dash, dash], axis=1)
    marks[kind == 3] = np.nan
    thick = rng.random(count) < 0.3
    blank = np.zeros((count, SIZE, SIZE), np.uint8)
    return add_marks(blank, marks, np.where(thick, rng.uniform(4, 20, count), pens(count, rng)))


MAKERS: dict[Maker, float] = {
    rotated: 0.25,
    spliced: 0.1,
    squeezed: 0.1,
    stemmed: 0.15,
    opened: 0.05,
    frames: 0.15,
    scribbles: 0.1,
    almost_blank: 0.1,
}
"""The kinds and their shares."""


def _some(
    images: np.ndarray,
    labels: np.ndarray,
    digits: Sequence[int],
    count: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw ``count`` images of certain digits; blank ones if there are none."""
    fit = np.flatnonzero(np.isin(labels, digits))
    return images[rng.choice(fit, count)] if len(fit) else np.zeros((count, SIZE, SIZE), np.uint8)


def _pairs(
    images: np.ndarray, labels: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw ``count`` pairs of images, of different digits if there are any."""
    first = rng.integers(len(images), size=count)
    second = (first + rng.integers(1, 9, count)) % len(images)
    second = np.where(labels[first] == labels[second], (second + 1) % len(images), second)
    return images[first], images[second]


def _polylines(points: np.ndarray) -> np.ndarray:
    """Lines (count,M-1,4) from each of the points (count,M,2) to the next."""
    return np.concatenate([points[:, :-1], points[:, 1:]], axis=2)


def _drawn(lines: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return add_marks(np.zeros((len(lines), SIZE, SIZE), np.uint8), lines, pens(len(lines), rng))
