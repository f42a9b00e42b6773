"""The pictures of the book: functions that return a figure.

Colors with a meaning are blue and orange, which nearly everyone can tell apart.
"""

import io
import re
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from tinycnn.nn import reference
from tinycnn.plots import COLORS, INK, STYLE
from tinycnn.plots import SOFT as PALE

BLUE, ORANGE = COLORS[:2]

mpl.use("svg")
mpl.rcParams.update(STYLE | {"axes.titlelocation": "center", "axes.titlesize": 10})

Places = Mapping[tuple[int, int], str]
"""From the row and column of a cell to its color."""


def paper(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of ``width`` x ``height`` units of half an inch to draw on, y down."""
    figure = Figure(figsize=(width * 0.5, height * 0.5))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    axes.axis("off")
    return figure, axes


def plots(columns: int, width: float, height: float, **options) -> tuple[Figure, np.ndarray]:
    """Return a figure with ``columns`` plots side by side, inches in all."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, np.atleast_1d(figure.subplots(1, columns, **options))


def grid(
    axes: Axes,
    values: np.ndarray,
    at: tuple[float, float],
    fills: Places | None = None,
    title: str = "",
    cell: float = 1.0,
    faint: bool = False,
) -> None:
    """Draw a table of numbers or texts with its upper left corner at x, y."""
    x, y = at
    values = np.asarray(values)
    for (row, column), value in np.ndenumerate(values):
        color = (fills or {}).get((row, column))
        corner = x + column * cell, y + row * cell
        style = {"facecolor": color or "none", "alpha": 0.45} if color else {"fill": False}
        axes.add_patch(Rectangle(corner, cell, cell, linewidth=0, **style))
        axes.add_patch(Rectangle(corner, cell, cell, fill=False, edgecolor=PALE, linewidth=0.8))
        text = value if isinstance(value, str) else f"{value:g}".replace("-", "−")
        ink = PALE if faint or (not isinstance(value, str) and value == 0) else INK
        middle = corner[0] + cell / 2, corner[1] + cell / 2
        axes.text(*middle, text, ha="center", va="center", color=ink)
    if title:
        axes.text(x + values.shape[1] * cell / 2, y - 0.25, title, ha="center", va="bottom")


def frame(axes: Axes, at: tuple[float, float], size: tuple[float, float], color: str) -> None:
    """Draw a thick frame with its upper left corner at x, y, of width, height."""
    axes.add_patch(Rectangle(at, *size, fill=False, edgecolor=color, linewidth=2.5))


def arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str = PALE, **options
) -> None:
    """Draw an arrow from x, y to x, y."""
    style = {"arrowstyle": "-|>", "mutation_scale": 11, "linewidth": 1.3, "shrinkA": 0}
    axes.add_patch(FancyArrowPatch(start, end, color=color, **(style | options)))


def image(axes: Axes, pixels: np.ndarray, title: str = "") -> None:
    """Show gray levels, 255 is ink; or numbers of either sign, orange above zero, blue below."""
    style = {"cmap": "gray", "vmin": 0, "vmax": 255}
    if pixels.min() < 0:
        most = abs(pixels).max()
        cmap = mpl.colors.LinearSegmentedColormap.from_list("signed", [BLUE, "#f4f4f4", ORANGE])
        style = {"cmap": cmap, "vmin": -most, "vmax": most}
    axes.imshow(pixels, interpolation="nearest", **style)
    axes.set(xticks=[], yticks=[], title=title)
    axes.spines[:].set_visible(False)


def svg(figure: Figure) -> str:
    """Return a figure as SVG; the same figure gives the same bytes."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return re.sub(r"\s*\n\s*", "\n", text[text.index("<svg") :])


# --------------------------------------------------------------------------- for several chapters


def lines(
    curves: Mapping[str, Sequence[float]],
    x_name: str,
    y_name: str,
    x: np.ndarray | None = None,
    log: bool = False,
) -> Figure:
    """Curves over ``x``, or over 1, 2, 3, ...; ``log``: both scales, and x to the left."""
    figure, (axes,) = plots(1, 5.4, 2.7)
    colors, dashes = (BLUE, ORANGE, INK, PALE), ("-", "--", ":", "-.")
    for (name, y), color, dash in zip(curves.items(), colors, dashes, strict=False):
        places = np.arange(1, len(y) + 1) if x is None else x
        axes.plot(places, y, color=color, ls=dash, label=name)
    axes.set(xlabel=x_name, ylabel=y_name)
    if log:
        axes.set(xscale="log", yscale="log")
        axes.invert_xaxis()
    axes.legend()
    return figure


def images(rows: Sequence[Sequence[tuple[str, np.ndarray]]], height: float) -> Figure:
    """Rows of images, each a title and pixels; inches in height."""
    figure = Figure(figsize=(6.4, height), layout="constrained")
    places = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for row, axes in zip(rows, places, strict=True):
        for (title, pixels), place in zip(row, axes, strict=True):
            image(place, pixels, title)
    return figure


slope = surprise = schedules = losses = curves = both = nudges = lines
ghosts = neuron_weights = edges = versions = pairs = images


# ----------------------------------------------------------------------------------- chapter 1

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


# ----------------------------------------------------------------------------------- chapter 2


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


# ----------------------------------------------------------------------------------- chapter 4


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


# ----------------------------------------------------------------------------------- chapter 5

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


# ----------------------------------------------------------------------------------- chapter 7


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
