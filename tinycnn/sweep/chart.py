"""The table of a sweep as a picture."""

import io
import statistics
from collections.abc import Sequence

from tinycnn.sweep.table import Row, deviation

MOST = 40
"""Settings that are drawn; beyond these, the best ones."""


def draw_chart(rows: Sequence[Row], title: str, form: str = "svg") -> bytes:
    """Errors and seconds of each setting, the best on top, as an SVG or PNG file.

    A dot is a trial, the bar reaches one standard deviation to either side of the mean.
    """
    shown = [row for row in rows if row.validation][:MOST]
    import matplotlib as mpl
    from matplotlib.figure import Figure  # the figure alone: no window, no global state

    # A fixed salt and no date: the same sweep draws the same bytes.
    with mpl.rc_context({"svg.hashsalt": "tinycnn", "font.size": 10}):
        figure = Figure(figsize=(9, 1.4 + 0.34 * max(3, len(shown))), layout="constrained")
        errors, seconds = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
        for part, color in (("validation", "C0"), ("test", "C1")):
            _draw_errors(errors, [getattr(row, part) for row in shown], part, color)
        seconds.barh(range(len(shown)), [statistics.mean(row.seconds) for row in shown], 0.6)
        errors.set(xlabel="errors (%)", title=title, xlim=(0, None))
        errors.set_yticks(range(len(shown)), [row.name for row in shown])
        errors.invert_yaxis()
        errors.grid(axis="x", alpha=0.3)
        errors.legend()
        seconds.set(xlabel="seconds of training")
        buffer = io.BytesIO()
        figure.savefig(buffer, format=form, metadata={"Date": None} if form == "svg" else None)
    return buffer.getvalue()


def _draw_errors(axes, accuracies: Sequence[Sequence[float]], label: str, color: str) -> None:
    places = [y for y, each in enumerate(accuracies) if each]
    if not places:
        return
    wrong = [[100 * (1 - accuracy) for accuracy in accuracies[y]] for y in places]
    means = [statistics.mean(each) for each in wrong]
    spreads = [deviation(each) or 0.0 for each in wrong]
    dots = [(x, y) for y, each in zip(places, wrong, strict=True) for x in each]
    axes.errorbar(means, places, xerr=spreads, fmt="|", capsize=4, color=color, label=label)
    axes.plot(*zip(*dots, strict=True), "o", color=color, alpha=0.4, markersize=4)
