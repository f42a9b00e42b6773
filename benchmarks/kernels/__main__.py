"""The kernels, idea by idea: ``python -m benchmarks.kernels``.

First every operation is compared with ``reference.py`` on arguments from real training; then
operations and ideas are timed, versions interleaved in one run.
``docs/making-it-fast.md`` explains the ideas in the order of the tables.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks import machine
from benchmarks.command import (
    add_outputs,
    check_targets,
    many,
    names_of,
    new_parser,
    new_table,
    progress,
    whole,
    write_json,
)
from benchmarks.kernels import operations
from benchmarks.kernels.ideas import compare_ideas
from benchmarks.plots import bars
from benchmarks.timing import TimedVersions, spread
from tinycnn.cli import run_command
from tinycnn.files import write_bytes
from tinycnn.nn import set_threads
from tinycnn.plots import draw

TABLES = ("operations", "ideas")
CHARTS = {"convolution 2": "kernels-convolution.svg", "a whole": "kernels-step.svg"}
"""How the titles of comparisons begin that are drawn, and where."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, check, measure, print; return the exit code."""
    options = _parse(argv)
    set_threads(options.threads)
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    with progress() as tell:
        found, timings, comparisons = _measure(options, tell)
    _print(console, found, timings, comparisons, options)
    settings = {"threads": options.threads, "rounds": options.rounds}
    rows = {
        "operations": [asdict(timing) for timing in timings],
        "comparisons": [asdict(comparison) for comparison in comparisons],
    }
    write_json(options.json, {"machine": machine.describe(), **settings, **found, **rows})
    if options.charts:
        _draw(comparisons, options.charts)
    return 0


def _measure(
    options: argparse.Namespace, tell: Callable[[str], None]
) -> tuple[dict[str, Any], list[operations.Timing], list[TimedVersions]]:
    others, start = _seconds_of_others(), time.perf_counter()
    tell("training a little, and checking every operation on what is found there")
    training = operations.Training()
    calls = operations.recorded_calls(training)
    found: dict[str, Any] = {"checked": len(calls), "worst_difference": operations.check(calls)}
    timings: list[operations.Timing] = []
    comparisons: list[TimedVersions] = []
    if "operations" in options.tables:
        timings = operations.time_operations(calls, options.rounds, tell)
    if "ideas" in options.tables:
        found["living"] = operations.living_shares(calls)
        comparisons += compare_ideas(training, calls, options.rounds, tell)
    elapsed = time.perf_counter() - start
    found["used_by_others"] = machine.Neighbors.share(_seconds_of_others() - others, elapsed)
    return found, timings, comparisons


def _seconds_of_others() -> float:
    """Return the processor seconds that neither this process nor a child of it ever used."""
    return machine.busy_seconds() - sum(os.times()[:4])


def _print(
    console: Console,
    found: dict,
    timings: Sequence[operations.Timing],
    comparisons: Sequence[TimedVersions],
    options: argparse.Namespace,
) -> None:
    console.print(machine.in_words())
    console.print(
        f"checked: {found['checked']} calls of two training steps of lenet, batch 128, agree with "
        f"reference.py in float64\nwithin {found['worst_difference']:.0e} of the largest number"
    )
    console.print(f"medians of {many(options.rounds, 'round')}, with smallest and largest\n")
    if timings:
        _print_operations(console, timings, options.threads)
    for number, share in enumerate(found.get("living", ()), 1):
        console.print(
            f"convolution {number}: {share:.0%} of its windows have a living winner, so "
            f"{share / 4:.1%} of its outputs get a gradient"
        )
    for comparison in comparisons:
        console.print(comparison.table())
    console.print(f"other programs used {found['used_by_others']:.0%} of the machine meanwhile")


def _print_operations(console: Console, timings: Sequence[operations.Timing], threads: int) -> None:
    table = new_table("operation", "sizes", "NumPy", "kernel", "NumPy / kernel", "GFLOP/s")
    table.title = (
        f"operations, µs per image, {many(threads, 'thread')}; GFLOP/s as if all sums were computed"
    )
    for timing in timings:
        kernel, numpy = (timing.times.samples[name] for name in ("kernel", "NumPy"))
        figures = f"{median(numpy):,.1f}", spread(kernel), f"{timing.times.ratios()['NumPy']:.1f}"
        table.add_row(timing.name, timing.sizes, *figures, f"{timing.gflops('kernel'):,.0f}")
    console.print(table)


def _draw(comparisons: Sequence[TimedVersions], folder: Path) -> None:
    """Draw the comparisons of each chart in ``CHARTS``."""
    for title, name in CHARTS.items():
        if chosen := [c for c in comparisons if c.title.startswith(title)]:
            height = 0.5 * len(chosen) + 0.32 * sum(len(c.samples) for c in chosen)
            write_bytes(folder / name, draw(partial(_paint, chosen), 8, height))


def _paint(chosen: Sequence[TimedVersions], figure: Any) -> None:
    """Draw a panel of bars for each comparison, one above the other."""
    heights = [len(c.samples) for c in chosen]
    axes = figure.subplots(len(chosen), height_ratios=heights, squeeze=False)
    for one, comparison in zip(axes[:, 0], chosen, strict=True):
        bars(one, comparison.samples, f"{comparison.title}, {comparison.unit}", ",.1f")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = new_parser("kernels", (__doc__ or "").partition("\n\n")[0])
    cores = machine.available_cores()
    add = parser.add_argument
    add("--rounds", type=whole(1, 1000), default=7)
    add("--threads", type=whole(1, cores), default=cores, help="default: one per core")
    add("--tables", type=names_of(TABLES), default=TABLES, metavar=",".join(TABLES))
    add_outputs(parser)
    options = parser.parse_args(argv)
    check_targets(parser, options)
    return options


if __name__ == "__main__":
    sys.exit(run_command(main))
