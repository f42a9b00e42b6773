"""Chapter 11: how long each version takes."""

from collections.abc import Mapping

from build.execute import number
from build.figures import BLUE, ORANGE, Figure, plots


def forward(times: Mapping[str, float]) -> Figure:
    """Microseconds an image of each version, the first two in orange."""
    return _bars(times, 2, log=True)


def backward(times: Mapping[str, float]) -> Figure:
    """The same of the gradients, the first in orange."""
    return _bars(times, 1, log=False)


def _bars(times: Mapping[str, float], before: int, log: bool) -> Figure:
    figure, (axes,) = plots(1, 6.6, 0.6 + 0.28 * len(times))
    colors = [ORANGE] * before + [BLUE] * (len(times) - before)
    bars = axes.barh(list(times), list(times.values()), color=colors, height=0.65)
    axes.bar_label(bars, [number(time) for time in times.values()], padding=4)
    axes.invert_yaxis()
    if log:
        axes.set_xscale("log")
        axes.set_xlim(1, 4 * max(times.values()))
    else:
        axes.set_xlim(0, 1.15 * max(times.values()))
    axes.set(xlabel="µs an image" + (", logarithmic" if log else ""))
    axes.tick_params(axis="y", length=0)
    return figure
