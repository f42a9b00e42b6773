"""Ink that is no digit: what a recognizer should refuse."""

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline

Strokes = list[np.ndarray]


def scribble(rng: np.random.Generator) -> Strokes:
    """One or two smooth lines that go wherever they like."""
    return [_wander(rng, int(rng.integers(5, 15))) for _ in range(rng.integers(1, 3))]


def dots(rng: np.random.Generator) -> Strokes:
    """One to three points."""
    return [rng.uniform(0, 100, (1, 2)) for _ in range(rng.integers(1, 4))]


def dash(rng: np.random.Generator) -> Strokes:
    """A line that is nearly level, perhaps a little curved."""
    x = np.linspace(0, 100, 12)
    return [np.column_stack([x, x * rng.uniform(-0.15, 0.15) + rng.normal(0, 0.5, 12)])]


def crosses(rng: np.random.Generator) -> Strokes:
    """Three to five straight lines between random points."""
    return [rng.uniform(0, 100, (2, 2)) for _ in range(rng.integers(3, 6))]


def nothing(rng: np.random.Generator) -> Strokes:
    """An empty page."""
    return []


KINDS = {
    "scribbles": scribble,
    "crossed lines": crosses,
    "dashes": dash,
    "dots": dots,
    "blank": nothing,
}


def make(kind: str, count: int, rng: np.random.Generator) -> Sequence[Strokes]:
    """``count`` drawings of one of the ``KINDS``."""
    return [KINDS[kind](rng) for _ in range(count)]


def _wander(rng: np.random.Generator, knots: int) -> np.ndarray:
    steps = rng.normal(0, 30, (knots, 2)).cumsum(axis=0)
    return CubicSpline(np.arange(knots), steps)(np.linspace(0, knots - 1, 8 * knots))
