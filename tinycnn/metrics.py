"""How good a network is, how sure that is, and whether it knows itself when it is wrong."""

import math
from collections.abc import Sequence
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


def is_among_the_best(accuracies: Sequence[float], n: int) -> bool:
    """Whether the last epoch is as good as the best, as far as ``n`` validation images can tell.

    With errors of probability p, n images show n p of them, give or take the standard error
    sqrt(n p (1 - p)). Within that the later epoch is to be preferred: it has seen more, and took
    shorter steps. (Breiman et al. 1984 choose the simplest of all models within one standard
    error.) As p is not known, (errors + 1) / (n + 2) of the best epoch stands for it (Laplace):
    no errors at all do not prove that there will be none. And never does a single image decide.
    """
    fewest, latest = (round(n * (1 - accuracy)) for accuracy in (max(accuracies), accuracies[-1]))
    p = (fewest + 1) / (n + 2)
    return latest - fewest <= max(1.0, math.sqrt(n * p * (1 - p)))


def wilson_interval(right: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
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


def design_effect(right: np.ndarray, writers: np.ndarray) -> float:
    """How many times as uncertain, in variance, an accuracy is because writers answer for many.

    The digits of one writer are read rightly or wrongly together, so n of them tell less than n
    by as many people. Of W writers each has n[j] digits of which r[j] are ``right`` (N,); with
    p = sum r / N the variance of p is

        W / (W - 1) * sum_j (r[j] - n[j] p)^2 / N^2,

    and would be p (1 - p) / N otherwise (Kish 1965). Never below 1, which it is for one writer:
    nothing is known of others then. Divide N and the right ones by it before asking
    ``wilson_interval``.
    """
    _, writer = np.unique(writers, return_inverse=True)
    of_writer, N, p = np.bincount(writer), len(right), right.mean()
    W = len(of_writer)
    if W < 2 or p in (0, 1):
        return 1.0
    surplus = np.bincount(writer, right) - of_writer * p
    return max(1.0, float(W / (W - 1) * np.square(surplus).sum() / (N * p * (1 - p))))


def accuracy_sentence(n: int, errors: int) -> str:
    """An accuracy as a person would want to read it."""
    low, high = (f"{100 * bound:.2f}" for bound in wilson_interval(n - errors, n))
    return (
        f"{100 * (1 - errors / n):.2f} % right ({errors:,} errors of {n:,}; "
        f"95 % interval {low} to {high} %)"
    )


def confusion_matrix(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Counts (K,K): how many images of class i, the row, were taken for class j, the column."""
    K = probabilities.shape[1]
    places = labels.astype(np.intp) * K + probabilities.argmax(axis=1)
    return np.bincount(places, minlength=K * K).reshape(K, K)


@dataclass(frozen=True)
class Bin:
    """Answers of similar confidence: how many, how sure on average, how many right."""

    n: int
    confidence: float
    right: int

    @property
    def accuracy(self) -> float:
        """The share of right answers: what ``confidence`` should be."""
        return self.right / self.n


def calibration_bins(probabilities: np.ndarray, labels: np.ndarray) -> list[Bin]:
    """Sort answers (N,K) by confidence into ``BINS`` bins of equal width; without empty ones."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    sums = (np.bincount(bins, z, minlength=BINS) for z in (np.ones(len(bins)), confidence, right))
    return [Bin(int(n), float(c / n), int(r)) for n, c, r in zip(*sums, strict=True) if n]


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """How far confidence is from the share of right answers, on average over all answers.

    Answers of similar confidence are put into bins, and each bin's mean confidence is compared
    with its accuracy (the expected calibration error).
    """
    bins = calibration_bins(probabilities, labels)
    return sum(abs(b.right - b.n * b.confidence) for b in bins) / len(labels)


@dataclass(frozen=True)
class Coverage:
    """What is left to answer when the network may decline all it is less sure of."""

    share: float
    n: int
    errors: int
    confidence: float
    """The least among the answers that are given."""

    @property
    def accuracy(self) -> float:
        """The share of right answers among those given."""
        return (self.n - self.errors) / self.n


def coverage(
    probabilities: np.ndarray, labels: np.ndarray, shares: Sequence[float]
) -> list[Coverage]:
    """The outcome if only the surest ``share`` of answers (N,K) is given, for each of ``shares``.

    At least one answer is always given.
    """
    confidence = probabilities.max(axis=1)
    surest_first = np.argsort(-confidence, kind="stable")
    wrong = probabilities.argmax(axis=1) != labels
    errors = np.cumsum(wrong[surest_first])
    given = [max(round(share * len(labels)), 1) for share in shares]
    return [
        Coverage(share, n, int(errors[n - 1]), float(confidence[surest_first[n - 1]]))
        for share, n in zip(shares, given, strict=True)
    ]


def mcnemar(only_first: int, only_second: int) -> float:
    """How often chance alone parts two readers of the same images at least as unevenly.

    Only images that one reads rightly and the other does not can tell who is better. If neither
    is, each of them is as likely to be the first's as the second's: a fair coin, thrown
    ``only_first + only_second`` times (McNemar 1947, exact, both sides).
    """
    from scipy.special import bdtr  # the binomial distribution; not for who only wants a score

    differing = only_first + only_second
    return min(1.0, 2 * float(bdtr(min(only_first, only_second), differing, 0.5)))
