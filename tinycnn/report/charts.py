"""The charts of a report: plotted by ``tinycnn.plots``, colored by the page's style sheet.

The numbers of a chart are in a table below it as well.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinycnn.plots import COLORS, GRID, INK, PAPER, SOFT, Series, draw, plot_lines, set_log_scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 320, 222
"""Of a chart, in points."""

PERCENT = (0, 20, 40, 60, 80, 100)

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
    """Lines in a frame; ``y_ticks`` are chosen to fit and include 0 unless they are given.

    ``diagonal`` adds the line on which y equals x.
    """

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Series]
    x_ticks: Sequence[float]
    y_ticks: Sequence[float] = ()
    log: bool = False
    diagonal: bool = False
    note: str = ""

    @property
    def description(self) -> str:
        """The chart in a sentence, for screen readers."""
        names = ", ".join(line.name for line in self.lines)
        return f"{self.y_label} over {self.x_label}: {names}. The numbers are in the table below."

    @property
    def table(self) -> list[tuple[str, ...]]:
        """The head and the rows of a table with all points."""
        columns = [[x for x, _ in line.points] for line in self.lines]
        if all(column == columns[0] for column in columns):
            points = zip(*(line.points for line in self.lines), strict=True)
            rows = [(f"{row[0][0]:.4g}", *(f"{y:.4g}" for _, y in row)) for row in points]
            return [(self.x_label, *(line.name for line in self.lines)), *rows]
        head = ("line", self.x_label, "value")
        return [head, *((z.name, f"{x:.4g}", f"{y:.4g}") for z in self.lines for x, y in z.points)]

    def svg(self) -> str:
        """The chart as an element of the page."""
        # Identifiers are hashes; the title makes them differ from those of other charts.
        style = {"font.size": 12, "svg.hashsalt": self.title}
        file = draw(self._paint, WIDTH / 72, HEIGHT / 72, style=style).decode()
        svg = UNWANTED.sub("", file[file.index("<svg") :]).replace("xlink:href", "href")
        for color, variable in VARIABLES.items():
            svg = svg.replace(color, variable)
        label = html.escape(f"{self.title}. {self.description}")
        return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)

    def _paint(self, figure: "Figure") -> None:
        from matplotlib.ticker import FixedLocator, MaxNLocator

        axes = figure.subplots()
        plot_lines(axes, self.lines)
        axes.set(xlabel=self.x_label, ylabel=self.y_label)
        axes.xaxis.set_major_locator(FixedLocator(self.x_ticks, nbins=8))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.margins(0.03)
        if self.log:
            set_log_scale(axes, "y")
        else:  # make room for all ticks, or at least for 0
            y_ticks = self.y_ticks or (0,)
            axes.update_datalim([(self.x_ticks[0], y_ticks[0]), (self.x_ticks[-1], y_ticks[-1])])
            axes.autoscale_view()
            rounded = MaxNLocator(5, steps=(1, 2, 5, 10))
            axes.yaxis.set_major_locator(FixedLocator(y_ticks) if self.y_ticks else rounded)
            axes.yaxis.set_major_formatter("{x:g}")
        if self.diagonal:
            axes.axline((0, 0), slope=1, color=SOFT, linestyle=":")
        axes.grid(axis="y")
        axes.tick_params(axis="y", which="both", length=0)
        axes.spines["left"].set_visible(False)
