"""Chapter 7: ways down into a valley, and how fast they are taken."""

from collections.abc import Mapping, Sequence

import numpy as np

from build.figures import BLUE, INK, ORANGE, PALE, Figure, plots
from tinycnn.nn import SCHEDULES

WINDOW = 10
"""Batches that a loss is averaged over: single ones jump about."""


def paths(ways: Mapping[str, np.ndarray]) -> Figure:
    """Each way on a map of the valley."""
    figure, axes = plots(3, 6.6, 2.3, sharey=True)
    x, y = np.meshgrid(np.linspace(-4.6, 2.2, 120), np.linspace(-1.5, 1.5, 80))
    heights = x**2 / 2 + 20 * y**2 / 2
    for place, (name, path) in zip(axes, ways.items(), strict=True):
        place.contour(x, y, heights, levels=np.geomspace(0.2, 20, 7), colors=PALE, linewidths=0.6)
        place.plot(*path.T, "o-", color=BLUE, markersize=2.5, linewidth=1)
        place.plot([0], [0], "+", color=ORANGE, markersize=10, markeredgewidth=2)
        place.set(title=name, xlabel="z[0]", xlim=(-4.6, 2.2), ylim=(-1.5, 1.5))
    axes[0].set_ylabel("z[1]")
    return figure


def schedules() -> Figure:
    """The schedules of the library."""
    figure, (axes,) = plots(1, 4.8, 2.3)
    share = np.linspace(0, 1, 200)
    styles = {"one-cycle": (BLUE, "-"), "cosine": (ORANGE, "--"), "constant": (PALE, ":")}
    for name, (color, line) in styles.items():
        axes.plot(share, [SCHEDULES[name](s) for s in share], color=color, label=name, ls=line)
    axes.set(xlabel="share of training done", ylabel="share of the rate", ylim=(0, 1.1))
    axes.legend(loc="lower left")
    return figure


def losses(trainings: Mapping[str, Sequence[float]]) -> Figure:
    """The losses of some trainings, smoothed a little."""
    figure, (axes,) = plots(1, 5.6, 2.8)
    styles = (PALE, "-"), (BLUE, "--"), (BLUE, "-"), (ORANGE, "-")
    for (name, values), (color, line) in zip(trainings.items(), styles, strict=True):
        smooth = np.convolve(values, np.ones(WINDOW) / WINDOW, "valid")
        axes.plot(np.arange(len(smooth)) + WINDOW, smooth, color=color, ls=line, label=name)
    axes.axhline(np.log(10), color=INK, linewidth=0.5)
    axes.text(len(values), np.log(10), "guessing", ha="right", va="bottom", fontsize=8.5)
    axes.set(xlabel="step", ylabel="loss", ylim=(0, 2.6))
    axes.legend()
    return figure
