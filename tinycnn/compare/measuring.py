"""Measuring a classifier: train it, count its errors, and look at the clock.

All of it happens on a second thread. Python notices Ctrl-C only between two of its own steps, and
a library may compute for minutes without taking one; the first thread waits and listens.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any, TypeVar

import numpy as np

from tinycnn.compare.baselines import CLASSICS
from tinycnn.compare.networks import NETWORKS
from tinycnn.compare.task import Baseline, Drawings, Task, Trained
from tinycnn.metrics import design_effect, wilson_interval

BASELINES: dict[str, Baseline] = {**CLASSICS, **NETWORKS}

SINGLES = 100
"""Digits that are read one at a time, for the clock."""

CALLS, PATIENCE = 30, 1.0
"""How often and for how many seconds a measurement is repeated, at most."""

T = TypeVar("T")


@dataclass(frozen=True)
class Tally:
    """How many of ``n`` digits were misread; ``effect``: see ``design_effect``."""

    n: int
    errors: int
    effect: float = 1.0

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return 1 - self.errors / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies with 95 % confidence."""
        return wilson_interval((self.n - self.errors) / self.effect, self.n / self.effect)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "accuracy": self.accuracy,
            "errors": self.errors,
            "n": self.n,
            "interval95": self.interval,
        }


@dataclass(frozen=True)
class Result:
    """What was measured of one classifier."""

    name: str
    title: str
    settings: str
    test: Tally
    drawings: Tally | None
    training_seconds: float
    one_digit_us: float
    """Microseconds to read a digit that comes alone, median."""

    batch_digit_us: float
    """The same for each of all test digits at once."""

    bytes: int

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "name": self.name,
            "title": self.title,
            "settings": self.settings,
            **self.test.as_dict(),
            "drawings": self.drawings and self.drawings.as_dict(),
            "training_seconds": self.training_seconds,
            "one_digit_us": self.one_digit_us,
            "batch_digit_us": self.batch_digit_us,
            "bytes": self.bytes,
        }


def compete(name: str, task: Task) -> Result:
    """Train and measure the classifier ``name``; Ctrl-C ends it at once."""
    return _on_a_second_thread(lambda: _measure(name, BASELINES[name], task))


def _measure(name: str, baseline: Baseline, task: Task) -> Result:
    trained = baseline.train(task)
    images, labels = task.test
    trained.predict(images[:SINGLES])  # in vain: it wakes what sleeps
    seconds, answers = _timed(partial(trained.predict, images))
    return Result(
        name=name,
        title=baseline.title,
        settings=trained.settings,
        test=_tally(answers, labels),
        drawings=_tally_of(trained, task.drawings) if task.drawings else None,
        training_seconds=trained.seconds,
        one_digit_us=1e6 * _seconds_for_one(trained, images[:SINGLES]),
        batch_digit_us=1e6 * seconds / len(images),
        bytes=trained.bytes,
    )


def _tally(answers: np.ndarray, labels: np.ndarray) -> Tally:
    return Tally(len(labels), int(np.count_nonzero(answers != labels)))


def _tally_of(trained: Trained, drawings: Drawings) -> Tally:
    answers = trained.predict(drawings.images)
    effect = design_effect(answers == drawings.labels, drawings.writers)
    return replace(_tally(answers, drawings.labels), effect=effect)


def _seconds_for_one(trained: Trained, images: np.ndarray) -> float:
    trained.predict_one(images[0])  # in vain, as above
    return median(_timed(partial(trained.predict_one, image), 0.0)[0] for image in images)


def _timed(work: Callable[[], T], patience: float = PATIENCE) -> tuple[float, T]:
    """How long ``work`` takes, the median of up to ``CALLS``, and what comes out of it."""
    times: list[float] = []
    end = time.perf_counter() + patience
    while not times or (len(times) < CALLS and time.perf_counter() < end):
        started = time.perf_counter()
        outcome = work()
        times.append(time.perf_counter() - started)
    return median(times), outcome


def _on_a_second_thread(work: Callable[[], T]) -> T:
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # of any kind: the first thread raises it again
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome.result()
