"""One style for every chart: files whose bytes follow from the numbers alone.

Each line has a color, a marker and a dash pattern of its own, so no line is told by its color
alone. matplotlib is an extra: a chart that cannot be drawn costs that chart and nothing else.
"""

import io
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tinycnn.errors import need

if TYPE_CHECKING:  # at run time only when something is drawn: importing it takes half a second
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, GRID, PAPER = "#1c1f24", "#565c66", "#dddbd4", "#ffffff"
COLORS = ("#1a5fb4", "#b4500f", "#00755a", "#86449c", "#7a6400", "#a02c5a")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (6, 3)), (0, (2, 3)), (0, (9, 3, 2, 3)), (0, (12, 4)), (0, (4, 2)))

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "tinycnn",  # without a salt, identifiers are drawn at random
    "font.size": 10,
    "font.sans-serif": ["DejaVu Sans"],  # matplotlib brings it along
    "figure.facecolor": PAPER,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "grid.color": GRID,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
}

T = TypeVar("T")


@dataclass(frozen=True)
class Series:
    """A line through ``points`` (x, y); ``intervals`` of y, if any, are drawn as whiskers."""

    name: str
    points: Sequence[tuple[float, float]]
    intervals: Sequence[tuple[float, float]] = ()


def draw(paint: Callable[["Figure"], None], width: float, height: float, **style: Any) -> bytes:
    """The figure that ``paint`` fills, ``width`` by ``height`` inches, as an SVG file.

    Settings of matplotlib in ``style`` override those of ``STYLE``.
    """
    import matplotlib as mpl
    from cycler import cycler
    from matplotlib.figure import Figure  # the figure alone: no window, no global state

    lines = cycler(color=COLORS) + cycler(marker=MARKERS) + cycler(linestyle=DASHES)
    with mpl.rc_context():
        mpl.rcdefaults()  # neither a matplotlibrc nor another program's settings change a chart
        mpl.rcParams.update(STYLE | {"axes.prop_cycle": lines} | style)
        figure = Figure(figsize=(width, height), layout="constrained")
        paint(figure)
        buffer = io.BytesIO()
        no_date = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=no_date)
    return buffer.getvalue()


def plot_lines(axes: "Axes", lines: Sequence[Series]) -> None:
    """Plot every line with a style of its own."""
    for line in lines:
        x, y = zip(*line.points, strict=True)
        if line.intervals:
            below = [b - low for b, (low, _) in zip(y, line.intervals, strict=True)]
            above = [high - b for b, (_, high) in zip(y, line.intervals, strict=True)]
            axes.errorbar(x, y, yerr=(below, above), elinewidth=1.2, label=line.name)
        else:
            axes.plot(x, y, label=line.name)


def set_log_scale(axes: "Axes") -> None:
    """Give y a logarithmic scale with readable numbers, if anything is positive."""
    from matplotlib.ticker import LogLocator, NullFormatter

    if axes.yaxis.get_minpos() == math.inf:
        return
    axes.set_yscale("log")
    low, high = axes.yaxis.get_view_interval()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def or_warn(name: str, draw: Callable[[], T]) -> T | None:
    """The result of ``draw``, or None and a warning that ``name`` is not drawn.

    Any fault of drawing or writing, such as a matplotlib that is missing or broken, costs this
    chart and nothing else.
    """
    try:
        need("matplotlib", extra="report", purpose="it")
        return draw()
    except Exception as fault:  # noqa: BLE001 - matplotlib may raise anything
        reason = str(fault) or type(fault).__name__
        print(f"warning: {name} is not drawn: {reason}", file=sys.stderr)
        return None
