"""What ``python -m benchmarks.versus --charts`` draws."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.plots import bars, lines
from benchmarks.speed.race import Race
from benchmarks.speed.rounds import Results
from benchmarks.speed.summary import best_samples, contenders, medians
from tinycnn.files import write_bytes
from tinycnn.plots import SOFT, draw

PANELS = {
    "train": "Training, images/s",
    "inference": "Prediction, images/s",
    "latency_us": "One image, µs (less is better)",
}


def draw_speed(results: Results, path: Path) -> None:
    """Draw the best variant of each contender as bars."""

    def paint(figure: Any) -> None:
        for axes, (measure, title) in zip(figure.subplots(1, 3), PANELS.items(), strict=True):
            bars(axes, best_samples(results, measure), title)

    write_bytes(path, draw(paint, 11, 2.6))


def draw_grid(grid: Sequence[Results], path: Path) -> None:
    """Draw training rates over batch sizes: a row a network, a column a number of threads."""
    networks = list(dict.fromkeys(cell.plan.network for cell in grid))
    threads = sorted({cell.plan.threads for cell in grid})

    def paint(figure: Any) -> None:
        axes = figure.subplots(len(networks), len(threads), sharey="row", squeeze=False)
        for row, network in enumerate(networks):
            for column, count in enumerate(threads):
                cells = [c for c in grid if (c.plan.network, c.plan.threads) == (network, count)]
                batches = [cell.plan.batch for cell in cells]
                found = [medians(cell, "train") for cell in cells]
                names = contenders(cells[0], "train")
                curves = {n: (batches, [one.get(n, float("nan")) for one in found]) for n in names}
                lines(axes[row][column], curves)
                title = f"{network}, {count} thread{'s' * (count > 1)}: training, images/s"
                axes[row][column].set(title=title, xlabel="batch size")
                axes[row][column].set_xscale("log", base=2)
            axes[row][0].set_ylim(0)  # of the whole row, when all its lines are there

    write_bytes(path, draw(paint, 1.5 + 3.8 * len(threads), 0.6 + 2.4 * len(networks)))


def draw_races(races: Sequence[Race], target: float, path: Path) -> None:
    """Draw accuracy over training seconds, of the first seed of each."""
    curves = {}
    for row in (row for row in races if (row.network, row.seed) == (races[0].network, 0)):
        seconds, accuracy = zip(*row.curve, strict=True)
        curves[row.variant[0]] = seconds, [100 * a for a in accuracy]

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        lines(axes, curves)
        axes.axhline(100 * target, color=SOFT, linestyle="--", linewidth=1)
        axes.set(title="Test digits read right, %", xlabel="seconds of training", xlim=0)

    write_bytes(path, draw(paint, 7, 3.2))
