"""The same figures as pictures: SVG files whose text stays text."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.race import Race
from benchmarks.rounds import Results
from benchmarks.summary import OURS, best, bounds, contenders, medians

COLORS = {
    "tinycnn": "#D55E00",
    "torch": "#0072B2",
    "keras": "#009E73",
    "onnxruntime": "#CC79A7",
}
"""From Okabe and Ito, told apart with every kind of color vision."""

MARKERS = {"tinycnn": "o", "torch": "s", "keras": "^", "onnxruntime": "D"}

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tinycnn",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
}

PANELS = {
    "train": "Training, images/s",
    "inference": "Prediction, images/s",
    "latency_us": "One image, µs",
}


def draw_speed(results: Results, path: Path) -> None:
    """Draw everybody's best variant as bars, with the range over the rounds."""
    plt = pyplot()
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, 3, figsize=(11, 2.6), layout="constrained")
        for axes, (measure, title) in zip(panels, PANELS.items(), strict=True):
            _bars(axes, results, measure)
            axes.set_title(title)
        if "dense_train_images_per_second" in (limits := bounds(results)):
            rate = limits["dense_train_images_per_second"]
            panels[0].axvline(rate, color="#444444", linestyle="--", linewidth=1)
            panels[0].set_xlabel("dashed: every sum at the machine's peak", fontsize=8)
        panels[2].set_xlabel("less is better", fontsize=8)
        save(figure, path)


def _bars(axes: Any, results: Results, measure: str) -> None:
    names = contenders(results, measure)[::-1]
    for row, name in enumerate(names):
        variant = best(results, measure, name)
        assert variant is not None
        values = results.samples[measure][variant]
        middle = median(values)
        spread = [[middle - min(values)], [max(values) - middle]]
        axes.barh(row, middle, xerr=spread, color=COLORS.get(name, "#777777"), ecolor="#444444")
        axes.annotate(
            f"{middle:,.0f}", (max(values), row), (4, 0), textcoords="offset points", va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(left=False)
    axes.margins(x=0.2)  # room for the figures
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.locator_params(axis="x", nbins=5)


def draw_grid(grid: Sequence[Results], path: Path) -> None:
    """Draw training rates over batch sizes: a row a network, a column a number of threads."""
    plt = pyplot()
    networks = list(dict.fromkeys(cell.plan.network for cell in grid))
    threads = sorted({cell.plan.threads for cell in grid})
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            len(networks), len(threads), squeeze=False, sharex=True, sharey="row",
            figsize=(1.5 + 3.8 * len(threads), 0.6 + 2.4 * len(networks)), layout="constrained",
        )  # fmt: skip
        for row, network in enumerate(networks):
            for column, count in enumerate(threads):
                cells = [c for c in grid if (c.plan.network, c.plan.threads) == (network, count)]
                _lines(panels[row][column], cells)
                panels[row][column].set_title(f"{network}, {count} thread{'s' * (count > 1)}")
            panels[row][0].set_ylabel("training, images/s")
            panels[row][0].set_ylim(bottom=0)
        for axes in panels[-1]:
            axes.set_xlabel("batch size")
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper", frameon=False)
        save(figure, path)


def _lines(axes: Any, cells: Sequence[Results]) -> None:
    for name in contenders(cells[0], "train"):
        points = [
            (cell.plan.batch, found[name])
            for cell in cells
            if name in (found := medians(cell, "train"))
        ]
        axes.plot(
            *zip(*points, strict=True), label=name, marker=MARKERS.get(name, "x"),
            color=COLORS.get(name, "#777777"), linewidth=2 if name == OURS else 1.5,
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    batches = [cell.plan.batch for cell in cells]
    axes.set_xticks(batches, list(map(str, batches)))
    axes.yaxis.set_major_formatter("{x:,.0f}")


def draw_races(races: Sequence[Race], target: float, path: Path) -> None:
    """Draw accuracy over training seconds, everybody's fastest variant."""
    plt = pyplot()
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
        for row in _fastest(races):
            name = row.variant[0]
            seconds, accuracy = zip(*row.curve, strict=True)
            axes.plot(
                seconds, [100 * a for a in accuracy], label=name, markersize=4,
                marker=MARKERS.get(name, "x"), color=COLORS.get(name, "#777777"),
            )  # fmt: skip
        axes.axhline(100 * target, color="#444444", linestyle="--", linewidth=1)
        axes.set_title("Test digits read right, %")
        axes.set_xlabel("seconds of training")
        axes.set_xlim(left=0)
        axes.legend(frameon=False, loc="lower right")
        save(figure, path)


def _fastest(races: Sequence[Race]) -> list[Race]:
    """Return one race a contender: the one that was over first."""
    found: dict[str, Race] = {}
    for row in sorted(races, key=lambda row: row.curve[-1][0]):
        found.setdefault(row.variant[0], row)
    return list(found.values())


def pyplot() -> Any:
    """Return matplotlib's pyplot, set up to draw files; only charts need it."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    return pyplot


def save(figure: Any, path: Path) -> None:
    """Write a figure, the same bytes for the same figures."""
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot().close(figure)
