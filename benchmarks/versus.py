"""tinycnn beside PyTorch, Keras and onnxruntime: ``python -m benchmarks.versus``.

All run the same network from the same first weights on the same digits. They are held to one
another first and timed then, taking turns in one run, since figures from different runs on a
shared machine cannot be compared. ``pip install tinycnn[bench]`` brings the others; who is not
installed is left out.
"""

import argparse
import json
import math
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmarks import machine, recipe, tables
from benchmarks.command import check_targets, progress, whole
from benchmarks.peers import MODULES
from benchmarks.plan import Plan
from benchmarks.study import RACE_EPOCHS, Study
from benchmarks.summary import OURS, as_json
from tinycnn.cli import run_command
from tinycnn.data import load_dataset
from tinycnn.files import write_bytes


def main(argv: Sequence[str] | None = None) -> int:
    """Measure stage by stage; print and save each as soon as it is done."""
    options = _parse(argv)
    digits = load_dataset(data_dir=options.data_dir)
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    with TemporaryDirectory(prefix="tinycnn-versus-") as folder:
        modules = {name: MODULES[name] for name in options.contenders}
        study = Study(Path(folder), modules, machine.Neighbors(options.patience))
        study.prepare(digits)
        for measure, show in _stages(study, options):
            with progress() as study.tell:
                measure()
            show(console)
            _save(study, options)
    for sentence in study.left_out:
        console.print(f"left out: {sentence}", markup=False)
    return 0


Stage = tuple[Callable[[], None], Callable[[Console], None]]
"""What measures, and what prints the outcome."""


def _stages(study: Study, options: argparse.Namespace) -> Iterator[Stage]:
    """Yield what was asked for, one after the other."""
    plan, target = _plan(options), (options.to_accuracy or 0) / 100
    yield lambda: study.measure(plan), lambda console: _print_results(console, study, options)
    if not options.quick:
        yield study.start_all, lambda console: tables.print_starts(console, study.starts)
    if options.full:
        settings = replace(plan, rounds=min(plan.rounds, 3), only_usual_best=True)
        yield (
            lambda: study.measure_grid(settings, _thread_counts(plan.threads)),
            lambda console: tables.print_grids(console, study.grid),
        )
    if options.to_accuracy:
        yield (
            lambda: study.race_all(target),
            lambda console: tables.print_races(console, study.races, target),
        )
    if options.seeds:
        yield (
            lambda: study.train_all(options.seeds),
            lambda console: tables.print_finals(console, study.finals, RACE_EPOCHS),
        )


def _plan(options: argparse.Namespace) -> Plan:
    plan = Plan(options.network, options.batch, options.threads, options.rounds)
    if options.quick:
        plan = replace(plan, images=1024, latency_calls=100, only_usual_best=True)
    return plan


def _thread_counts(most: int) -> list[int]:
    """1, 2, 4 ... and ``most`` itself."""
    counts = {2**power for power in range(most.bit_length()) if 2**power <= most}
    return sorted(counts | {most})


def _print_results(console: Console, study: Study, options: argparse.Namespace) -> None:
    about = machine.describe()
    console.print(
        f"{about['cpu']}, {about['cores']} cores, {about['system']}, Python {about['python']}"
    )
    console.print(", ".join(f"{name} {version}" for name, version in study.versions.items()))
    tables.print_results(console, study.results)
    others = max(study.results.others)
    unused = 1 - options.threads / about["cores"]
    advice = "; measure again when the machine is quiet" if others > unused + 0.1 else ""
    console.print(f"other programs used at most {others:.0%} of the machine in any round{advice}")
    if options.quick:
        console.print("--quick: only the variant of each that usually wins, and few images")


def _save(study: Study, options: argparse.Namespace) -> None:
    if options.json:
        write_bytes(options.json, json.dumps(_as_json(study), indent=1).encode() + b"\n")
    if options.charts:
        _draw(study, options)


def _as_json(study: Study) -> dict:
    return {
        **as_json(study.results),
        "machine": {**machine.describe(), "versions": study.versions},
        "starts": [asdict(row) for row in study.starts],
        "grid": [as_json(results) for results in study.grid],
        "races": [asdict(row) for row in study.races],
        "final_accuracies": {", ".join(who): values for who, values in study.finals.items()},
        "left_out": study.left_out,
        "idle_seconds": study.idle_seconds,
    }


def _draw(study: Study, options: argparse.Namespace) -> None:
    from benchmarks import charts  # matplotlib, only when asked for

    charts.draw_speed(study.results, options.charts / "versus-speed.svg")
    if study.grid:
        charts.draw_grid(study.grid, options.charts / "versus-batches.svg")
    if study.races:
        path = options.charts / "versus-accuracy.svg"
        charts.draw_races(study.races, options.to_accuracy / 100, path)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.versus", description=(__doc__ or "").partition("\n\n")[0]
    )
    cores = machine.available_cores()
    add = parser.add_argument
    add("--network", choices=recipe.NETWORKS, default="lenet")
    add("--batch", type=whole(1, 4096), default=128)
    add("--threads", type=whole(1, cores), default=cores, help="default: one a core")
    add("--rounds", type=whole(1, 1000), default=None, help="default 7, with --quick 2")
    add("--contenders", type=_contenders, default=list(MODULES), metavar="NAME,...")
    add("--data-dir", type=Path, help="a folder with the four IDX files; default: mnist10k")
    add("--quick", action="store_true", help="a first impression in less than a minute")
    add("--full", action="store_true", help="also two networks, batches 1 to 512, 1 to N threads")
    add("--to-accuracy", type=_percent, metavar="PERCENT", help="also whole trainings, e.g. 99")
    add("--seeds", type=whole(1, 100), metavar="N", help="also N whole trainings of everybody")
    add("--patience", type=_seconds, default=60.0, help="wait so long, in all, for a quiet machine")
    add("--json", type=Path, metavar="OUT", help="write all figures to this file")
    add("--charts", type=Path, metavar="DIR", help="draw SVG charts into this folder")
    options = parser.parse_args(argv)
    options.rounds = options.rounds or (2 if options.quick else 7)
    check_targets(parser, options)
    return options


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage; try 99")
    return value


def _contenders(text: str) -> list[str]:
    """Return the names in the tables' order; tinycnn, whom all are held to, always takes part."""
    names = text.split(",")
    if unknown := set(names) - set(MODULES):
        raise argparse.ArgumentTypeError(
            f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(MODULES)}"
        )
    return [name for name in MODULES if name in names or name == OURS]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit cleans up, a kill does not
    sys.exit(run_command(main))
