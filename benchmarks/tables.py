"""The tables that ``python -m benchmarks.versus`` prints."""

from collections.abc import Mapping, Sequence
from statistics import mean, median, stdev

from rich.console import Console
from rich.table import Table

from benchmarks.cold_start import Start
from benchmarks.plan import Variant
from benchmarks.race import Race
from benchmarks.rounds import Results
from benchmarks.summary import OURS, best, bounds, contenders, medians, ratios

UNITS = {
    "train": "training, images/s",
    "inference": "prediction, images/s",
    "latency_us": "one image, µs",
    "latency_p99_us": "99th percentile",
}


def print_results(console: Console, results: Results) -> None:
    """Print all variants, then the ratios and what the machine could do at most."""
    plan = results.plan
    console.print(
        f"\n{plan}, {many(plan.rounds, 'round')} of {plan.steps} training steps; all agree within "
        f"{results.worst_difference:.0e} after one step"
    )
    console.print(_variants(results, "train"))
    console.print(_variants(results, "inference", "latency_us", "latency_p99_us"))
    console.print("median (smallest–largest of all rounds); * counts in the ratios")
    if ratios(results):
        console.print(_ratios(results))
    _print_bounds(console, results)


def _variants(results: Results, *measures: str) -> Table:
    trained = measures == ("train",)
    titles = [*(UNITS[measure] for measure in measures), *(["loss at the end"] if trained else [])]
    table = new_table("contender", "variant", *titles)
    for name in contenders(results, measures[0]):
        for variant in results.samples[measures[0]]:
            if variant[0] != name:
                continue
            cells = [_cell(results, measure, variant) for measure in measures]
            cells += [f"{results.losses[variant]:.3f}"] if trained else []
            table.add_row(name, variant[1], *cells)
    return table


def _cell(results: Results, measure: str, variant: tuple[str, str]) -> str:
    values = results.samples[measure][variant]
    if measure == "latency_p99_us":
        return f"{median(values):,.0f}"
    star = "*" if variant == best(results, measure, variant[0]) else " "
    return f"{median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f}) {star}"


def _ratios(results: Results) -> Table:
    table = new_table("tinycnn's value divided by the peer's", "median", "smallest", "largest")
    for name, row in ratios(results).items():
        better = " (smaller is better)" if name.startswith("latency") else ""
        values = [f"{row[key]:.2f}" for key in ("median", "min", "max")]
        table.add_row(name.replace("_vs_", " / ") + better, *values)
    return table


def _print_bounds(console: Console, results: Results) -> None:
    found = bounds(results)
    if not found:
        return
    console.print(
        f"float32 peak {found['peak_gflops']:.0f} GFLOP/s (fastest matrix product "
        f"{found['matrix_product_gflops']:.0f}): computing every sum at that speed would train "
        f"{found['dense_train_images_per_second']:,.0f} images/s "
        f"({found['mflop_per_training_image']:.1f} MFLOP each)",
        highlight=False,
    )
    if "train_share_of_peak" in found:
        console.print(
            f"tinycnn trains at {found['train_share_of_peak']:.0%} of that bound"
            f" and predicts at {found.get('inference_share_of_peak', 0):.0%} of its own",
            highlight=False,
        )


def print_starts(console: Console, starts: Sequence[Start]) -> None:
    """Print seconds to the first step (or prediction) and the memory of training."""
    table = new_table("starting up", "variant", "imports, s", "warm, s", "cold, s", "peak, MB")
    for row in starts:
        name = row.variant[0] + ("" if row.measure == "train" else " (predicts only)")
        seconds = (row.import_seconds, row.warm_seconds, row.cold_seconds)
        table.add_row(name, row.variant[1], *(f"{s:.1f}" for s in seconds), f"{row.peak_mb:,.0f}")
    console.print(table)
    console.print(
        "from the creation of the process to the end of the first step; cold: empty caches"
    )


def print_grids(console: Console, grid: Sequence[Results]) -> None:
    """Print the best of everybody in all settings, and what more threads bring."""
    for measure in ("train", "inference"):
        _print_grid(console, grid, measure)
    console.print("medians; everybody runs the variant that usually wins")
    for measure in ("train", "inference"):
        _print_scaling(console, grid, measure)


def _print_grid(console: Console, grid: Sequence[Results], measure: str) -> None:
    """Print one measure of everybody's best variant for all settings."""
    names = list(dict.fromkeys(name for cell in grid for name in contenders(cell, measure)))
    table = new_table("network", "threads", "batch", *names, "tinycnn / best peer")
    for cell in grid:
        found = medians(cell, measure)
        plan = cell.plan
        values = [f"{found[name]:,.0f}" if name in found else "-" for name in names]
        table.add_row(plan.network, str(plan.threads), str(plan.batch), *values, _lead(found))
    table.title = UNITS[measure]
    console.print(table)


def _lead(found: dict[str, float]) -> str:
    peers = [value for name, value in found.items() if name != OURS]
    return f"{found[OURS] / max(peers):.2f}" if peers and OURS in found else "-"


def _print_scaling(
    console: Console, grid: Sequence[Results], measure: str, batch: int = 128
) -> None:
    """Print how many times faster everybody is with more threads than with one."""
    rows = [cell for cell in grid if cell.plan.batch == batch]
    names = list(dict.fromkeys(name for cell in rows for name in contenders(cell, measure)))
    table = new_table("network", "threads", *(f"{name}, times one" for name in names))
    table.title = f"{UNITS[measure]}: more threads, batch {batch}"
    alone = {cell.plan.network: medians(cell, measure) for cell in rows if cell.plan.threads == 1}
    for cell in rows:
        found, base = medians(cell, measure), alone.get(cell.plan.network, {})
        values = [f"{found[n] / base[n]:.2f}" if n in found and n in base else "-" for n in names]
        if cell.plan.threads > 1:
            table.add_row(cell.plan.network, str(cell.plan.threads), *values)
    if table.row_count:
        console.print(table)


def print_races(console: Console, races: Sequence[Race], target: float) -> None:
    """Print how long everybody needed to reach ``target``."""
    table = new_table(
        f"to {target:.1%} of the test digits", "variant", "training, s", "with start, s",
        "epochs", "reached",
    )  # fmt: skip
    for row in sorted(races, key=lambda row: row.total_seconds or float("inf")):
        seconds = [f"{s:.1f}" if s else "never" for s in (row.training_seconds, row.total_seconds)]
        table.add_row(*row.variant, *seconds, f"{row.epochs:g}", f"{row.accuracy:.2%}")
    console.print(table)


def print_finals(console: Console, finals: Mapping[Variant, Sequence[float]], epochs: int) -> None:
    """Print how many test digits everybody reads after the same recipe."""
    table = new_table(f"after {epochs} epochs", "variant", "mean", "deviation", "every seed")
    for variant, values in finals.items():
        spread = f"{stdev(values):.2%}" if len(values) > 1 else "-"
        every = ", ".join(f"{100 * value:.2f}" for value in values)
        table.add_row(*variant, f"{mean(values):.2%}", spread, every)
    console.print(table)


def new_table(*columns: str, words: int = 2) -> Table:
    """Return an empty table whose first columns hold ``words`` and whose others hold figures."""
    table = Table(caption_justify="left", title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < words else "right")
    return table


def many(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
