"""How pictures are drawn: matplotlib makes an SVG with a white ground, for pages light and dark.

Colors with a meaning are blue and orange, which nearly everyone can tell apart.
"""

import io
import re
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

INK = "#222222"
PALE = "#808890"
BLUE = "#3d85c8"
ORANGE = "#e08214"

mpl.use("svg")
mpl.rcParams.update(
    {
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": PALE,
        "xtick.color": PALE,
        "ytick.color": PALE,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        "figure.facecolor": "white",
        "axes.facecolor": "none",
        "legend.frameon": False,
        "axes.prop_cycle": mpl.cycler(color=[BLUE, ORANGE, INK, PALE]),
    }
)

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
    """Show a picture of gray levels, 255 is ink: a white page would glare in the dark."""
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[], title=title)
    axes.spines[:].set_visible(False)


def signed(axes: Axes, values: np.ndarray, title: str = "") -> None:
    """Show numbers of either sign: orange is above zero, blue is below."""
    colors = mpl.colors.LinearSegmentedColormap.from_list("signed", [BLUE, "#f4f4f4", ORANGE])
    largest = abs(values).max()
    axes.imshow(values, cmap=colors, vmin=-largest, vmax=largest, interpolation="nearest")
    axes.set(xticks=[], yticks=[], title=title)
    axes.spines[:].set_visible(False)


def svg(figure: Figure, name: str) -> str:
    """Return a figure as SVG, on white; the same figure gives the same bytes."""
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return re.sub(r"\s*\n\s*", "\n", text[text.index("<svg") :])
