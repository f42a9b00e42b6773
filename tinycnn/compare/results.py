"""Results in rows and columns, as a picture, and captions that explain them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tinycnn.compare.measuring import Measurement
from tinycnn.compare.task import Task
from tinycnn.metrics import Score, text_table
from tinycnn.plots import draw, name_rows, plot_rows, set_log_scale
from tinycnn.timing import duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def results_table(results: Sequence[Measurement], task: Task) -> str:
    """A row for each classifier."""
    head = ["classifier", f"{task.dataset.name} %", "95 % interval", "errors"]
    head += ["drawings %", "95 % interval", "errors"] if task.drawings is not None else []
    head += ["training", "one digit", "in batches", "size"]
    rows = []
    for result in results:
        scores = [score for score in (result.test, result.drawings) if score]
        times = result.one_digit_us / 1e6, result.batch_digit_us / 1e6
        last = [f"{result.training_seconds:,.1f} s", *map(duration, times), size(result.bytes)]
        rows.append([result.title, *(cell for score in scores for cell in _cells(score)), *last])
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


def _cells(score: Score) -> list[str]:
    low, high = score.interval
    interval = f"{100 * low:.2f}-{100 * high:.2f}"
    return [f"{100 * score.accuracy:.2f}", interval, f"{score.errors:,}"]


def size(count: int) -> str:
    """A number of bytes with a fitting unit."""
    for unit, value in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= value:
            return f"{count / value:,.{1 if count < 100 * value else 0}f} {unit}"
    return f"{count} B"


def draw_chart(results: Sequence[Measurement], dataset: str) -> bytes:
    """Errors, times and sizes as an SVG file: a row per classifier, a panel per question."""
    rows = range(len(results))

    def paint(figure: "Figure") -> None:
        panels = figure.subplots(1, 4, sharey=True, width_ratios=(5, 3, 5, 3))
        errors, training, times, sizes = panels
        _plot_errors(errors, [each.test for each in results], f"of {dataset}", 0)
        if drawn := [each.drawings for each in results if each.drawings]:
            _plot_errors(errors, drawn, "of drawings", 1)
            errors.legend()
        errors.set_title("errors, % (with 95 % interval)")
        plot_rows(training, rows, [each.training_seconds for each in results])
        training.set_title("training, s")
        plot_rows(times, rows, [each.one_digit_us for each in results], label="one alone")
        plot_rows(times, rows, [each.batch_digit_us for each in results], 1, label="in batches")
        times.legend()
        times.set_title("reading a digit, µs")
        plot_rows(sizes, rows, [each.bytes / 1e6 for each in results])
        sizes.set_title("size, MB")
        name_rows(errors, [each.title for each in results])
        for panel in panels:
            set_log_scale(panel, "x")
            panel.grid(axis="y")

    return draw(paint, 12, 1.2 + 0.32 * len(results))


def _plot_errors(axes: "Axes", scores: Sequence[Score], label: str, style: int) -> None:
    """Plot error rates in percent with their intervals."""
    wrong = [100 * (1 - score.accuracy) for score in scores]
    below = [100 * (score.interval[1] - score.accuracy) for score in scores]
    above = [100 * (score.accuracy - score.interval[0]) for score in scores]
    plot_rows(axes, range(len(scores)), wrong, style, xerr=(below, above), label=label)
