"""Chapter 12: how long each step takes."""

from collections.abc import Mapping

from build.execute import number
from build.figures import BLUE, ORANGE, Figure, plots


def steps(steps: Mapping[str, float], library: Mapping[str, float]) -> Figure:
    """Microseconds per image of each step, the library's in orange."""
    times = {**steps, **{f"library, {name}": time for name, time in library.items()}}
    figure, (axes,) = plots(1, 6.6, 0.6 + 0.28 * len(times))
    colors = [BLUE] * len(steps) + [ORANGE] * len(library)
    bars = axes.barh(list(times), list(times.values()), color=colors, height=0.65)
    axes.bar_label(bars, [number(time) for time in times.values()], padding=4)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(1, 4 * max(times.values()))
    axes.set(xlabel="µs per image, logarithmic")
    axes.tick_params(axis="y", length=0)
    return figure
