"""Starting: from the creation of the process to its first training step, and threads that wait.

These are decided before a program's first line runs, so each figure needs a process of its own:
``python -m benchmarks.starting`` is that process. It trains as ``tinycnn.train`` does.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from unittest import mock

from benchmarks.cold_start import cache_variables
from benchmarks.contender import ROOT
from benchmarks.machine import available_cores
from benchmarks.timing import Comparison
from tinycnn.kernels.jit import SPINS as OURS
from tinycnn.timing import starting_with

BATCH = 128
STEPS = 20
"""Training steps of a process whose threads are watched."""

SPINS = {"ours": int(os.environ.get(*OURS)), "GNU's default": 300_000}
"""How often a waiting thread looks again before it goes to sleep."""


def compare_starts(rounds: int) -> Comparison:
    """Time first steps with empty and with full caches, with and without the second process."""
    samples: dict[str, list[float]] = {}
    for number in range(rounds):
        for name in starting_with(number, ["one process compiles", "two processes compile"]):
            options = ["--alone"] if name.startswith("one") else []
            with tempfile.TemporaryDirectory() as folder:
                caches = cache_variables(folder)
                samples.setdefault(name, []).append(_first_step_seconds(caches, *options))
                if name.startswith("two"):
                    seconds = _first_step_seconds(caches)
                    samples.setdefault("everything is compiled already", []).append(seconds)
    return Comparison("from the start of the process to its first training step", "s", samples)


def compare_waiting(rounds: int) -> Comparison:
    """Time training steps of threads that wait long or briefly, beside a busy program or not."""
    versions = {
        f"{name} ({spins:,}), {where}": (spins, busy)
        for busy, where in ((False, "undisturbed"), (True, "every core taken"))
        for name, spins in SPINS.items()
    }
    samples: dict[str, list[float]] = {name: [] for name in versions}
    for number in range(rounds):
        for name in starting_with(number, list(versions)):
            spins, busy = versions[name]
            samples[name].append(_step_microseconds(spins, available_cores() if busy else 0))
    return Comparison("how often waiting threads look before they sleep", "µs an image", samples)


@contextlib.contextmanager
def _busy_neighbors(count: int) -> Iterator[None]:
    """Let ``count`` other programs count meanwhile, each on one thread."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _first_step_seconds(environment: dict[str, str], *options: str) -> float:
    created = time.perf_counter()
    with _process(environment, *options) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return time.perf_counter() - created


def _step_microseconds(spins: int, neighbors: int) -> float:
    """Return microseconds an image of steps that begin when the neighbors are there."""
    with _process({"GOMP_SPINCOUNT": str(spins)}, "--steps", str(STEPS)) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        with _busy_neighbors(neighbors):
            process.stdin.write("go on\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())["microseconds"]


@contextlib.contextmanager
def _process(environment: dict[str, str], *options: str) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "benchmarks.starting", *options]
    variables = {**os.environ, **environment}
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def main() -> None:
    """Train; print a line after the first step and one with the microseconds of the others."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--alone", action="store_true", help="no second process compiles")
    parser.add_argument(
        "--steps", type=int, default=0, help="then wait for a line, and time so many more"
    )
    options = parser.parse_args()
    from tinycnn.data import load_dataset
    from tinycnn.train import trainer as training
    from tinycnn.train.recipe import resolve

    digits = load_dataset()
    trainer = training.Trainer(resolve(len(digits.train_images), batch_size=BATCH), digits)
    stay_alone = mock.patch.object(training, "gradients_compiled_meanwhile", contextlib.nullcontext)
    with stay_alone if options.alone else contextlib.nullcontext():
        trainer.rehearse()
    batches = trainer.batches.of_epoch(1)
    trainer.step(*next(batches))
    print(json.dumps({"steps": 1}), flush=True)
    if options.steps:
        sys.stdin.readline()
        start, images = time.perf_counter(), 0
        for _, (batch, labels) in zip(range(options.steps), batches, strict=False):
            trainer.step(batch, labels)
            images += len(batch)
        print(json.dumps({"microseconds": 1e6 * (time.perf_counter() - start) / images}))


if __name__ == "__main__":
    main()
