"""How good a network is: errors, an interval that says how sure that is, and calibration."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from tinycnn.nn import Sequential

BINS = 15  # of confidence, for the calibration error, as is usual


@dataclass(frozen=True)
class Score:
    """The outcome on ``n`` images; ``loss`` is the mean cross-entropy in nats."""

    n: int
    errors: int
    loss: float

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return (self.n - self.errors) / self.n


def measure(model: Sequential, images: np.ndarray, labels: np.ndarray) -> Score:
    """The score of ``model`` on images (N,H,W) uint8 with labels (N,)."""
    return score(model.predict_proba(images), labels)


def score(probabilities: np.ndarray, labels: np.ndarray) -> Score:
    """The score of answers (N,K) that should have been labels (N,)."""
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    errors = int(np.count_nonzero(probabilities.argmax(axis=1) != labels))
    smallest = np.finfo(np.float32).tiny  # a probability that was rounded to zero has a log too
    return Score(len(labels), errors, float(-np.log(np.maximum(of_truth, smallest)).mean()))


def wilson_interval(right: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a share, after Wilson (1927): it holds near 100 % too.

    With z standard deviations for the confidence and p = right / n:

        (p + z^2 / 2n  -+  z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    The same as scipy's ``binomtest(...).proportion_ci(method="wilson")``, which takes longer to
    import than 10,000 digits take to read.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = right / n
    middle = p + z**2 / (2 * n)
    half = z * (p * (1 - p) / n + (z / (2 * n)) ** 2) ** 0.5
    low, high = (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    return (low if right > 0 else 0.0), (high if right < n else 1.0)  # free of rounding there


def accuracy_sentence(n: int, errors: int) -> str:
    """An accuracy as a person would want to read it."""
    low, high = (f"{100 * bound:.2f}" for bound in wilson_interval(n - errors, n))
    return (
        f"{100 * (1 - errors / n):.2f} % right ({errors:,} errors of {n:,}; "
        f"95 % interval {low} to {high} %)"
    )


def per_class(probabilities: np.ndarray, labels: np.ndarray) -> list[tuple[int, int]]:
    """(n, errors) of each class."""
    wrong = labels[probabilities.argmax(axis=1) != labels]
    counts = (np.bincount(z, minlength=probabilities.shape[1]) for z in (labels, wrong))
    return [(int(n), int(errors)) for n, errors in zip(*counts, strict=True)]


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """How far confidence is from the share of right answers, on average over all answers.

    Answers of similar confidence are put into one of ``BINS`` bins, and each bin's mean
    confidence is compared with its accuracy (the expected calibration error).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(labels))
