"""Chapter 10: drawings as they are and as MNIST would have them."""

import numpy as np

from build.figures import BLUE, INK, ORANGE, Figure, image, plots


def pairs(
    naive: np.ndarray,
    prepared: np.ndarray,
    naive_read: np.ndarray,
    prepared_read: np.ndarray,
    truth: np.ndarray,
) -> Figure:
    """One drawing of each digit, both ways, and what the network says."""
    figure = Figure(figsize=(6.6, 1.9), layout="constrained")
    axes = figure.subplots(2, 10)
    rows = (naive, naive_read), (prepared, prepared_read)
    for row, (images, read) in zip(axes, rows, strict=True):
        for digit, place in enumerate(row):
            at = int(np.flatnonzero(truth == digit)[0])
            image(place, images[at])
            right = read[at] == digit
            place.set_title(read[at], color=INK if right else ORANGE, fontsize=10, pad=2)
    for row, name in zip(axes, ("smaller", "prepared"), strict=True):
        row[0].set_ylabel(name)
    figure.supxlabel("above each: how it is read; orange is wrong", fontsize=8.5)
    return figure


def middle(rows: np.ndarray) -> Figure:
    """Where the center of mass lies, and where many programs put it."""
    figure, (axes,) = plots(1, 4.8, 2.1)
    axes.hist(rows, bins=np.arange(12.95, 15.1, 0.05), color=BLUE)
    axes.axvline(14, color=INK, linewidth=1)
    axes.axvline(13.5, color=ORANGE, linewidth=1, linestyle="--")
    top = axes.get_ylim()[1]
    axes.text(14.02, top, "14", va="top")
    axes.text(13.48, top, "13.5", va="top", ha="right", color=ORANGE)
    axes.set(xlabel="row of the center of mass", ylabel="images", xlim=(13, 15))
    return figure
