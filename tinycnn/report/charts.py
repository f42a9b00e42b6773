"""The charts of a report: plotted by ``tinycnn.plots``, colored by the page's style sheet."""

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tinycnn.metrics import calibration_bins
from tinycnn.plots import COLORS, GRID, INK, PAPER, SOFT, Series, draw, plot_lines, set_log_scale
from tinycnn.report.subject import Subject
from tinycnn.train.state import EpochRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 320, 222
"""Of a chart, in points."""

VARIABLES = {
    PAPER: "none",
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    GRID: "var(--line)",
    **{color: f"var(--c{k})" for k, color in enumerate(COLORS)},
}
"""From the colors of a file to those of the page, which depend on its light or dark scheme."""

UNWANTED = re.compile(
    r'<style.*?</style>|<metadata>.*?</metadata>| xmlns(:\w+)?="[^"]*"| id="[\w.]+_\d+"', re.DOTALL
)
"""Parts of an SVG file that a page has no use for, or that would occur twice on it."""


@dataclass(frozen=True)
class Chart:
    """Lines in a frame; ``adjust`` gives the vertical axis its scale."""

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Series]
    adjust: Callable[["Axes"], object]
    note: str = ""

    def svg(self) -> str:
        """The chart as an element of the page."""
        # Identifiers are hashes; the title makes them differ from those of other charts.
        style = {"font.size": 12, "svg.hashsalt": self.title}
        file = draw(self._paint, WIDTH / 72, HEIGHT / 72, **style).decode()
        svg = UNWANTED.sub("", file[file.index("<svg") :]).replace("xlink:href", "href")
        for color, variable in VARIABLES.items():
            svg = svg.replace(color, variable)
        ends = "; ".join(f"{line.name} ends at {line.points[-1][1]:.4g}" for line in self.lines)
        label = html.escape(f"{self.title}: {self.y_label} over {self.x_label}. {ends}.")
        return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)

    def _paint(self, figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.subplots()
        plot_lines(axes, self.lines)
        axes.set(xlabel=self.x_label, ylabel=self.y_label)
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=(1, 2, 5, 10), integer=True))
        axes.margins(0.03)
        self.adjust(axes)
        axes.grid(axis="y")
        axes.tick_params(axis="y", which="both", length=0)
        axes.spines["left"].set_visible(False)


def training_charts(subjects: Sequence[Subject]) -> list[Chart]:
    """Loss and validation errors over epochs; none if no run has a history."""
    trained = [each for each in subjects if each.history]
    if not trained:
        return []
    title, losses = "Validation loss", _history(trained, lambda r: r.validation_loss)
    if len(trained) == 1:
        training = _history(trained, lambda r: r.loss)[0]
        losses = [replace(training, name="training"), replace(losses[0], name="validation")]
        title = "Loss"
    wrong = _history(trained, lambda r: 100 * (1 - r.validation_accuracy))
    return [
        Chart(title, "epoch", "loss (nats)", losses, set_log_scale),
        Chart("Validation errors", "epoch", "wrong (%)", wrong, lambda axes: axes.set_ylim(0)),
    ]


def calibration_chart(subjects: Sequence[Subject]) -> Chart:
    """Accuracy over confidence."""
    lines = []
    for each in subjects:
        bins = calibration_bins(each.evaluation.probabilities, each.evaluation.labels)
        points = [(100 * confidence, 100 * score.accuracy) for confidence, score in bins]
        intervals = [(100 * low, 100 * high) for low, high in (z.interval for _, z in bins)]
        lines.append(Series(each.name, points, intervals))
    return Chart(
        "Is confidence honest?",
        "confidence (%)",
        "right (%)",
        lines,
        _diagonal,
        "Answers of similar confidence together; whiskers are 95 % intervals. On the dotted line, "
        "of answers given with 80 % confidence exactly 80 % are right; below it the network is "
        "overconfident.",
    )


def _diagonal(axes: "Axes") -> None:
    axes.set(xlim=(0, 102), ylim=(0, 102))
    axes.axline((0, 0), slope=1, color=SOFT, linestyle=":")


def _history(subjects: Sequence[Subject], value: Callable[[EpochRecord], float]) -> list[Series]:
    """A line for each run."""
    return [Series(each.name, [(r.epoch, value(r)) for r in each.history]) for each in subjects]
