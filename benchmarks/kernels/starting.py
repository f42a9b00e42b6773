"""From the creation of a process to its first training step, with empty and with full caches.

``python -m benchmarks.kernels.starting`` is the process that is timed. It trains as
``tinycnn.train`` does, and with ``--alone`` no second process helps it to compile.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from unittest import mock

from benchmarks.interleave import starting_with
from benchmarks.speed.cold_start import cache_variables
from benchmarks.timing import TimedVersions

BATCH = 128


def compare_starts(rounds: int) -> TimedVersions:
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
    return TimedVersions("from the start of the process to its first training step", "s", samples)


def _first_step_seconds(environment: dict[str, str], *options: str) -> float:
    created = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.kernels.starting", *options]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.perf_counter() - created
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return seconds


def main() -> None:
    """Train one step, and print a line then."""
    from tinycnn.data import load_dataset
    from tinycnn.nn.fit import train_step
    from tinycnn.train import precompile
    from tinycnn.train.recipe import Recipe
    from tinycnn.train.trainer import Trainer

    digits = load_dataset()
    trainer = Trainer(Recipe.for_data(len(digits.train_images), batch_size=BATCH), digits)
    alone = mock.patch.object(precompile, "gradients_compiled_meanwhile", contextlib.nullcontext)
    with alone if sys.argv[1:] == ["--alone"] else contextlib.nullcontext():
        precompile.rehearse(trainer)
    batch = next(trainer.batches.of_epoch(1))
    train_step(trainer.model, trainer.loss, trainer.optimizer, *batch)
    print("one step", flush=True)


if __name__ == "__main__":
    main()
