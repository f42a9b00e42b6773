"""Results as a picture: a row for each classifier, a panel for each question."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinycnn.compare.measuring import Measurement
from tinycnn.metrics import Score
from tinycnn.plots import draw, name_rows, plot_rows, set_log_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_chart(results: Sequence[Measurement], dataset: str) -> bytes:
    """Errors, times and sizes of the classifiers as an SVG file."""
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
