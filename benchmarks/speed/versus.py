"""tinycnn beside PyTorch, Keras and onnxruntime: the command ``benchmarks.versus``.

All train the same network from the same first weights on the same digits. They are compared with
one another first and timed then, interleaved in one run, since figures from different runs on a
shared machine cannot be compared. ``pip install tinycnn[bench]`` brings the others; a framework
that is not installed is left out.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from benchmarks import machine
from benchmarks.command import (
    add_outputs,
    check_targets,
    names_of,
    new_parser,
    progress,
    whole,
    write_json,
)
from benchmarks.speed.peers import MODULES
from benchmarks.speed.rounds import Plan
from benchmarks.speed.study import NETWORKS, Study, workload_of, write_onnx
from benchmarks.speed.summary import OURS, as_json
from benchmarks.speed.tables import (
    print_augmented,
    print_busy,
    print_grids,
    print_races,
    print_results,
    print_starts,
)
from tinycnn.data import load_dataset

ALSO = ("augmented", "busy")
"""Training with augmentation, as the default command does it; beside one busy program."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure stage by stage; print and save each as soon as it is done."""
    options = _parse(argv)
    work = workload_of(load_dataset(data_dir=options.data_dir))
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    with TemporaryDirectory(prefix="tinycnn-versus-") as folder:
        modules = {name: MODULES[name] for name in MODULES if name in {OURS, *options.contenders}}
        write_onnx(Path(folder), work)
        study = Study(Path(folder), modules, work, machine.Neighbors(options.patience))
        for measure, show in _stages(study, options):
            with progress() as study.tell:
                measure()
            show(console)
            write_json(options.json, _as_json(study))
            _draw(study, options)
    for sentence in study.left_out:
        console.print(f"left out: {sentence}", markup=False)
    return 0


Stage = tuple[Callable[[], None], Callable[[Console], None]]
"""A measurement, and a function that prints its outcome."""


def _stages(study: Study, options: argparse.Namespace) -> Iterator[Stage]:
    """Yield what was asked for, one after the other."""
    plan = Plan(options.network, options.batch, options.threads, options.rounds)
    if options.quick:
        plan = replace(plan, images=1024, latency_calls=100, only_usual_best=True)
    every = replace(plan, rounds=min(plan.rounds, 3))
    few = replace(every, only_usual_best=True)
    target = options.to_accuracy / 100
    yield partial(study.measure, plan), lambda to: _print_results(to, study, options)
    if not options.quick:
        yield study.start_all, lambda to: print_starts(to, study.starts)
    if options.full:
        counts = sorted({2**p for p in range(plan.threads.bit_length())} | {plan.threads})
        yield partial(study.measure_grid, few, counts), lambda to: print_grids(to, study.grid)
    if "augmented" in options.also or options.full:
        yield partial(study.augment_all, every), lambda to: print_augmented(to, study.augmented)
    if "busy" in options.also or options.full:
        yield partial(study.measure_busy, few), lambda to: print_busy(to, study.results, study.busy)
    if target:
        races = partial(study.race_all, target, options.seeds)
        yield races, lambda to: print_races(to, study.races, target)


def _print_results(console: Console, study: Study, options: argparse.Namespace) -> None:
    console.print(machine.in_words())
    console.print(", ".join(f"{name} {version}" for name, version in study.versions.items()))
    print_results(console, study.results)
    others = max(study.results.others)
    unused = 1 - options.threads / machine.available_cores()
    advice = "; measure again when the machine is quiet" if others > unused + 0.1 else ""
    console.print(f"other programs used at most {others:.0%} of the machine in any round{advice}")
    if options.quick:
        console.print("--quick: only the variant of each that usually wins, and few images")


def _as_json(study: Study) -> dict:
    return {
        **as_json(study.results),
        "machine": {**machine.describe(), "versions": study.versions},
        "starts": [asdict(row) for row in study.starts],
        "grid": [as_json(results) for results in study.grid],
        "augmented": [as_json(results) for results in study.augmented],
        "busy": as_json(study.busy) if study.busy else None,
        "races": [asdict(row) for row in study.races],
        "left_out": study.left_out,
    }


def _draw(study: Study, options: argparse.Namespace) -> None:
    if options.charts:
        from benchmarks.speed import charts

        charts.draw_speed(study.results, options.charts / "versus-speed.svg")
        if study.grid:
            charts.draw_grid(study.grid, options.charts / "versus-batches.svg")
        if study.races:
            path = options.charts / "versus-accuracy.svg"
            charts.draw_races(study.races, options.to_accuracy / 100, path)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = new_parser("versus", (__doc__ or "").partition(":")[0])
    cores = machine.available_cores()
    add = parser.add_argument
    add("--network", choices=NETWORKS, default="lenet")
    add("--batch", type=whole(1, 4096), default=128)
    add("--threads", type=whole(1, cores), default=cores, help="default: one per core")
    add("--rounds", type=whole(1, 1000), default=None, help="default 7, with --quick 2")
    add("--contenders", type=names_of(MODULES), default=MODULES, metavar="NAME,...")
    add("--data-dir", type=Path, help="a folder with the four IDX files; default: mnist10k")
    add("--quick", action="store_true", help="a first impression in less than a minute")
    add("--also", type=names_of(ALSO), default=[], metavar="NAME,...", help=", ".join(ALSO))
    add("--full", action="store_true", help="all networks, batches and threads, and --also all")
    percent: dict[str, Any] = {"type": float, "default": 0, "metavar": "PERCENT"}
    add("--to-accuracy", **percent, help="also whole trainings")
    add("--seeds", type=whole(1, 100), default=10, help="of each race; default: 10")
    add("--patience", type=whole(0, 10**6), default=60, help="seconds to wait for a quiet machine")
    add_outputs(parser)
    options = parser.parse_args(argv)
    options.rounds = options.rounds or (2 if options.quick else 7)
    if not 0 <= options.to_accuracy <= 100:  # nor NaN
        parser.error(f"--to-accuracy {options.to_accuracy} is no number from 0 to 100")
    check_targets(parser, options)
    return options
