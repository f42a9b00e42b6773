"""Results in rows and columns, and captions that explain them."""

from collections.abc import Sequence

import numpy as np

from tinycnn.compare.measuring import Measurement
from tinycnn.compare.task import Task
from tinycnn.metrics import Score, text_table
from tinycnn.timing import duration

UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def results_table(results: Sequence[Measurement], task: Task) -> str:
    """A row for each classifier."""
    head = ["classifier", f"{task.dataset.name} %", "95 % interval", "errors"]
    head += ["drawings %", "95 % interval", "errors"] if task.drawings is not None else []
    head += ["training", "one digit", "in batches", "size"]
    rows = []
    for result in results:
        cells = [result.title, *_score(result.test)]
        cells += _score(result.drawings) if result.drawings else []
        cells += [
            f"{result.training_seconds:,.1f} s",
            duration(result.one_digit_us / 1e6),
            duration(result.batch_digit_us / 1e6),
            size(result.bytes),
        ]
        rows.append(cells)
    return text_table(head, rows)


def captions(results: Sequence[Measurement], task: Task) -> list[str]:
    """The digits, the columns, and the settings of each classifier."""
    images, (tests, _) = task.training[0], task.test
    drawn = "no drawings (--drawings FILE.jsonl adds them)"
    if task.drawings is not None:
        writers = len(np.unique(task.drawings.writers))
        drawn = (
            f"{len(task.drawings.images):,} drawings by {writers:,} writers, prepared like MNIST's "
            "digits; their intervals allow for writers that are read better than others"
        )
    width = max((len(result.title) for result in results), default=0)
    return [
        f"{task.dataset.name}: {len(images):,} digits to train on, {len(tests):,} to test on; "
        f"{drawn}",
        "times: of training, and of reading a digit that comes alone or with all others;",
        "size: of the arrays of a network or the pickle of an estimator",
        *(f"{result.title:<{width}}  {result.settings}" for result in results),
    ]


def _score(score: Score) -> list[str]:
    low, high = score.interval
    return [
        f"{100 * score.accuracy:.2f}",
        f"{100 * low:.2f}-{100 * high:.2f}",
        f"{score.errors:,}",
    ]


def size(count: int) -> str:
    """A number of bytes with a fitting unit."""
    for unit, value in UNITS:
        if count >= value:
            return f"{count / value:,.{1 if count < 100 * value else 0}f} {unit}"
    return f"{count} B"
