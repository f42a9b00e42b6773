"""Chapter 2: a neuron, its loss, and what a trained one looks like."""

import numpy as np

from build.figures import BLUE, INK, ORANGE, PALE, Figure, arrow, paper, plots, signed


def neuron(x: np.ndarray, w: np.ndarray, b: float) -> Figure:
    """Inputs, weights, sum."""
    figure, axes = paper(11, 4.4)
    for d, (value, weight) in enumerate(zip(x, w, strict=True)):
        at = 0.7 + 1.3 * d
        color = ORANGE if weight > 0 else BLUE
        axes.text(0.3, at, f"x[{d}] = {value:g}".replace("-", "−"), va="center")
        arrow(axes, (2.2, at), (6.2, 2 + 0.25 * (d - 1)), color, linewidth=1 + abs(weight))
        text = f"× {weight:g} = {value * weight:g}".replace("-", "−")
        axes.text(2.4, at + (0.2, -0.1, 0.35)[d] - 0.2 * (d == 0), text, color=color)
    circle = axes.scatter([6.9], [2], s=1500, facecolor="none", edgecolor=INK, linewidth=1.5)
    circle.set_zorder(3)
    axes.text(6.9, 2, "sum", ha="center", va="center")
    axes.text(6.9, 4.0, f"b = {b:g}", ha="center", va="center")
    arrow(axes, (6.9, 3.75), (6.9, 2.75))
    y = f"y = {b + (x * w).sum():g}".replace("-", "−")
    arrow(axes, (7.65, 2), (8.8, 2))
    axes.text(9.0, 2, y, va="center")
    return figure


def slope(x: np.ndarray, w: np.ndarray, b: float, dw: np.ndarray) -> Figure:
    """The loss against the first weight, and its tangent."""
    figure, (axes,) = plots(1, 4.6, 2.6)
    places = np.linspace(w[0] - 3, w[0] + 8, 100)
    others = b + (x[1:] * w[1:]).sum()
    losses = (others + places * x[0] - 1) ** 2 / 2
    here = (b + (x * w).sum() - 1) ** 2 / 2
    near = np.array([w[0] - 2, w[0] + 2])
    axes.plot(places, losses, color=BLUE)
    axes.plot(near, here + dw[0] * (near - w[0]), color=ORANGE)
    axes.plot([w[0]], [here], "o", color=ORANGE)
    note = f"slope dw[0] = {dw[0]:g}".replace("-", "−")
    axes.annotate(note, (w[0], here), (10, 6), textcoords="offset points", color=ORANGE)
    axes.set(xlabel="w[0]", ylabel="loss", ylim=(-1, None))
    axes.axhline(0, color=PALE, linewidth=0.5)
    return figure


def weights(w: np.ndarray) -> Figure:
    """The weights of a neuron that looks at an image."""
    figure, (axes,) = plots(1, 2.4, 2.5)
    signed(axes, w.reshape(28, 28), "likes, dislikes")
    return figure
