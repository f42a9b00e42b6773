"""Chapter 6: surprise, and the gradient of it."""

import numpy as np

from build.figures import BLUE, ORANGE, PALE, Figure, plots


def surprise(p: float) -> Figure:
    """The cross-entropy against the probability of the true class."""
    figure, (axes,) = plots(1, 4.6, 2.4)
    places = np.linspace(0.01, 1, 200)
    axes.plot(places, -np.log(places), color=BLUE)
    axes.plot([p], [-np.log(p)], "o", color=ORANGE)
    note = f"p = {p:.2f}: {-np.log(p):.2f}"
    axes.annotate(note, (p, -np.log(p)), (6, 8), textcoords="offset points", color=ORANGE)
    axes.set(xlabel="p of the true class", ylabel="loss, -log p", xlim=(0, 1), ylim=(0, 4.7))
    return figure


def difference(logits: np.ndarray, p: np.ndarray) -> Figure:
    """Logits, probabilities, and what was said minus what is true; the truth is class 0."""
    truth = np.eye(len(p))[0]
    figure, axes = plots(3, 6.4, 2.2)
    for place, values, title in zip(
        axes, (logits, p, p - truth), ("logits", "p", "dlogits = p − truth"), strict=True
    ):
        bars = place.bar(range(len(p)), values, color=[ORANGE] + [BLUE] * (len(p) - 1), width=0.6)
        place.bar_label(bars, [f"{v:.2f}".replace("-", "−") for v in values], padding=2, fontsize=9)
        place.axhline(0, color=PALE, linewidth=0.8)
        place.set(title=title, xticks=range(len(p)), yticks=[])
        place.margins(y=0.2)
        place.spines[:].set_visible(False)
    axes[0].set_xlabel("class 0 is true")
    return figure
