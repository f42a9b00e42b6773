"""Chapter 1: an image and its numbers."""

import numpy as np

from build.figures import INK, ORANGE, Figure, frame, image, plots

CORNER = 6, 13  # row and column where the numbers begin
SIDE = 8


def pixels(digit: np.ndarray) -> Figure:
    """A digit, and the numbers of a part of it."""
    figure, (left, right) = plots(2, 6.4, 3.2)
    image(left, digit)
    row, column = CORNER
    frame(left, (column - 0.5, row - 0.5), (SIDE, SIDE), ORANGE)
    part = digit[row : row + SIDE, column : column + SIDE]
    image(right, part)
    for (i, j), value in np.ndenumerate(part):
        color = "#111111" if value > 120 else "#eeeeee"
        right.text(j, i, value, ha="center", va="center", color=color, fontsize=8)
    right.set_xlabel(f"rows {row} to {row + SIDE - 1}, columns {column} to {column + SIDE - 1}")
    left.set_xlabel("28 x 28 pixels", color=INK)
    frame(right, (-0.5, -0.5), (SIDE, SIDE), ORANGE)
    return figure


def ghosts(images: np.ndarray, labels: np.ndarray) -> Figure:
    """The mean of the images of each digit."""
    figure, axes = plots(10, 6.4, 0.9)
    for digit, place in enumerate(axes):
        image(place, images[labels == digit].mean(axis=0), str(digit))
    return figure
