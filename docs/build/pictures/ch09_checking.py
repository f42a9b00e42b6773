"""Chapter 9: how small a nudge should be."""

import numpy as np

from build.figures import BLUE, ORANGE, Figure, plots


def steps(sizes: np.ndarray, one_sided: np.ndarray, central: np.ndarray) -> Figure:
    """The error of finite differences against their step."""
    figure, (axes,) = plots(1, 5.2, 2.8)
    axes.loglog(sizes, one_sided, "o-", color=ORANGE, markersize=4, label="one side")
    axes.loglog(sizes, central, "s-", color=BLUE, markersize=4, label="both sides")
    axes.invert_xaxis()
    axes.set(xlabel="step, smaller to the right", ylabel="relative error")
    axes.legend()
    return figure
