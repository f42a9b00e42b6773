"""What charts of benchmarks show: bars with their spread, a line for each contender."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

COLORS = {
    "tinycnn": "#D55E00",
    "torch": "#0072B2",
    "keras": "#009E73",
    "onnxruntime": "#CC79A7",
}
"""From Okabe and Ito, told apart with every kind of color vision."""

WIDE = 50
"""From this ratio on, bars need a logarithmic scale to be seen."""


def bars(axes: Any, samples: Mapping[str, Sequence[float]], title: str, form: str = ",.0f") -> None:
    """Draw the median of each row, and its range over the rounds."""
    for row, (name, values) in enumerate(samples.items()):
        middle = median(values)
        spread = [[middle - min(values)], [max(values) - middle]]
        axes.barh(row, middle, xerr=spread, color=COLORS.get(name, "#D55E00"), ecolor="#444444")
        text = {"textcoords": "offset points", "va": "center"}
        axes.annotate(f"{middle:{form}}", (max(values), row), (4, 0), **text)
    axes.set_yticks(range(len(samples)), list(samples))
    axes.set_title(title)
    axes.invert_yaxis()
    axes.tick_params(left=False)
    axes.margins(x=0.2)  # room for the figures
    medians = [median(values) for values in samples.values()]
    if medians and max(medians) > WIDE * min(medians):
        axes.set_xscale("log")
        axes.set_xlim(left=1)
    else:
        axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter("{x:,.0f}")


def lines(axes: Any, curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> None:
    """Draw a line for each contender, given its x and y."""
    for (name, (x, y)), marker in zip(curves.items(), "os^D", strict=False):
        axes.plot(x, y, label=name, marker=marker, markersize=4, color=COLORS.get(name))
    axes.legend(frameon=False)
