"""Seconds to a given accuracy: whole trainings with one recipe, one contender at a time.

The clock stands still while the test digits are read, which happens after every half epoch.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.contender import Contender
from benchmarks.peers import Trainer
from benchmarks.plan import Plan, Variant

EVALUATED = 1000
"""Test digits predicted at a time."""

NEVER = 2.0
"""An accuracy that no race reaches, so that it ends with its last rate."""


@dataclass(frozen=True)
class Race:
    """One training. ``curve`` holds (training seconds, accuracy) after every half epoch.

    ``training_seconds`` counts every step but the first, in which frameworks compile;
    ``total_seconds`` counts all from the creation of the process, imports and compilation
    included. Both are None when the accuracy was never reached.
    """

    variant: Variant
    training_seconds: float | None
    total_seconds: float | None
    epochs: float
    accuracy: float
    curve: list[tuple[float, float]]


def race(
    variant: Variant,
    module: str,
    plan: Plan,
    rates: Sequence[float],
    folder: Path,
    target: float = NEVER,
    seed: int = 0,
) -> Race:
    """Train ``variant`` in a process of its own, one rate a step, until ``target``.

    ``seed`` is that of the shuffles; the first weights are always the same.
    """
    name, kind = variant
    created = time.perf_counter()
    with Contender(name, module, plan.threads, folder) as contender:
        contender.ask("load", network=plan.network, batch=plan.batch)
        started = time.perf_counter() - created
        answer = contender.ask("race", variant=kind, rates=list(rates), target=target, seed=seed)
    seconds, accuracy = answer["curve"][-1]
    total = started + answer["build_seconds"] + answer["first_step_seconds"] + seconds
    reached = accuracy >= target
    return Race(
        variant,
        seconds if reached else None,
        total if reached else None,
        len(answer["curve"]) / 2,
        accuracy,
        answer["curve"],
    )


def run_race(
    make: Callable[[], Trainer],
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    rates: Sequence[float],
    batch: int,
    target: float,
    seed: int,
) -> dict:
    """Train in this process until ``target`` or the end of ``rates``, one rate a step."""
    start = time.perf_counter()
    trainer = make()
    build_seconds = time.perf_counter() - start
    steps_per_epoch = len(train[0]) // batch
    half = max(1, steps_per_epoch // 2)
    steps = _steps(trainer, train, rates, batch, seed)
    first_step_seconds = next(steps)
    seconds, curve = 0.0, []
    for done, step_seconds in enumerate(steps, start=2):
        seconds += step_seconds
        if done % half == 0 or done == len(rates):
            curve.append((seconds, accuracy(trainer, *test)))
            if curve[-1][1] >= target:
                break
    return {
        "build_seconds": build_seconds,
        "first_step_seconds": first_step_seconds,
        "curve": curve,
    }


def _steps(
    trainer: Trainer,
    train: tuple[np.ndarray, np.ndarray],
    rates: Sequence[float],
    batch: int,
    seed: int,
) -> Iterator[float]:
    """Take one step for every rate, through freshly shuffled epochs; yield its seconds.

    The shuffle is the same for everybody and counts, as does reading the loss.
    """
    images, labels = train
    rng = np.random.default_rng(seed)
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


def accuracy(trainer: Trainer, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of digits that ``trainer`` reads right."""
    starts = range(0, len(images), EVALUATED)
    found = [trainer.predict(images[start : start + EVALUATED]) for start in starts]
    return float(np.mean(np.concatenate(found) == labels))
