"""Seconds to a given accuracy: whole trainings with one recipe, one contender at a time.

The clock is stopped while the test digits are read, which happens after every half epoch.
"""

import time
from collections.abc import Sequence
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

    The seconds of the curve begin after two batches, in which frameworks compile;
    ``total_seconds`` at the creation of the process, imports and compilation included.
    """

    network: str
    variant: tuple[str, str]
    seed: int
    total_seconds: float
    curve: Curve


def run(
    trainer: PeerTrainer, work: Workload, rates: Sequence[float], batch: int, target: float
) -> Curve:
    """Train, one rate a step, until ``target``; the shuffle counts and is the same for all."""
    images, labels = work.train
    rng, seconds, curve = np.random.default_rng(0), 0.0, []
    halves = max(1, round(2 * len(rates) * batch / len(images)))
    for number, part in enumerate(np.array_split(rates, halves)):
        start = time.perf_counter()
        if number % 2 == 0:
            order = rng.permutation(len(images))
        chosen, order = np.split(order, [len(part) * batch])
        trainer.epoch(images[chosen], labels[chosen], part.tolist())
        seconds += time.perf_counter() - start
        curve.append((seconds, _accuracy(trainer, *work.test)))
        if curve[-1][1] >= target:
            break
    return curve


def _accuracy(trainer: PeerTrainer, images: np.ndarray, labels: np.ndarray) -> float:
    starts = range(0, len(images), EVALUATED)
    found = [trainer.predict(images[start : start + EVALUATED]) for start in starts]
    return float(np.mean(np.concatenate(found) == labels))
