"""The table of a sweep as a picture."""

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinycnn.plots import draw, name_rows, plot_rows
from tinycnn.sweep.table import SettingResult, deviation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 40
"""Settings that are drawn; beyond these, the best ones."""


def draw_chart(results: Sequence[SettingResult], title: str, form: str = "svg") -> bytes:
    """Errors and seconds of each setting, the best on top, as an SVG or PNG file.

    A pale dot is a trial; the bar reaches one standard deviation to either side of the mean.
    """
    shown = [each for each in results if each.validation][:MOST]

    def paint(figure: "Figure") -> None:
        errors, seconds = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
        _plot_errors(errors, [each.validation for each in shown], "validation", 0)
        _plot_errors(errors, [each.test for each in shown], "test", 1)
        seconds.barh(range(len(shown)), [statistics.mean(each.seconds) for each in shown], 0.6)
        name_rows(errors, [each.name for each in shown])
        errors.set(xlabel="errors (%)", title=title, xlim=(0, None))
        errors.grid(axis="x")
        errors.legend()
        seconds.set(xlabel="seconds of training")

    return draw(paint, 9, 1.4 + 0.34 * max(3, len(shown)), form)


def _plot_errors(
    axes: "Axes", accuracies: Sequence[Sequence[float]], label: str, style: int
) -> None:
    """Plot the trials of each row and their mean; a row may have none."""
    wrong = {y: [100 * (1 - a) for a in each] for y, each in enumerate(accuracies) if each}
    if not wrong:
        return
    trials = [(error, y) for y, errors in wrong.items() for error in errors]
    values, rows = zip(*trials, strict=True)
    plot_rows(axes, rows, values, style, markersize=4, alpha=0.4)
    means = [statistics.mean(errors) for errors in wrong.values()]
    spreads = [deviation(errors) or 0.0 for errors in wrong.values()]
    plot_rows(axes, [*wrong], means, style, xerr=spreads, capsize=4, label=label)
