"""Digits as strokes, made by code, for tests and pictures that need no person's writing.

Each digit is about 60 wide and 100 high, with y down.
"""

import numpy as np

from tinycnn.ink.strokes import resample

Strokes = list[np.ndarray]


def arc(x, y, width, height, start=0.0, stop=360.0, points=25):
    """An arc of an ellipse; degrees run clockwise from the right, as y points down."""
    t = np.radians(np.linspace(start, stop, points))
    return np.column_stack([x + width / 2 * np.cos(t), y + height / 2 * np.sin(t)])


def line(*points):
    """Straight lines from point to point."""
    return np.array(points, dtype=float)


DIGITS = {
    "0": [arc(30, 50, 56, 100)],
    "1": [line((12, 20), (30, 0), (30, 100))],
    "2": [np.vstack([arc(30, 28, 52, 56, 180, 400), line((0, 100), (60, 100))])],
    "3": [np.vstack([arc(28, 26, 50, 52, 200, 450), arc(28, 75, 56, 50, 270, 520)])],
    "4": [line((25, 0), (0, 62), (60, 62)), line((44, 30), (44, 100))],
    "5": [np.vstack([line((8, 0), (5, 45)), arc(28, 68, 58, 64, 230, 500)]), line((8, 0), (55, 0))],
    "6": [np.vstack([arc(60, 70, 110, 140, 240, 185), arc(30, 72, 52, 56, 180, 540)])],
    "7": [line((0, 0), (60, 0), (24, 100)), line((14, 52), (56, 52))],
    "8": [arc(30, 25, 44, 50), arc(30, 75, 56, 50)],
    "9": [np.vstack([arc(28, 30, 50, 60, 0, 360), line((53, 30), (42, 100))])],
}


def write(text, gap=25.0, height=100.0, at=(0.0, 0.0)) -> Strokes:
    """The strokes of ``text``, digits with gaps in between; line ends start a new line."""
    strokes, x, y = [], 0.0, 0.0
    for character in text:
        if character == "\n":
            x, y = 0.0, y + 170.0
            continue
        digit = DIGITS[character]
        points = np.concatenate(digit)
        left, right = points[:, 0].min(), points[:, 0].max()
        strokes += [stroke + np.array([x - left, y]) for stroke in digit]
        x += right - left + gap
    return [stroke * height / 100 + at for stroke in strokes]


def tremble(strokes: Strokes, rng: np.random.Generator, size: float = 1.5) -> Strokes:
    """The same, written with an unsteady hand and a slant.

    ``size``: how far points stray, in the unit of the strokes.
    """
    lean = np.array([[1, 0], [rng.uniform(-0.25, 0.05), 1]])
    shaken = []
    for stroke in strokes:
        points = resample(stroke, 4.0)
        drift = np.cumsum(rng.normal(0, size / 3, points.shape), axis=0)
        shaken.append((points + drift - drift.mean(axis=0)) @ lean)
    return shaken
