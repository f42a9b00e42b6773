"""A tidy hand, and a network that can read it: what the tests of ink write with and read with.

The network is one Dense layer whose filters are the ten digits themselves, so that its logits
are, up to a constant, minus the squared distances to them.
"""

import numpy as np

from tinycnn.ink import Recogniser, strokes_to_image
from tinycnn.ink.normalise import shift
from tinycnn.nn import Dense, Flatten, Sequential

LOUDNESS = 0.3  # of the logits


def arc(x, y, width, height, start=0.0, stop=360.0, points=25):
    """An arc of an ellipse; degrees run clockwise from the right, as y points down."""
    t = np.radians(np.linspace(start, stop, points))
    return np.column_stack([x + width / 2 * np.cos(t), y + height / 2 * np.sin(t)])


def line(*points):
    return np.array(points, dtype=float)


# Each about 60 wide and 100 high.
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


def write(text, gap=25.0, height=100.0, at=(0.0, 0.0)):
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


def templates():
    return np.stack([strokes_to_image(DIGITS[str(digit)]) for digit in range(10)])


def model():
    """The network that reads this hand."""
    network = Sequential([Flatten(), Dense(10)], input_shape=(28, 28, 1), seed=0)
    flat = templates().reshape(10, -1).astype(np.float32) / 255
    dense = network.layers[1]
    dense.params["w"][...] = 2 * LOUDNESS * flat.T
    dense.params["b"][...] = -LOUDNESS * (flat**2).sum(axis=1)
    return network


def recogniser(threshold=-10.0):
    """The same with the constant, so that scores tell what is no digit."""
    network = model()

    def logits(images):
        x = network.prepare(images)
        return network.forward(x) - LOUDNESS * (x**2).sum(axis=(1, 2, 3))[:, None]

    return Recogniser(logits, tuple("0123456789"), threshold=threshold)


def difference(one, other):
    """Mean difference of grey levels, at the best of nine places.

    A symmetric digit in a box of 20 pixels has its mass on the border between two pixels, so
    that the smallest change of its ink can move it by one.
    """
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return min(np.abs(shift(one, *s).astype(int) - other).mean() for s in shifts) / 255
