"""Windows on rows of digits: what teaches a network to read digits that touch without cutting them.

A window as high as the row slides along it, and the network says which digit is in its middle,
if one does. Here such rows are made of single digits, beside each other or overlapping as in hasty
writing, all on one line.
"""

import numpy as np

from tinycnn.augment.refit import columns_with_ink, rows_with_ink
from tinycnn.data.mnist import BOX, PEN, SIZE

NONE = 10
"""The label of a window that has no digit in its middle."""

MOST = 5  # digits in a row; the one in the middle may have two neighbors on each side
GAPS = np.array([(-0.22, 0.0), (-0.04, 0.12), (0.1, 0.4), (0.4, 1.0)])
"""Digit heights between the center lines of neighbors: overlapping, tight, ordinary, wide."""

SHARES = (0.4, 0.3, 0.15, 0.15)
NEIGHBORS = (0.35, 0.3, 0.35)  # shares of rows with none, one and two of them on a side
CENTERED = 0.4  # share of windows that are laid on a digit; the others lie anywhere
NEAR, FAR = 1.0, 2.0  # pixels: a digit is in the middle or not; no window shows it in between
BASELINE = 24  # row below the lowest ink of a digit


def windows(
    images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Windows on rows made of digits, images (B,28,28) uint8, and the labels (B,) of their middles.

    A window with no digit in its middle, or with one that is none itself, gets ``NONE``.
    """
    B, middle = len(images), MOST // 2
    digits = rng.integers(B, size=(B, MOST))
    digits[:, middle] = np.arange(B)
    centers, kept = _places(images, digits, rng)
    at = np.where(rng.random(B) < CENTERED, rng.uniform(-1, 1, B), rng.uniform(-24, 24, B))
    away = np.where(kept, abs(centers - at[:, None]), np.inf)
    nearest = np.arange(B), away.argmin(axis=1)
    between = (away[nearest] > NEAR) & (away[nearest] <= FAR)
    at[between] = centers[nearest][between]
    labels = labels[digits[nearest]]
    labels = np.where((between | (away[nearest] <= NEAR)) & (labels >= 0), labels, NONE)
    return _painted(images, digits, kept, centers - at[:, None], rng), labels


def _places(
    images: np.ndarray, digits: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """How far each digit (B,MOST) of a row is right of the middle one, and whether it is there."""
    B, middle = len(digits), MOST // 2
    first, last = columns_with_ink(images)
    width = (last - first + 1)[digits]
    low, high = GAPS[rng.choice(len(GAPS), B, p=SHARES)].T
    gaps = rng.uniform(low, high, (MOST - 1, B)).T * (BOX - PEN) - PEN
    steps = (width[:, :-1] + width[:, 1:]) / 2 + gaps
    places = np.cumsum(np.pad(steps, ((0, 0), (1, 0))), axis=1)
    before, after = rng.choice(middle + 1, (2, B, 1), p=NEIGHBORS)
    number = np.arange(MOST) - middle
    return places - places[:, [middle]], (-before <= number) & (number <= after)


def _painted(
    images: np.ndarray,
    digits: np.ndarray,
    kept: np.ndarray,
    centers: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Windows (B,28,28) on digits (B,MOST) whose middles are ``centers`` right of the window's."""
    first, last = columns_with_ink(images)
    _, bottom = rows_with_ink(images)
    unsteady = np.rint(rng.normal(0, 0.7, digits.shape) + rng.integers(-1, 2, (len(digits), 1)))
    pixel, painted = np.arange(SIZE), np.zeros_like(images)
    for k, digit in enumerate(digits.T):
        down = BASELINE - 1 - bottom[digit] + unsteady[:, k]
        right = np.rint(SIZE / 2 + centers[:, k] - (first + last + 1)[digit] / 2)
        rows, columns = ((pixel - move[:, None]).astype(int) for move in (down, right))
        inside = [(z >= 0) & (z < SIZE) for z in (rows, columns)]
        ink = images[digit[:, None, None], rows[:, :, None] % SIZE, columns[:, None] % SIZE]
        ink *= (inside[0][:, :, None] & inside[1][:, None]) & kept[:, k, None, None]
        np.maximum(painted, ink, out=painted)
    return painted
