"""Chapter 4: windows over an image, and the backward pass: what influenced what."""

import numpy as np

from build.figures import (
    BLUE,
    INK,
    ORANGE,
    PALE,
    Figure,
    arrow,
    frame,
    grid,
    image,
    paper,
    plots,
    signed,
)
from tinycnn.data import load_dataset
from tinycnn.nn import reference


def forward(x: np.ndarray, w: np.ndarray) -> Figure:
    """An image, a filter, and the result of one window."""
    figure, axes = paper(13, 5)
    y = np.array([[(x[i : i + 2, j : j + 2] * w).sum() for j in range(3)] for i in range(3)])
    window = {(0, 1): BLUE, (0, 2): BLUE, (1, 1): BLUE, (1, 2): BLUE}
    grid(axes, x, (0.3, 0.8), window, "x")
    frame(axes, (1.3, 0.8), (2, 2), BLUE)
    axes.text(4.95, 2.3, "×", ha="center", va="center", fontsize=14)
    grid(axes, w, (5.6, 1.3), dict.fromkeys(np.ndindex(2, 2), ORANGE), "w")
    arrow(axes, (8.0, 2.3), (9.1, 2.3))
    grid(axes, y, (9.5, 0.8), {(0, 1): BLUE}, "y")
    return figure


def edges() -> Figure:
    """What two filters make of a digit."""
    digit = load_dataset().train_images[3]
    figure, axes = plots(3, 6.4, 2.3)
    image(axes[0], digit, "x")
    upright = np.array([[-1.0, 0, 1]] * 3)
    filters = (upright, "left, right"), (upright.T, "up, down")
    for place, (weights, title) in zip(axes[1:], filters, strict=True):
        x, w = digit[None, :, :, None] / 255, weights[None, :, :, None]
        signed(place, reference.conv2d(x, w, np.zeros(1))[0, :, :, 0], title)
    return figure


def weights(x: np.ndarray, dy: np.ndarray) -> Figure:
    """The part of x that each weight has met."""
    figure, axes = paper(13, 4.2)
    for number, (u, v) in enumerate(np.ndindex(2, 2)):
        left = 0.3 + 3.2 * number
        met = {(u + i, v + j): BLUE for i, j in np.ndindex(3, 3)}
        grid(axes, x, (left, 0.8), met, f"w[{u},{v}] met", cell=0.7)
        frame(axes, (left + 0.7 * v, 0.8 + 0.7 * u), (2.1, 2.1), BLUE)
        total = (dy * x[u : u + 3, v : v + 3]).sum()
        axes.text(left + 1.4, 3.95, f"dw[{u},{v}] = {total}", ha="center", color=ORANGE)
    return figure


PIXEL = 1, 1


def touched(x: np.ndarray, w: np.ndarray, dy: np.ndarray) -> Figure:
    """One pixel under the four windows that lay over it, each time under another weight."""
    figure, axes = paper(13.4, 5.2)
    r, s = PIXEL
    for number, (i, j) in enumerate(np.ndindex(2, 2)):
        left = 0.3 + 3.3 * number
        u, v = r - i, s - j
        texts = np.full(x.shape, "", dtype=object)
        for row, col in np.ndindex(2, 2):
            texts[i + row, j + col] = f"{w[row, col]}"
        fills = {(i + row, j + col): BLUE for row, col in np.ndindex(2, 2)}
        title = f"window of y[{i},{j}]"
        grid(axes, texts, (left, 0.9), fills | {PIXEL: ORANGE}, title, cell=0.7)
        frame(axes, (left + 0.7 * j, 0.9 + 0.7 * i), (1.4, 1.4), BLUE)
        frame(axes, (left + 0.7 * s, 0.9 + 0.7 * r), (0.7, 0.7), ORANGE)
        axes.text(left + 1.4, 4.15, f"under w[{u},{v}] = {w[u, v]}", ha="center", color=ORANGE)
        product = f"dy[{i},{j}] × w[{u},{v}] = {dy[i, j]} × {w[u, v]}"
        axes.text(left + 1.4, 4.75, product, ha="center", fontsize=8.5)
    return figure


def turned(w: np.ndarray, dy: np.ndarray) -> Figure:
    """The framed dy, and the turned filter over two of its places."""
    figure, axes = paper(13.4, 5.6)
    framed, turned = np.pad(dy, 1), w[::-1, ::-1]
    dx = reference.conv2d_backward_input(dy[None, ..., None] * 1.0, w[None, ..., None] * 1.0)
    inside = {(1 + i, 1 + j): BLUE for i, j in np.ndindex(3, 3)}
    grid(axes, framed, (0.3, 0.9), inside, "dy, framed by zeros", 0.8)
    frame(axes, (0.3, 0.9), (1.6, 1.6), PALE)
    frame(axes, (1.1, 1.7), (1.6, 1.6), ORANGE)
    grid(axes, w, (5.2, 1.0), None, "w", 0.8)
    arrow(axes, (6.0, 2.8), (6.0, 3.5), INK, connectionstyle="arc3,rad=-0.6")
    axes.text(6.35, 3.2, "half a turn", va="center", fontsize=8.5)
    grid(axes, turned, (5.2, 3.7), dict.fromkeys(np.ndindex(2, 2), ORANGE), "", 0.8)
    arrow(axes, (7.7, 2.9), (8.7, 2.9))
    grid(axes, dx[0, :, :, 0], (9.3, 1.0), {(0, 0): PALE, PIXEL: ORANGE}, "dx", 0.8)
    return figure
