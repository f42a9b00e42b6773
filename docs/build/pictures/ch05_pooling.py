"""Chapter 5: winners, and those of them that are alive."""

import numpy as np

from build.figures import (
    BLUE,
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
from tinycnn.nn import Sequential, reference

DY = np.array([["a", "b"], ["c", "d"]], dtype=object)


def winners(x: np.ndarray) -> Figure:
    """Four windows, their winners, and the backward pass."""
    figure, axes = paper(13.4, 4.6)
    y, winner = (z[0, :, :, 0] for z in reference.maxpool2d(x[None, :, :, None], 2))
    back = np.full(x.shape, "0", dtype=object)
    places = {}
    for (i, j), place in np.ndenumerate(winner):
        at = 2 * i + place // 2, 2 * j + place % 2
        places[tuple(map(int, at))] = ORANGE
        back[at] = DY[i, j]
    grid(axes, x, (0.3, 0.9), places, "x", 0.8)
    arrow(axes, (3.75, 2.1), (4.45, 2.1), BLUE)
    grid(axes, y, (4.7, 1.3), dict.fromkeys(np.ndindex(2, 2), ORANGE), "y", 0.8)
    grid(axes, DY, (7.3, 1.3), dict.fromkeys(np.ndindex(2, 2), BLUE), "dy", 0.8)
    arrow(axes, (9.1, 2.1), (9.8, 2.1), BLUE)
    grid(axes, back, (10.0, 0.9), dict.fromkeys(places, BLUE), "dx", 0.8)
    for left in (0.3, 10.0):
        for i, j in np.ndindex(2, 2):
            frame(axes, (left + 1.6 * j, 0.9 + 1.6 * i), (1.6, 1.6), PALE)
    return figure


def living(model: Sequential, digit: np.ndarray) -> Figure:
    """A digit, a map of the first convolution, and where in it gradients arrive."""
    w, b = model.layers[0].params.values()
    maps = reference.conv2d(model.prepare(digit[None]), w, b)
    f = int(np.argsort((maps > 0).mean(axis=(0, 1, 2)))[len(b) // 2])  # the one in the middle
    _, winner = reference.conv2d_relu_maxpool2d(model.prepare(digit[None]), w, b, 2)
    alive = np.zeros(maps.shape[1:3])
    for (i, j), place in np.ndenumerate(winner[0, :, :, f]):
        if place < 4:
            alive[2 * i + place // 2, 2 * j + place % 2] = 1
    figure, axes = plots(3, 6.4, 2.3)
    image(axes[0], digit, "x")
    signed(axes[1], maps[0, :, :, f], "before the ReLU")
    signed(axes[2], alive, f"living winners: {alive.mean():.1%}")
    return figure
