"""When many ranks pay: a model of a training step, fitted to measurements, extrapolated.

A step of B images on R ranks, with n bytes of gradients, takes

    fixed + image * max(16, B / R)  +  2 log2(R) * message  +  2 n (R - 1) / R * byte

``fixed`` and ``image`` are seconds of one rank's computing; no rank has fewer than 16 images,
which is what a batch is not cut below. ``message`` and ``byte`` are those of the all-reduce.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks import charts
from benchmarks.tables import new_table

GRADIENTS = 4 * 184_586
"""Bytes of the gradients of lenet."""

RANKS = [2**power for power in range(11)]
BATCHES = [128, 1024, 16_384]

LINKS = {"1 Gb/s Ethernet": (50e-6, 8 / 1e9), "100 Gb/s InfiniBand": (2e-6, 8 / 100e9)}
"""Seconds a message and a byte take on links that were not measured: round textbook figures."""


@dataclass(frozen=True)
class Model:
    """Seconds: of a step, of an image, of a message, of a byte."""

    fixed: float
    image: float
    message: float
    byte: float

    def step(self, batch: int, ranks: int, gradients: float = GRADIENTS) -> float:
        """Seconds of a step of ``batch`` images on ``ranks`` ranks."""
        computing = self.fixed + self.image * max(min(16, batch), batch / ranks)
        return computing + self.exchange(ranks, gradients)

    def exchange(self, ranks: int, gradients: float) -> float:
        """Seconds of an all-reduce of ``gradients`` bytes."""
        sent = 2 * gradients * (ranks - 1) / ranks
        return 2 * math.log2(ranks) * self.message + sent * self.byte

    def gain(self, batch: int, ranks: int, gradients: float = GRADIENTS) -> float:
        """How many times as fast ``ranks`` ranks are as one."""
        return self.step(batch, 1, gradients) / self.step(batch, ranks, gradients)


def fit(measured: Sequence[dict[str, Any]]) -> Model:
    """The model of what was measured with one rank and with two, which had a core each."""
    by_ranks = {found["ranks"]: found for found in measured}
    steps = {int(batch): seconds for batch, seconds in by_ranks[1]["steps"].items()}
    sums = {4 * int(n): ways["in a fixed order"] for n, ways in by_ranks[2]["sums"].items()}
    fixed, image = _line([(1, batch) for batch in steps], list(steps.values()))
    message, byte = _line([(2, size) for size in sums], list(sums.values()))
    return Model(fixed, image, message, byte)


def _line(rows: Sequence[tuple[float, float]], seconds: Sequence[float]) -> list[float]:
    """Two factors of the columns, neither below zero; equal shares of error count equally."""
    from scipy.optimize import nnls

    scaled = np.array(rows, float) / np.array(seconds)[:, None]
    return nnls(scaled, np.ones(len(seconds)))[0].tolist()


def print_report(report: dict[str, Any]) -> None:
    """All tables: what was measured, the model, what it says of many ranks."""
    console = Console(width=110, highlight=False)
    measured, model = report["measured"], fit(report["measured"])
    console.print(_sums_table(measured), _steps_table(measured, model))
    console.print(
        f"fixed {1e6 * model.fixed:.0f} µs, image {1e6 * model.image:.1f} µs, "
        f"message {1e6 * model.message:.1f} µs, byte {1e9 * model.byte:.3f} ns "
        f"({8e-9 / model.byte:.1f} Gb/s)"
    )
    for name, other in models(report).items():
        console.print(_gains_table(name, other))


def models(report: dict[str, Any]) -> dict[str, Model]:
    """The fitted model, and the same computing on links of textbook figures."""
    model = fit(report["measured"])
    others = {name: Model(model.fixed, model.image, *link) for name, link in LINKS.items()}
    name = f"namespaces, {report['rate']}" if report["rate"] else "one machine's memory"
    return {f"measured: {name}": model, **others}


def _sums_table(measured: Sequence[dict[str, Any]]) -> Any:
    ways = next(iter(measured[-1]["sums"].values()))
    table = _table("an all-reduce, µs", "ranks", "KB", *ways)
    for found in measured:
        for length, seconds in found["sums"].items():
            if found["ranks"] > 1:
                cells = [f"{1e6 * seconds[way]:,.0f}" for way in ways]
                table.add_row(str(found["ranks"]), f"{int(length) // 256:,}", *cells)
    return table


def _steps_table(measured: Sequence[dict[str, Any]], model: Model) -> Any:
    batches = list(measured[0]["steps"])
    table = _table("a training step, ms (the model's)", "ranks", *batches)
    for found in measured:
        cells = [
            f"{1e3 * seconds:.2f} ({1e3 * model.step(int(batch), found['ranks']):.2f})"
            for batch, seconds in found["steps"].items()
        ]
        table.add_row(str(found["ranks"]), *cells)
    return table


def _gains_table(name: str, model: Model) -> Any:
    columns = [f"{scale} x gradients, batch {batch:,}" for scale in (1, 10) for batch in BATCHES]
    table = _table(f"times as fast as one rank: {name}", "ranks", *columns)
    for ranks in RANKS[1:]:
        cells = [
            f"{model.gain(batch, ranks, scale * GRADIENTS):.1f}"
            for scale in (1, 10)
            for batch in BATCHES
        ]
        table.add_row(f"{ranks:,}", *cells)
    return table


def _table(title: str, *columns: str) -> Any:
    table = new_table(*columns, words=0)
    table.title = title
    return table


def draw(report: dict[str, Any], path: Path) -> None:
    """Draw how many times as fast R ranks are, for each batch, a panel a link."""
    plt = charts.pyplot()
    with plt.rc_context(charts.STYLE):
        figure, panels = plt.subplots(1, 3, figsize=(11, 3.4), sharey=True, layout="constrained")
        for axes, (name, model) in zip(panels, models(report).items(), strict=True):
            for batch, color in zip(BATCHES, ("#0072B2", "#D55E00", "#009E73"), strict=True):
                gains = [model.gain(batch, ranks) for ranks in RANKS]
                axes.plot(RANKS, gains, marker="o", color=color, label=f"batch {batch:,}")
            axes.plot(RANKS, RANKS, color="#444444", linestyle="--", linewidth=1)
            axes.set(xscale="log", yscale="log", title=name, xlabel="ranks", ylim=(0.05, 1100))
        panels[0].set_ylabel("times as fast as one rank")
        panels[0].legend(frameon=False)
        charts.save(figure, path)
