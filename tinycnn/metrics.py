"""How good a network is, how sure that is, and whether its confidence can be trusted."""

import dataclasses
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.nn import Sequential, checks

BINS = 15
"""Bins of confidence for the calibration error, the usual number."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class Score:
    """``errors`` among ``n`` answers; ``effect`` widens the interval, see ``design_effect``."""

    n: int
    errors: int
    effect: float = 1.0

    @classmethod
    def of(cls, answers: np.ndarray, labels: np.ndarray) -> Self:
        """The score of answers (N,) that should have been labels (N,)."""
        return cls(len(labels), int(np.count_nonzero(answers != labels)))

    @property
    def accuracy(self) -> float:
        return (self.n - self.errors) / self.n

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the accuracy."""
        return wilson_interval((self.n - self.errors) / self.effect, self.n / self.effect)

    def as_dict(self) -> dict[str, Any]:
        return {
            "accuracy": self.accuracy,
            "errors": self.errors,
            "n": self.n,
            "interval95": self.interval,
        }

    def sentence(self) -> str:
        """The accuracy, the errors and the interval as text."""
        return (
            f"{percent(self.accuracy)} right ({self.errors:,} errors of {self.n:,}; "
            f"95 % interval {interval_text(self.interval)})"
        )


def measure(model: Sequential, images: ArrayLike, labels: ArrayLike) -> Score:
    """The score of ``model`` on images (N,H,W) uint8 with labels (N,); ShapeError for others."""
    answers = model.predict(images)
    return Score.of(answers, checks.labels(labels, len(answers), *model.output_shape))


def cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The mean loss in nats of probabilities (N,K) for labels (N,)."""
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    smallest = np.finfo(np.float32).tiny  # a probability may have been rounded to zero
    return float(-np.log(np.maximum(of_truth, smallest)).mean())


def percent(fraction: float | None) -> str:
    """A fraction in percent with two decimals; a dash for None."""
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def interval_text(interval: Interval) -> str:
    """The two bounds in percent."""
    return f"{100 * interval[0]:.2f} to {percent(interval[1])}"


def text_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], left: Collection[int] = (0,)
) -> str:
    """Columns as wide as their cells, those with numbers in ``left`` flush left."""
    columns = []
    for number, column in enumerate(zip(head, *rows, strict=True)):
        width = max(map(len, column))
        justify = str.ljust if number in left else str.rjust
        columns.append([justify(cell, width) for cell in column])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def is_among_the_best(accuracies: Sequence[float], n: int) -> bool:
    """Whether the last epoch is as good as the best, as far as ``n`` validation images can tell.

    With error probability p, n images show n p errors, plus or minus the standard error
    sqrt(n p (1 - p)). Within that margin the later epoch is preferred: it has seen more images,
    and its steps were shorter. p is estimated by (errors + 1) / (n + 2) of the best epoch: zero
    errors do not prove that there will never be any. A single image never decides.
    """
    fewest, latest = (round(n * (1 - accuracy)) for accuracy in (max(accuracies), accuracies[-1]))
    p = (fewest + 1) / (n + 2)
    return latest - fewest <= max(1.0, math.sqrt(n * p * (1 - p)))


def wilson_interval(right: float, n: float) -> Interval:
    """The 95 % interval of a fraction, after Wilson (1927), which is valid near 100 % too.

    With z standard deviations, 1.96, and p = right / n:

        (p + z^2 / 2n  -+  z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
    """
    z = NormalDist().inv_cdf(0.975)
    p = right / n
    middle = p + z**2 / (2 * n)
    half = z * (p * (1 - p) / n + (z / (2 * n)) ** 2) ** 0.5
    low, high = (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    return (low if right > 0 else 0.0), (high if right < n else 1.0)  # without rounding errors


def design_effect(right: np.ndarray, writers: np.ndarray) -> float:
    """How many times larger the variance of an accuracy is because writers wrote many digits each.

    The digits of one writer tend to be read correctly or wrongly together, so n of them say less
    than n digits by n people. Of W writers, writer j has n[j] digits of which r[j] are ``right``
    (N,); with p = sum r / N the variance of p is

        W / (W - 1) * sum_j (r[j] - n[j] p)^2 / N^2,

    and would be p (1 - p) / N for independent digits (Kish 1965). The result is the ratio of the
    two, never below 1, and 1 for a single writer, who says nothing about others. N divided by it
    is the effective number of digits, which ``Score.interval`` uses.
    """
    _, writer = np.unique(writers, return_inverse=True)
    of_writer, N, p = np.bincount(writer), len(right), right.mean()
    W = len(of_writer)
    if W < 2 or p in (0, 1):
        return 1.0
    surplus = np.bincount(writer, right) - of_writer * p
    return max(1.0, float(W / (W - 1) * np.square(surplus).sum() / (N * p * (1 - p))))


def confusion_matrix(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Counts (K,K): how many images of class i, the row, were taken for class j, the column."""
    K = probabilities.shape[1]
    places = labels.astype(np.intp) * K + probabilities.argmax(axis=1)
    return np.bincount(places, minlength=K * K).reshape(K, K)


def calibration_bins(probabilities: np.ndarray, labels: np.ndarray) -> list[tuple[float, Score]]:
    """Sort answers (N,K) by confidence into ``BINS`` bins of equal width; empty ones are left out.

    Each has its mean confidence, which is calibrated if it equals the accuracy, and its score.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    wrong = probabilities.argmax(axis=1) != labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    sums = (np.bincount(bins, z, minlength=BINS) for z in (np.ones(len(bins)), confidence, wrong))
    return [(float(c / n), Score(int(n), int(w))) for n, c, w in zip(*sums, strict=True) if n]


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The expected calibration error: |confidence - accuracy| of a bin, averaged over answers."""
    bins = calibration_bins(probabilities, labels)
    return sum(abs(b.n - b.errors - b.n * confidence) for confidence, b in bins) / len(labels)


@dataclass(frozen=True)
class PairedComparison:
    """Two readers of the same ``n`` images, and how many only one or neither reads correctly."""

    n: int
    only_first: int
    only_second: int
    neither: int

    @classmethod
    def of(cls, first: np.ndarray, second: np.ndarray, labels: np.ndarray) -> Self:
        """Compare the answers (N,) of two readers with the labels (N,)."""
        a, b = first == labels, second == labels
        counts = (a & ~b, b & ~a, ~a & ~b)
        return cls(len(labels), *(int(np.count_nonzero(z)) for z in counts))

    @property
    def p_value(self) -> float:
        """How often chance alone splits the differing answers at least as unevenly.

        Only images that one reads correctly and the other does not can tell which is better. If
        neither is, each of these images belongs to either reader with probability 1/2, like a fair
        coin tossed ``only_first + only_second`` times (McNemar 1947, exact, two-sided).
        """
        from scipy.special import bdtr  # the binomial distribution; slow to import

        fewer = min(self.only_first, self.only_second)
        return min(1.0, 2 * float(bdtr(fewer, self.only_first + self.only_second, 0.5)))

    def as_dict(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "p_value": self.p_value}

    def sentence(self) -> str:
        """What the comparison proves, in words."""
        p = "below 0.0001" if self.p_value < 1e-4 else f"= {self.p_value:.2g}"
        better = "first" if self.only_first > self.only_second else "second"
        verdict = "it may be chance" if self.p_value > 0.05 else f"the {better} is better"
        return f"McNemar's test: p {p}; {verdict}"
