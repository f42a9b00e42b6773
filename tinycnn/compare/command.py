"""Train and measure the classifiers that the arguments name, and print the table."""

import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

from tinycnn.compare.baselines import BASELINES, SklearnBaseline
from tinycnn.console import log_console
from tinycnn.data import Dataset, load_dataset
from tinycnn.data.datasets import DEFAULT
from tinycnn.errors import choose, need
from tinycnn.files import to_json
from tinycnn.metrics import Score, text_table
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.recipe import Recipe

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
        return {key: z for key, z in vars(self).items() if key != "test"} | self.test.as_dict()


def run(arguments: Namespace) -> int:
    """Measure one classifier after the other; if stopped, print the results so far."""
    names = _names(arguments)
    Recipe.for_data(0, limit=arguments.limit, seed=arguments.seed)
    dataset = load_dataset(arguments.dataset or DEFAULT, arguments.data_dir)
    images, labels = (z[: arguments.limit] for z in dataset.part("train"))
    dataset = replace(dataset, train_images=images, train_labels=labels)
    console = log_console()
    results: list[Measurement] = []
    try:
        for number, name in enumerate(names, 1):
            console.print(f"{number}/{len(names)}  {BASELINES[name].title} ...", markup=False)
            with compilation_shown(console):
                results.append(measure_baseline(name, dataset, arguments.seed))
    finally:  # where Ctrl-C or SIGTERM stops it too
        if results and arguments.json:
            record = {"dataset": dataset.name, "n_training": len(labels)}
            record |= {"seed": arguments.seed, "classifiers": [z.as_dict() for z in results]}
            print(to_json(record))
        elif results:
            print(results_table(results, dataset), "", *captions(results, dataset), sep="\n")
    return 0


def _names(arguments: Namespace) -> list[str]:
    """Return the classifiers to train; every error that can be found before training is raised."""
    given = arguments.only.split(",") if arguments.only else list(BASELINES)
    for name in given:
        choose("only", name, BASELINES)
    names = [name for name in BASELINES if name in given]
    if any(isinstance(BASELINES[name], SklearnBaseline) for name in names):
        need("sklearn", "compare", "a classifier of scikit-learn (not dense, lenet, tiny)")
    return names


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


def results_table(results: Sequence[Measurement], dataset: Dataset) -> str:
    """A row for each classifier."""
    head = ["classifier", f"{dataset.name} %", "95 % interval", "errors"]
    head += ["training", "one digit", "in batches", "size"]
    rows = []
    for result in results:
        low, high = result.test.interval
        accuracy, interval = 100 * result.test.accuracy, f"{100 * low:.2f}-{100 * high:.2f}"
        row = [result.title, f"{accuracy:.2f}", interval, f"{result.test.errors:,}"]
        times = (f"{z:,.1f} µs" for z in (result.one_digit_us, result.batch_digit_us))
        size = f"{result.bytes / 1000:,.0f} kB"
        rows.append([*row, f"{result.training_seconds:,.1f} s", *times, size])
    return text_table(head, rows)


def captions(results: Sequence[Measurement], dataset: Dataset) -> Iterator[str]:
    """The digits, the columns, and the settings of each classifier."""
    training, test = (f"{len(z):,}" for z in (dataset.train_labels, dataset.test_labels))
    yield f"{dataset.name}: {training} digits to train on, {test} to test on"
    yield "times: of training, and of reading a digit that comes alone or with all others;"
    yield "size: of the arrays of a network or the pickle of an estimator"
    yield text_table(("", ""), [(z.title, z.settings) for z in results], left=(0, 1)).lstrip("\n")
