"""Results in rows and columns, and what a reader has to know about them."""

from collections.abc import Sequence

import numpy as np
from rich import box
from rich.table import Table

from tinycnn.compare.measuring import Result, Tally
from tinycnn.compare.task import Task
from tinycnn.timing import duration

UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def as_table(results: Sequence[Result], task: Task, plain: bool = False) -> Table:
    """A row for each classifier; ``plain`` is for where lines would be in the way."""
    with_drawings = task.drawings is not None
    table = Table(box=None if plain else box.HEAVY_HEAD, pad_edge=not plain)
    columns = [f"{task.dataset.name} %", "95 % interval", "errors"]
    columns += ["drawings %", "95 % interval", "errors"] if with_drawings else []
    columns += ["training", "one digit", "in batches", "size"]
    table.add_column("classifier", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    for result in results:
        cells = _tally(result.test)
        cells += _tally(result.drawings) if result.drawings else []
        cells += [
            f"{result.training_seconds:,.1f} s",
            duration(result.one_digit_us / 1e6),
            duration(result.batch_digit_us / 1e6),
            size(result.bytes),
        ]
        table.add_row(result.title, *cells)
    return table


def captions(results: Sequence[Result], task: Task) -> list[str]:
    """What the digits are, how each classifier was set, and what the columns mean."""
    images, (tests, _) = task.training[0], task.test
    drawn = "no drawings (--drawings FILE.jsonl adds them)"
    if task.drawings is not None:
        writers = len(np.unique(task.drawings.writers))
        drawn = (
            f"{len(task.drawings.images):,} drawings by {writers:,} writers, prepared as MNIST's "
            "digits were; their intervals allow for writers that are read better than others"
        )
    width = max((len(result.title) for result in results), default=0)
    return [
        f"{task.dataset.name}: {len(images):,} digits to learn from, {len(tests):,} to be tested "
        f"on; {drawn}",
        "times: of training, and of reading a digit that comes alone or with all others;",
        "size: what has to be kept (arrays of a network, pickle of an estimator)",
        *(f"{result.title:<{width}}  {result.settings}" for result in results),
    ]


def _tally(tally: Tally) -> list[str]:
    low, high = tally.interval
    return [
        f"{100 * tally.accuracy:.2f}",
        f"{100 * low:.2f}-{100 * high:.2f}",
        f"{tally.errors:,}",
    ]


def size(count: int) -> str:
    """Bytes as a person would want to read them."""
    for unit, value in UNITS:
        if count >= value:
            return f"{count / value:,.{1 if count < 100 * value else 0}f} {unit}"
    return f"{count} B"
