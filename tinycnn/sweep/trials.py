"""The trials of a sweep: each is ``python -m tinycnn.train`` in a process and folder of its own.

So everything that holds for a run holds for a trial: it saves itself, resumes in the middle, ends
with the same bytes, and its folder belongs to one process at a time.
"""

import itertools
import json
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinycnn.cli import option
from tinycnn.data import Dataset
from tinycnn.errors import RunError
from tinycnn.signals import StopSignals
from tinycnn.train.folder import RunFolder
from tinycnn.train.recipe import OPTIONS, Recipe
from tinycnn.train.resume import source_of
from tinycnn.train.run import Result

LOOK_SECONDS = 0.05
"""The sweep looks this often whether a process has ended."""


@dataclass(frozen=True)
class Trial:
    """One run: ``setting`` names the options that differ between trials, ``given`` has all."""

    setting: str
    given: Mapping[str, Any]
    folder: Path

    @property
    def log(self) -> Path:
        """The file with everything that the process writes."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def result(self) -> Result | None:
        """The result; None if the run is not finished."""
        try:
            return Result(**json.loads(RunFolder(self.folder).result.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def command(self, shared: Sequence[str]) -> list[str]:
        """The command that starts or resumes the run, with the words that all trials share."""
        how = "--resume" if RunFolder(self.folder).is_resumable() else "--run-dir"
        words = [f"{option(name)}={value}" for name, value in self.given.items()]
        train = [sys.executable, "-m", "tinycnn.train"]
        return [*train, f"{how}={self.folder}", *words, *shared]


def plan(arguments: Namespace, folder: Path) -> list[Trial]:
    """All combinations of the values, first with seed 0, then with seed 1, ...

    The name of a folder has all options, so that other options never meet an older run. Raises
    TinyCNNError for values that make no sense.
    """
    if (seeds := 1 if arguments.seeds is None else arguments.seeds) < 1:
        raise RunError("`seeds` must be a whole number of at least 1")
    typed = {name: getattr(arguments, name, None) for name in OPTIONS}
    values = {
        name: list(dict.fromkeys(z)) if isinstance(z, list) else [z]
        for name, z in typed.items()
        if z is not None
    }
    several = [name for name, options in values.items() if len(options) > 1]
    trials = []
    for seed, *chosen in itertools.product(range(seeds), *values.values()):
        given = {**dict(zip(values, chosen, strict=True)), "seed": seed}
        Recipe.for_data(0, **given)
        setting = " ".join(f"{option(name)} {given[name]}" for name in several) or "defaults"
        name = "-".join(f"{name.replace('_', '-')}-{z}" for name, z in given.items())
        trials.append(Trial(setting, given, folder / name))
    return trials


def refuse_other_data(trials: Sequence[Trial], dataset: Dataset) -> None:
    """Raise RunError if the folder of a trial has a run on other data than ``dataset``."""
    for trial in trials:
        source = source_of(RunFolder(trial.folder).weights)
        if source and source.fingerprint != dataset.fingerprint:
            raise RunError(f"{trial.folder} was trained on other data; name another `sweep_dir`")


def train(
    trials: Sequence[Trial], jobs: int, shared: Sequence[str], signals: StopSignals
) -> Iterator[Trial]:
    """Train in ``jobs`` processes at a time, and yield each trial when its process has ended.

    After a signal, the processes are told to save and stop, and no others are started.
    """
    waiting, told = list(trials), False
    running: dict[subprocess.Popen[bytes], Trial] = {}
    while running or (waiting and not signals.received):
        if signals.received and not told:
            told = True
            for process in running:
                process.send_signal(signal.SIGTERM)
        if waiting and len(running) < jobs and not signals.received:
            trial = waiting.pop(0)
            trial.folder.parent.mkdir(parents=True, exist_ok=True)
            with open(trial.log, "ab") as log:  # in a session of its own, Ctrl-C does not reach it
                process = subprocess.Popen(
                    trial.command(shared), stdout=log, stderr=log, start_new_session=True
                )
            running[process] = trial
            continue
        for process in [process for process in running if process.poll() is not None]:
            yield running.pop(process)
        time.sleep(LOOK_SECONDS)
