"""Seconds to a given accuracy: whole trainings with one recipe, one contender at a time.

The clock is stopped while the test digits are read, which happens after every half epoch.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.speed.peers import PeerTrainer
from benchmarks.speed.workload import Workload

EVALUATED = 1000
"""Test digits predicted at a time."""

Curve = list[tuple[float, float]]
"""(Training seconds, accuracy) after every half epoch."""


@dataclass(frozen=True)
class Race:
    """One training.

    ``training_seconds`` counts every step but the first, in which frameworks compile;
    ``total_seconds`` counts all from the creation of the process, imports and compilation
    included. Both are None when the accuracy was never reached.
    """

    variant: tuple[str, str]
    training_seconds: float | None
    total_seconds: float | None
    epochs: float
    accuracy: float
    curve: Curve


def run(
    trainer: PeerTrainer,
    work: Workload,
    rates: Sequence[float],
    batch: int,
    target: float,
    rng: np.random.Generator,
) -> tuple[float, Curve]:
    """Train, one rate a step, until ``target``; return the first step's seconds and the curve."""
    half = max(1, len(work.train[0]) // batch // 2)
    steps = _steps(trainer, work, rates, batch, rng)
    first = next(steps)
    seconds, curve = 0.0, []
    for done, step_seconds in enumerate(steps, start=2):
        seconds += step_seconds
        if done % half == 0 or done == len(rates):
            curve.append((seconds, _accuracy(trainer, *work.test)))
            if curve[-1][1] >= target:
                break
    return first, curve


def _steps(
    trainer: PeerTrainer,
    work: Workload,
    rates: Sequence[float],
    batch: int,
    rng: np.random.Generator,
) -> Iterator[float]:
    """Take one step for every rate, through freshly shuffled epochs; yield its seconds.

    The shuffle is the same for all contenders and counts, as does reading the loss.
    """
    images, labels = work.train
    per_epoch = len(images) // batch
    for number, rate in enumerate(rates):
        start = time.perf_counter()
        if number % per_epoch == 0:
            order = rng.permutation(len(images))
        first = number % per_epoch * batch
        chosen = order[first : first + batch]
        trainer.set_learning_rate(rate)
        trainer.step(trainer.batch(images[chosen], labels[chosen]))
        yield time.perf_counter() - start


def _accuracy(trainer: PeerTrainer, images: np.ndarray, labels: np.ndarray) -> float:
    starts = range(0, len(images), EVALUATED)
    found = [trainer.predict(images[start : start + EVALUATED]) for start in starts]
    return float(np.mean(np.concatenate(found) == labels))
