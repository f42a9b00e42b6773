"""The tables that ``python -m benchmarks.versus`` prints."""

from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.command import many, new_table
from benchmarks.speed.cold_start import Start
from benchmarks.speed.race import Race
from benchmarks.speed.rounds import Results, Variant
from benchmarks.speed.summary import OURS, best, contenders, medians, ratios
from benchmarks.timing import spread

UNITS = {
    "train": "training, images/s",
    "inference": "prediction, images/s",
    "latency_us": "one image, µs",
    "latency_p99_us": "99th percentile",
}


def print_results(console: Console, results: Results) -> None:
    """Print all variants, then the ratios."""
    plan = results.plan
    console.print(
        f"\n{plan}, {many(plan.rounds, 'round')} of {plan.counts['train']['steps']} training "
        f"steps; all agree within {results.worst_difference:.0e} after one step"
    )
    console.print(_variants(results, "train"))
    console.print(_variants(results, "inference", "latency_us", "latency_p99_us"))
    console.print("median (smallest–largest of all rounds); * counts in the ratios")
    table = new_table("tinycnn's value divided by the other's", "median", "smallest", "largest")
    for name, row in ratios(results).items():
        better = " (smaller is better)" if name.startswith("latency") else ""
        values = [f"{row[key]:.2f}" for key in ("median", "min", "max")]
        table.add_row(name.replace("_vs_", " / ") + better, *values)
    if table.row_count:
        console.print(table)


def _variants(results: Results, *measures: str) -> Table:
    trained = measures == ("train",)
    titles = [*(UNITS[measure] for measure in measures), *(["loss at the end"] if trained else [])]
    table = new_table("contender", "variant", *titles)
    for name in contenders(results, measures[0]):
        for variant in results.samples[measures[0]]:
            if variant[0] == name:
                cells = [_cell(results, measure, variant) for measure in measures]
                cells += [f"{results.losses[variant]:.3f}"] if trained else []
                table.add_row(*variant, *cells)
    return table


def _cell(results: Results, measure: str, variant: Variant) -> str:
    values = results.samples[measure][variant]
    if measure == "latency_p99_us":
        return f"{median(values):,.0f}"
    star = "*" if variant == best(results, measure, variant[0]) else " "
    return f"{median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f}) {star}"


def print_starts(console: Console, starts: Sequence[Start]) -> None:
    """Print seconds to the first step (or prediction) and the memory of training."""
    table = new_table("starting up", "variant", "imports, s", "warm, s", "cold, s", "peak, MB")
    for row in starts:
        name = row.variant[0] + ("" if row.measure == "train" else " (predicts only)")
        seconds = (row.import_seconds, row.warm_seconds, row.cold_seconds)
        table.add_row(name, row.variant[1], *(f"{s:.1f}" for s in seconds), f"{row.peak_mb:,.0f}")
    table.caption = "from the creation of the process to the end of the first step; cold: no caches"
    console.print(table)


def print_grids(console: Console, grid: Sequence[Results]) -> None:
    """Print all settings: the variant of each contender that usually wins."""
    for measure in ("train", "inference"):
        names = list(dict.fromkeys(name for cell in grid for name in contenders(cell, measure)))
        table = new_table("network", "threads", "batch", *names, "tinycnn / best other")
        table.title = f"{UNITS[measure]}, medians"
        for cell in grid:
            found, plan = medians(cell, measure), cell.plan
            values = [f"{found[name]:,.0f}" if name in found else "-" for name in names]
            others = [value for name, value in found.items() if name != OURS]
            lead = f"{found[OURS] / max(others):.2f}" if others and OURS in found else "-"
            table.add_row(plan.network, str(plan.threads), str(plan.batch), *values, lead)
        console.print(table)


def print_augmented(console: Console, found: Sequence[Results]) -> None:
    """Print training with augmentation: all variants of all contenders."""
    for results in found:
        console.print(f"\n{results.plan}: shuffled, distorted and trained, everything included")
        console.print(_variants(results, "train"))


def print_busy(console: Console, quiet: Results, busy: Results | None) -> None:
    """Print how much of the quiet machine's speed is left beside one busy program."""
    table = new_table("beside one busy program", "images/s", "of the quiet speed", words=1)
    before = medians(quiet, "train")
    for name, rate in medians(busy, "train").items() if busy else ():
        table.add_row(name, f"{rate:,.0f}", f"{rate / before[name]:.0%}")
    console.print(table)


def print_races(console: Console, races: Sequence[Race], target: float) -> None:
    """Print how long trainings took, and how many reached ``target``: medians over the seeds."""
    names = ("variant", "training, s", "with start, s", "epochs", "digits read, %")
    table = new_table("network", "contender", *names, f"{target:.1%}")
    for network, variant in dict.fromkeys((row.network, row.variant) for row in races):
        rows = [row for row in races if (row.network, row.variant) == (network, variant)]
        seconds, right = zip(*(row.curve[-1] for row in rows), strict=True)
        total = median(row.total_seconds for row in rows)
        epochs = median(len(row.curve) / 2 for row in rows)
        middle, low, high = (100 * z for z in (median(right), min(right), max(right)))
        read = f"{middle:.2f} ({low:.2f}–{high:.2f})"
        reached = f"{sum(z >= target for z in right)} of {len(rows)}"
        figures = spread(seconds), f"{total:.1f}", f"{epochs:g}", read, reached
        table.add_row(network, *variant, *figures)
    console.print(table)
