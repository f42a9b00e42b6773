"""What several ranks cost and gain: ``python -m benchmarks.speed.ranks``.

Under ``mpiexec`` it measures, with 1, 2, 4, ... ranks: the all-reduce for many lengths, beside
other ways to the same sums, and training steps for several batches. ``docs/many-machines.md``
explains.
"""

import argparse
import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks import machine
from benchmarks.command import check_targets, new_parser, new_table, progress, whole, write_json
from tinycnn.cli import run_command
from tinycnn.data import load_dataset
from tinycnn.errors import EnvironmentFault
from tinycnn.nn import set_threads
from tinycnn.nn.fit import train_step
from tinycnn.train.mpi_launch import find_ranks
from tinycnn.train.ranks import SingleProcess
from tinycnn.train.recipe import Recipe
from tinycnn.train.trainer import Trainer

LENGTHS = [4**power for power in range(4, 11)]
"""Float32 numbers in an all-reduce: 1 KB to 4 MB."""

BATCHES = [16, 32, 64, 128, 256, 512]

INSIDE = "--inside"


def measure_here(rounds: int) -> dict[str, Any] | None:
    """Called on every rank; rank 0 returns the least seconds of everything."""
    set_threads(1)
    ranks = find_ranks()
    seconds = {
        "ranks": ranks.size,
        "sums": {str(length): _sum_seconds(ranks, length, rounds) for length in LENGTHS},
        "steps": {str(batch): _step_seconds(ranks, batch, rounds) for batch in BATCHES},
    }
    return seconds if ranks.is_leader else None


def _sum_seconds(ranks: SingleProcess, length: int, rounds: int) -> dict[str, float]:
    z = np.ones(length, np.float32)
    ways: dict[str, Callable[[], Any]] = {"in a fixed order": lambda: ranks.add_up([z], 0.0)}
    if ranks.size > 1:
        from mpi4py import MPI

        total = np.empty_like(z)
        # A batch of 128 has eight pieces: every rank gets all of them, and adds them in order.
        own = np.ones((max(1, 8 // ranks.size), length), np.float32)
        pieces = np.empty((ranks.size, *own.shape), np.float32)

        def gather() -> np.ndarray:
            MPI.COMM_WORLD.Allgather(own, pieces)
            return pieces.sum(axis=(0, 1))

        ways["MPI's own"] = lambda: MPI.COMM_WORLD.Allreduce(z, total)
        ways["all pieces to all"] = gather
    return {name: _least_seconds(ranks, way, rounds) for name, way in ways.items()}


def _step_seconds(ranks: SingleProcess, batch: int, rounds: int) -> float:
    """One step of training, gradients added up, on batches that are there already."""
    dataset = load_dataset("mnist10k")
    recipe = Recipe.for_data(8000, batch_size=batch, augment="none")
    trainer = Trainer(recipe, dataset, ranks)
    share = ranks.share(batch)
    images, labels = dataset.train_images[:batch][share], dataset.train_labels[:batch][share]
    learned = trainer.model, trainer.loss, trainer.optimizer
    step = functools.partial(train_step, *learned, images, labels, batch, ranks.add_up)
    return _least_seconds(ranks, step, rounds)


def _least_seconds(ranks: SingleProcess, way: Callable[[], Any], rounds: int) -> float:
    samples = []
    for number in range(rounds + 2):
        ranks.largest(0)  # all begin at once
        start = time.perf_counter()
        way()
        if number >= 2:  # the first ones find nothing in its place
            samples.append(time.perf_counter() - start)
    return min(samples)  # other programs and other ranks can only make it longer


def measure(options: argparse.Namespace, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Start this module with each number of ranks."""
    found = []
    for count in options.ranks:
        tell(f"{count} ranks")
        command = [*options.launcher.split(), "-n", str(count), sys.executable]
        command += ["-m", "benchmarks.speed.ranks", INSIDE, "--rounds", str(options.rounds)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise EnvironmentFault(f"{' '.join(command)} failed: {done.stderr.strip()[-300:]}")
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, measure, print; return the exit code."""
    options = _parse(argv)
    if options.inside:
        if (seconds := measure_here(options.rounds)) is not None:
            print(json.dumps(seconds))
        return 0
    with progress() as tell:
        found = measure(options, tell)
    _print(found)
    write_json(options.json, {"machine": machine.describe(), "measured": found})
    return 0


def _print(measured: Sequence[dict[str, Any]]) -> None:
    console = Console(width=110, highlight=False)
    sums = new_table("all-reduce, µs: ranks", "KB", *next(iter(measured[-1]["sums"].values())))
    steps = new_table("training step, ms: ranks", *map(str, BATCHES), words=1)
    for found in measured:
        cells = [f"{1e3 * seconds:.2f}" for seconds in found["steps"].values()]
        steps.add_row(str(found["ranks"]), *cells)
        for length, ways in found["sums"].items():
            cells = [f"{1e6 * seconds:,.0f}" for seconds in ways.values()]
            sums.add_row(str(found["ranks"]), f"{int(length) // 256:,}", *cells)
    console.print(sums, steps)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    summary = (__doc__ or "").partition("\n\n")[0]
    parser = new_parser("speed.ranks", summary)
    add = parser.add_argument
    add("--ranks", type=_counts, default=[1, 2, 4], metavar="N,...", help="1,2,4 by default")
    add("--rounds", type=whole(1, 1000), default=21)
    add("--launcher", default="mpiexec", help="the command that starts ranks, with its options")
    add("--json", type=Path, metavar="OUT", help="write all figures to this file")
    add(INSIDE, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    check_targets(parser, options)
    return options


def _counts(text: str) -> list[int]:
    return [whole(1, 1024)(word) for word in text.split(",")]


if __name__ == "__main__":
    sys.exit(run_command(main))
