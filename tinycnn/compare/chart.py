"""Results as a picture: a row for each classifier, a panel for each question."""

import io
from collections.abc import Sequence
from typing import Any

from tinycnn.compare.measuring import Result, Tally

BLUE, ORANGE = "#0072B2", "#D55E00"
"""From Okabe and Ito, told apart with every kind of color vision."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "tinycnn",  # and the same results draw the same bytes
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
}


def draw(results: Sequence[Result], dataset: str) -> bytes:
    """An SVG file."""
    import matplotlib as mpl
    from matplotlib.figure import Figure  # the figure alone: no window, no global state

    rows = list(results)[::-1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12, 1.2 + 0.32 * len(rows)), layout="constrained")
        panels = figure.subplots(1, 4, sharey=True, width_ratios=(5, 3, 5, 3))
        errors, training, times, sizes = panels
        _draw_errors(errors, rows, dataset)
        _draw_times(times, rows)
        _dots(training, [row.training_seconds for row in rows], BLUE, "o")
        training.set_title("training, s")
        _dots(sizes, [row.bytes / 1e6 for row in rows], BLUE, "o")
        sizes.set_title("size, MB")
        errors.set_yticks(range(len(rows)), [row.title for row in rows])
        for panel in panels:
            panel.set_xscale("log")
            panel.xaxis.set_major_formatter("{x:g}")
            panel.grid(axis="y", color="#dddddd")
            panel.tick_params(axis="y", length=0)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _draw_errors(panel: Any, rows: Sequence[Result], dataset: str) -> None:
    """Errors with their intervals."""
    _intervals(panel, [row.test for row in rows], BLUE, "o", f"of {dataset}")
    drawn = [row.drawings for row in rows if row.drawings]
    if drawn:
        _intervals(panel, drawn, ORANGE, "s", "of drawings")
        panel.legend(frameon=False, loc="upper left")
    panel.set_title("errors, % (with 95 % interval)")


def _intervals(panel: Any, tallies: Sequence[Tally], color: str, marker: str, label: str) -> None:
    places = range(len(tallies))
    middle = [100 * (1 - tally.accuracy) for tally in tallies]
    panel.hlines(
        places,
        [100 * (1 - tally.interval[1]) for tally in tallies],
        [100 * (1 - tally.interval[0]) for tally in tallies],
        colors=color,
    )
    panel.plot(middle, places, marker, color=color, label=label)


def _draw_times(panel: Any, rows: Sequence[Result]) -> None:
    _dots(panel, [row.one_digit_us for row in rows], BLUE, "o", "one alone")
    _dots(panel, [row.batch_digit_us for row in rows], ORANGE, "s", "in batches")
    panel.legend(frameon=False, loc="lower right")
    panel.set_title("reading a digit, µs")


def _dots(panel: Any, values: Sequence[float], color: str, marker: str, label: str = "") -> None:
    panel.plot(values, range(len(values)), marker, color=color, label=label)
