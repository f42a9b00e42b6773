"""What ``python -m benchmarks.versus --charts`` draws."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.plots import bars, figure, lines
from benchmarks.speed.race import Race
from benchmarks.speed.rounds import Results
from benchmarks.speed.summary import best_samples, contenders, medians

PANELS = {
    "train": "Training, images/s",
    "inference": "Prediction, images/s",
    "latency_us": "One image, µs (less is better)",
}


def draw_speed(results: Results, path: Path) -> None:
    """Draw the best variant of each contender as bars."""
    with figure(path, 1, 3, figsize=(11, 2.6)) as axes:
        for one, (measure, title) in zip(axes[0], PANELS.items(), strict=True):
            bars(one, best_samples(results, measure), title)


def draw_grid(grid: Sequence[Results], path: Path) -> None:
    """Draw training rates over batch sizes: a row a network, a column a number of threads."""
    networks = list(dict.fromkeys(cell.plan.network for cell in grid))
    threads = sorted({cell.plan.threads for cell in grid})
    size = 1.5 + 3.8 * len(threads), 0.6 + 2.4 * len(networks)
    with figure(path, len(networks), len(threads), sharey="row", figsize=size) as axes:
        for row, network in enumerate(networks):
            for column, count in enumerate(threads):
                cells = [c for c in grid if (c.plan.network, c.plan.threads) == (network, count)]
                batches = [cell.plan.batch for cell in cells]
                found = [medians(cell, "train") for cell in cells]
                names = contenders(cells[0], "train")
                curves = {n: (batches, [one.get(n, float("nan")) for one in found]) for n in names}
                lines(axes[row][column], curves)
                title = f"{network}, {count} thread{'s' * (count > 1)}: training, images/s"
                axes[row][column].set(title=title, xlabel="batch size", ylim=0)
                axes[row][column].set_xscale("log", base=2)


def draw_races(races: Sequence[Race], target: float, path: Path) -> None:
    """Draw accuracy over training seconds."""
    curves = {}
    for row in races:
        seconds, accuracy = zip(*row.curve, strict=True)
        curves[row.variant[0]] = seconds, [100 * a for a in accuracy]
    with figure(path, figsize=(7, 3.2)) as axes:
        lines(axes[0][0], curves)
        axes[0][0].axhline(100 * target, color="#444444", linestyle="--", linewidth=1)
        axes[0][0].set(title="Test digits read right, %", xlabel="seconds of training", xlim=0)
