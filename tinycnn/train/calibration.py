"""Calibrate a network: measure on validation images how sure it may be.

Calibration is a few numbers, saved with the weights. Logits are divided by a ``temperature`` before
they become probabilities, so that about 90 % of all answers with probability 0.9 are right. An
image whose score is below a ``threshold`` is no digit; the score is log sum exp of the logits,
which is high if any class fits well. The ``Recognizer`` of the weights applies them.
"""

import math

import numpy as np

from tinycnn.augment.policies import drawings
from tinycnn.data.catalogue import DIGITS
from tinycnn.nn import NO_CLASS, Sequential

COLDEST, HOTTEST = 0.5, 5.0
"""The range of temperatures."""

SPREAD = 0.25
"""The standard deviation of log T before any image is seen (the prior)."""

NON_DIGITS = 2000
"""The number of non-digits to compare with the validation digits."""

REFUSED = 0.02
"""The fraction of validation digits that may score below the threshold."""

VERSIONS = 5
"""Of each validation digit, as ``drawings`` makes them: as they are, too few are misread."""

STROKES = 1.35
"""How much warmer people's drawings are than those that are made of MNIST's digits by code.

Chosen on half of the writers of 7,760 digits: so their mean confidence is the share that is read.
"""


def calibrate(
    model: Sequential,
    images: np.ndarray,
    labels: np.ndarray,
    classes: tuple[str, ...],
    augment: str = "none",
) -> dict[str, float]:
    """Return the calibration of ``model``, measured on images (N,H,W) uint8 and labels (N,).

    A temperature, and for 28 x 28 digits a threshold. If it was trained with ``drawings``, its
    temperature is measured on such, and there is another of strokes. Equal arguments give equal
    numbers.
    """
    from tinycnn.augment.negatives import make_non_digits  # scipy, only at the end of a training
    from tinycnn.ink import Recognizer

    recognizer = Recognizer.of(model)
    calibration = {}
    if classes == DIGITS and model.input_shape == (28, 28, 1):
        others = make_non_digits(images, labels, NON_DIGITS, np.random.default_rng(0))
        scores = recognizer(images).scores, recognizer(others).scores
        calibration["threshold"] = choose_threshold(*scores)
    if augment == "drawings":
        many = images.repeat(VERSIONS, axis=0), labels.repeat(VERSIONS)
        images, labels = drawings(*many, np.random.default_rng(0))
        images, labels = images[labels != NO_CLASS], labels[labels != NO_CLASS]
    T = fit_temperature(recognizer.logits(images), labels)
    strokes = {"temperature_of_strokes": round(STROKES * T, 4)} if augment == "drawings" else {}
    return {"temperature": T, **strokes, **calibration}


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the likeliest temperature, given logits (N,K) and true labels (N,).

    For s = 1 / temperature, minimize the cross-entropy of softmax(s * logits), summed over all
    images (Guo et al. 2017), plus a prior: log s is normally distributed around 0 with standard
    deviation ``SPREAD``. Without the prior, images that are all classified correctly would lead
    to the coldest temperature; with it, they change little. Both terms are convex in s below e,
    so the derivative of their sum,

        sum_n (sum_k p[n,k] * logits[n,k] - logits[n,labels[n]]) + log(s) / (s * SPREAD^2),

    changes sign once, and bisection finds the place.
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
    """Return the score that separates digits from others best, given the scores (N,) and (M,).

    There the difference between the fractions of digits and of others that reach it is largest
    (Youden's index). But if a network cannot separate them, it should accept too much rather than
    too little: at most a fraction ``REFUSED`` of the digits is lost.
    """
    candidates = np.sort(np.concatenate([digits, others]))
    reached = [1 - np.searchsorted(np.sort(z), candidates) / len(z) for z in (digits, others)]
    best = candidates[np.argmax(reached[0] - reached[1])]
    return round(float(min(best, np.quantile(digits, REFUSED))), 4)
