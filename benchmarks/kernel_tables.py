"""The tables that ``python -m benchmarks.kernels`` prints."""

import argparse
from statistics import median

from rich.console import Console

from benchmarks import machine
from benchmarks.kernel_report import Report
from benchmarks.operations import Timing
from benchmarks.recipe import NETWORKS, dense_flops
from benchmarks.stages import PARTS, Breakdown
from benchmarks.tables import many, new_table
from benchmarks.timing import Comparison

LENET = NETWORKS["lenet"]


def print_report(console: Console, report: Report, options: argparse.Namespace) -> None:
    """Print what was checked, then a table for all that was timed."""
    about = machine.describe()
    console.print(f"{about['cpu']}, {many(int(about['cores']), 'core')}, Python {about['python']}")
    console.print(
        f"checked: {report.checked} calls of two training steps of lenet, batch 128, agree with "
        f"reference.py in float64\nwithin {report.worst_difference:.0e} of the largest number"
    )
    console.print(f"medians of {many(options.rounds, 'round')}, with smallest and largest\n")
    if report.peaks:
        print_peaks(console, report.peaks)
    if report.operations:
        print_operations(console, report.operations, options.threads)
    for number, share in enumerate(report.living, 1):
        console.print(
            f"convolution {number}: {share:.0%} of its windows have a living winner, so "
            f"{share / 4:.1%} of its outputs get a gradient"
        )
    for comparison in report.comparisons:
        print_comparison(console, comparison)
    if report.stages.samples:
        print_stages(console, report.stages)
    console.print(f"other programs used {report.used_by_others:.0%} of the machine meanwhile")


def print_peaks(console: Console, peaks: dict[str, list[float]]) -> None:
    """Print what the machine can do, and how fast a trainer could be that computes every sum."""
    table = new_table("multiplying and adding float32", "GFLOP/s", words=1)
    for name, values in peaks.items():
        table.add_row(name, spread(values))
    console.print(table)
    peak, (_, flops) = max(map(max, peaks.values())), dense_flops(LENET)
    console.print(
        f"an image costs {flops / 1e6:.1f} MFLOP in training if every sum is computed: "
        f"at best {1e-3 * flops / peak:.1f} µs,\nor {1e9 * peak / flops:,.0f} images/s"
    )


def spread(values: list[float]) -> str:
    """Return median and range, with as many digits as are of interest."""
    digits = 0 if median(values) >= 100 else 1 if median(values) >= 10 else 2
    middle, low, high = (f"{v:,.{digits}f}" for v in (median(values), min(values), max(values)))
    return f"{middle} ({low}–{high})"


def print_operations(console: Console, timings: list[Timing], threads: int) -> None:
    """Print every heavy operation beside its reference."""
    table = new_table("operation", "sizes", "NumPy", "kernel", "NumPy / kernel", "GFLOP/s")
    table.title = (
        f"operations, µs an image, {many(threads, 'thread')}; GFLOP/s as if every sum were computed"
    )
    for timing in timings:
        kernel, numpy = (timing.times.samples[name] for name in ("kernel", "NumPy"))
        table.add_row(
            timing.name, timing.sizes, f"{median(numpy):,.1f}", spread(kernel),
            f"{timing.times.ratios()['NumPy']:.1f}", f"{timing.gflops('kernel'):,.0f}",
        )  # fmt: skip
    console.print(table)


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Print versions of one piece of work, and how they compare with the first."""
    table = new_table("version", comparison.unit, "beside the first", words=1)
    table.title = comparison.title
    for name, ratio in comparison.ratios().items():
        table.add_row(name, spread(comparison.samples[name]), in_words(ratio))
    console.print(table)


def in_words(ratio: float) -> str:
    """Say how much longer or shorter something took."""
    if ratio < 1:
        return f"{1 / ratio:.{1 if ratio < 0.1 else 2}f} times faster"
    return f"{ratio:.2f} times slower" if ratio > 1 else ""


def print_stages(console: Console, stages: Breakdown) -> None:
    """Print where the time of a training step goes, for each number of threads."""
    for count in stages.samples:
        found = stages.medians(count)
        table = new_table("stage", *PARTS.values(), "together", words=1)
        table.title = f"a training step, µs an image, {many(count, 'thread')}"
        for row in dict.fromkeys(name for name, _ in found):
            cells = {part: value for (name, part), value in found.items() if name == row}
            parts = [f"{cells[part]:.2f}" if part in cells else "" for part in PARTS.values()]
            table.add_row(row, *parts, f"{sum(cells.values()):.2f}")
        table.add_row("all", "", "", "", f"{sum(found.values()):.2f}")
        console.print(table)
