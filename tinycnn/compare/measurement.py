"""Measuring a classifier: train it, count its errors, and time it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from tinycnn.compare.baselines import BASELINES
from tinycnn.data import Dataset
from tinycnn.metrics import Score

SINGLES = 100
"""Digits that are read one at a time to time a single answer."""


@dataclass(frozen=True)
class Measurement:
    """The measurements of one classifier; times to read a digit in microseconds, medians."""

    name: str
    title: str
    settings: str
    test: Score
    training_seconds: float
    one_digit_us: float  # for a digit that comes alone
    batch_digit_us: float  # for each of all test digits together
    bytes: int

    def as_dict(self) -> dict[str, Any]:
        """The measurements, ready for JSON."""
        return {key: z for key, z in vars(self).items() if key != "test"} | self.test.as_dict()


def measure_baseline(name: str, dataset: Dataset, seed: int) -> Measurement:
    """Train and measure the classifier ``name`` on a second thread; Ctrl-C ends the first at once.

    Python hears it between two instructions, and a library may compute for minutes within one.
    """
    outcome: Future[Measurement] = Future()

    def run() -> None:
        try:
            outcome.set_result(_measure(name, dataset, seed))
        except BaseException as error:  # noqa: BLE001 - the first thread raises it again
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome.result()


def _measure(name: str, dataset: Dataset, seed: int) -> Measurement:
    trained = BASELINES[name].train(dataset, seed)
    images, labels = dataset.part("test")
    trained.predict(images[:SINGLES])  # the first call may start threads
    trained.predict_one(images[0])
    one = median(_seconds(partial(trained.predict_one, z)) for z in images[:SINGLES])
    return Measurement(
        name=name,
        title=BASELINES[name].title,
        settings=trained.settings,
        test=Score.of(trained.predict(images), labels),
        training_seconds=trained.seconds,
        one_digit_us=1e6 * one,
        batch_digit_us=1e6 * _seconds(partial(trained.predict, images)) / len(images),
        bytes=trained.bytes,
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
