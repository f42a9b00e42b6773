"""What ``python -m benchmarks.kernels --charts`` draws: bars for the tables' medians."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.charts import STYLE, pyplot, save
from benchmarks.kernel_report import Report
from benchmarks.stages import PARTS, Breakdown
from benchmarks.timing import Comparison

FILES = {"convolution 2": "kernels-convolution.svg", "a whole": "kernels-step.svg"}
"""How the titles of comparisons begin that are drawn, and where."""

WIDE = 50
"""From this ratio on, bars need a logarithmic scale to be seen."""

COLORS = ("#D55E00", "#0072B2", "#009E73", "#999999")


def draw(report: Report, folder: Path) -> None:
    """Draw what was timed into ``folder``."""
    for title, name in FILES.items():
        chosen = [c for c in report.comparisons if c.title.startswith(title)]
        if chosen:
            draw_comparisons(chosen, folder / name)
    if report.stages.samples:
        draw_stages(report.stages, folder / "kernels-stages.svg")


def draw_comparisons(comparisons: Sequence[Comparison], path: Path) -> None:
    """Draw a panel of bars for each comparison, one above the other."""
    plt = pyplot()
    heights = [len(c.samples) for c in comparisons]
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            len(comparisons), 1, squeeze=False, height_ratios=heights, layout="constrained",
            figsize=(8, 0.5 * len(comparisons) + 0.32 * sum(heights)),
        )  # fmt: skip
        for axes, comparison in zip(panels[:, 0], comparisons, strict=True):
            _bars(axes, comparison)
        save(figure, path)


def _bars(axes: Any, comparison: Comparison) -> None:
    for row, values in enumerate(comparison.samples.values()):
        middle = median(values)
        spread = [[middle - min(values)], [max(values) - middle]]
        axes.barh(row, middle, xerr=spread, color=COLORS[0], ecolor="#444444")
        axes.annotate(
            f"{middle:,.1f}", (max(values), row), (4, 0), textcoords="offset points", va="center"
        )
    axes.set_yticks(range(len(comparison.samples)), list(comparison.samples))
    medians = comparison.medians().values()
    if max(medians) > WIDE * min(medians):
        axes.set_xscale("log")
        axes.set_xlim(left=1)
        axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_title(f"{comparison.title}, {comparison.unit}")
    axes.invert_yaxis()
    axes.tick_params(left=False)
    axes.margins(x=0.12)


def draw_stages(stages: Breakdown, path: Path) -> None:
    """Draw the parts of a training step one above the other, a panel for each thread count."""
    plt = pyplot()
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            1, len(stages.samples), squeeze=False, sharex=True, sharey=True,
            layout="constrained", figsize=(2.5 + 3.2 * len(stages.samples), 3.6),
        )  # fmt: skip
        for axes, count in zip(panels[0], stages.samples, strict=True):
            _stacked(axes, stages.medians(count))
            axes.set_title(f"{count} thread{'s' * (count > 1)}, µs an image")
        panels[0][0].invert_yaxis()
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        save(figure, path)


def _stacked(axes: Any, found: dict[tuple[str, str], float]) -> None:
    rows = list(dict.fromkeys(name for name, _ in found))
    left = [0.0] * len(rows)
    for part, color in zip((*PARTS.values(), ""), COLORS, strict=True):
        widths = [found.get((row, part), 0.0) for row in rows]
        axes.barh(range(len(rows)), widths, left=left, color=color, label=part or "everything else")
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(left=False)
