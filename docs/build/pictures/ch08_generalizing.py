"""Chapter 8: overfitting in curves, and one digit in other handwritings."""

from collections.abc import Callable

import numpy as np

from build.figures import BLUE, ORANGE, PALE, Figure, image, plots


def curves(losses: np.ndarray) -> Figure:
    """The loss on the digits of training and on others, (epochs,2)."""
    return _lines({"others": (losses[:, 1], ORANGE), "the 300 of training": (losses[:, 0], BLUE)})


def both(plain: np.ndarray, augmented: np.ndarray) -> Figure:
    """The loss on others, without and with augmentation."""
    return _lines({"as they are": (plain[:, 1], ORANGE), "augmented": (augmented[:, 1], BLUE)})


def _lines(lines: dict[str, tuple[np.ndarray, str]]) -> Figure:
    figure, (axes,) = plots(1, 5.6, 2.6)
    for name, (values, color) in lines.items():
        epochs = np.arange(1, len(values) + 1)
        axes.plot(epochs, values, color=color, label=name)
        lowest = values.argmin()
        axes.plot(epochs[lowest], values[lowest], "o", color=color, markersize=5)
    axes.axhline(0, color=PALE, linewidth=0.5)
    axes.set(xlabel="epoch", ylabel="loss", ylim=(-0.05, 1.6))
    axes.legend()
    return figure


def versions(augment: Callable, digit: np.ndarray) -> Figure:
    """One digit as ten epochs would show it."""
    figure, axes = plots(10, 6.4, 0.8)
    images = np.stack([digit] * len(axes))
    shown, _ = augment(images, np.zeros(len(axes), np.int64), np.random.default_rng(1))
    for place, pixels in zip(axes, shown, strict=True):
        image(place, pixels)
    return figure
