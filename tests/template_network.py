"""A network that reads the digits of ``benchmarks.quality.handwriting``, for the tests of ink.

It is one Dense layer whose filters are the ten digits themselves, so that its logits
are, up to a constant, minus the squared distances to them.
"""

import numpy as np

from benchmarks.quality.handwriting import DIGITS
from tinycnn.data.mnist import shift
from tinycnn.ink import Recognizer, strokes_to_image
from tinycnn.nn import Dense, Flatten, Sequential

LOUDNESS = 0.3  # of the logits


def templates():
    return np.stack([strokes_to_image(DIGITS[str(digit)]) for digit in range(10)])


def model():
    """The network that reads these digits."""
    network = Sequential([Flatten(), Dense(10)], input_shape=(28, 28, 1), seed=0)
    flat = templates().reshape(10, -1).astype(np.float32) / 255
    dense = network.layers[1]
    dense.params["w"][...] = 2 * LOUDNESS * flat.T
    dense.params["b"][...] = -LOUDNESS * (flat**2).sum(axis=1)
    return network


def recognizer(threshold=-10.0):
    """The same with the constant, so that scores tell what is no digit."""
    network = model()

    def logits(images):
        x = network.prepare(images)
        return network.forward(x) - LOUDNESS * (x**2).sum(axis=(1, 2, 3))[:, None]

    return Recognizer(logits, tuple("0123456789"), threshold=threshold)


def difference(one, other):
    """Mean difference of gray levels, at the best of nine places.

    A symmetric digit in a box of 20 pixels has its mass on the border between two pixels, so
    that the smallest change of its ink can move it by one.
    """
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return min(np.abs(shift(one, *s).astype(int) - other).mean() for s in shifts) / 255
