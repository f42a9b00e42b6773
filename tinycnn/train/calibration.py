"""How sure a network may be: measured on validation images, and kept with its weights.

Two numbers. Logits are divided by a ``temperature`` before they become probabilities, so that of
all answers given with 90 % about 90 % are right. And what scores below a ``threshold`` is no
digit; the score is log sum exp of the logits, which is high where any class fits well. The
``Recognizer`` of the weights applies both.
"""

import math

import numpy as np

from tinycnn.data.catalogue import DIGITS
from tinycnn.nn import Sequential

COLDEST, HOTTEST = 0.5, 5.0
"""Between these a temperature is looked for."""

SPREAD = 0.25
"""How far log T is from 0, before any image is seen: two networks of three are within it."""

NON_DIGITS = 2000
"""How many non-digits are held against the validation digits."""

REFUSED = 0.02
"""The share of validation digits that may score below the threshold."""


def calibrate(
    model: Sequential, images: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]
) -> dict[str, float]:
    """The calibration of ``model``, measured on images (N,H,W) uint8 and labels (N,).

    A temperature, and for 28 x 28 digits a threshold. Equal arguments give equal numbers.
    """
    from tinycnn.augment.negatives import make_non_digits  # scipy, only at the end of a training
    from tinycnn.ink import Recognizer

    recognizer = Recognizer.of(model)
    calibration = {"temperature": fit_temperature(recognizer.logits(images), labels)}
    if classes == DIGITS and model.input_shape == (28, 28, 1):
        others = make_non_digits(images, labels, NON_DIGITS, np.random.default_rng(0))
        scores = recognizer(images).scores, recognizer(others).scores
        calibration["threshold"] = choose_threshold(*scores)
    return calibration


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The likeliest temperature of a network that gave logits (N,K) where labels (N,) are true.

    What speaks against s = 1 / temperature is the cross-entropy of softmax(s * logits), summed
    over all images (Guo et al. 2017), and how unusual it would be: log s is normally distributed
    around 0 with deviation ``SPREAD``. Without that, images that are all read rightly would ask
    for the coldest network there is; with it, they say little and move little. Both are convex
    in s below e, so the slope of their sum,

        sum_n (sum_k p[n,k] * logits[n,k] - logits[n,labels[n]]) + log(s) / (s * SPREAD^2),

    changes sign once; halving an interval finds the place.
    """
    z = (logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
    of_truth = z[np.arange(len(labels)), labels].sum()
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(40):
        s = (low + high) / 2
        p = np.exp(s * z)
        p /= p.sum(axis=1, keepdims=True)
        slope = (p * z).sum() - of_truth + math.log(s) / (s * SPREAD**2)
        low, high = (low, s) if slope > 0 else (s, high)
    return round(2 / (low + high), 4)


def choose_threshold(digits: np.ndarray, others: np.ndarray) -> float:
    """The score that parts digits from others best, given the scores (N,) and (M,) of both.

    There the share of digits that reach it exceeds the share of others by most. But where a
    network cannot tell them apart, rather too much is taken for a digit than too little: no more
    than ``REFUSED`` of the digits are lost.
    """
    candidates = np.sort(np.concatenate([digits, others]))
    reached = [1 - np.searchsorted(np.sort(z), candidates) / len(z) for z in (digits, others)]
    best = candidates[np.argmax(reached[0] - reached[1])]
    return round(float(min(best, np.quantile(digits, REFUSED))), 4)
