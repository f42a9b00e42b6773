"""Run the sweep that the arguments describe, and print the table of its settings."""

import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from tinycnn.cli import option
from tinycnn.console import log_console
from tinycnn.data import load_dataset
from tinycnn.data.datasets import DEFAULT
from tinycnn.errors import RunError
from tinycnn.files import to_json
from tinycnn.nn import get_threads
from tinycnn.signals import StopSignals
from tinycnn.sweep.results import collect, results_table
from tinycnn.sweep.trials import Trial, plan, refuse_other_data, train
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.recipe import Recipe
from tinycnn.train.trainer import Trainer


def run(arguments: Namespace) -> int:
    """Train what is not finished, and print the table; return 1 if a trial failed, else 0."""
    folder = Path(arguments.sweep_dir or time.strftime("runs/%Y-%m-%d-%H%M%S-sweep"))
    trials = plan(arguments, folder)
    dataset = load_dataset(arguments.dataset or DEFAULT, arguments.data_dir)
    refuse_other_data(trials, dataset)
    count = len(dataset.train_images[: arguments.limit])
    for trial in trials[: len({trial.setting for trial in trials})]:  # the same for every seed
        judges = len(Trainer(Recipe.for_data(count, **trial.given), dataset).validation)
    with StopSignals() as signals:
        signals.defer()
        _work(trials, arguments, signals)
        left = sum(trial.result is None for trial in trials)
        if signals.received:
            print(
                f"stopped with {left} of {len(trials)} trials to go; everything is saved. To "
                f"resume, repeat the command with --sweep-dir {folder}",
                file=sys.stderr,
            )
            return 128 + signals.received
    with compilation_shown(log_console(arguments.quiet)):
        results = collect(trials, dataset)
    if arguments.json:
        settings = [each.as_dict(results[0]) for each in results]
        print(to_json({"sweep_dir": str(folder), "dataset": dataset.name, "settings": settings}))
    else:
        print(
            f"{results_table(results)}\njudged by {judges:,} validation images; test images play "
            f"no part\nfiles  {folder}"
        )
    return 1 if left else 0


def _work(trials: Sequence[Trial], arguments: Namespace, signals: StopSignals) -> None:
    """Train all trials that are left, and print a line for each."""
    console = log_console(arguments.quiet)
    left = [trial for trial in trials if trial.result is None]
    jobs, threads = share_processors(arguments.jobs, arguments.threads, len(left))
    data = {name: getattr(arguments, name) for name in ("dataset", "data_dir")}
    words = {"threads": threads, **data}
    shared = [f"{option(name)}={z}" for name, z in words.items() if z is not None]
    folder = trials[0].folder.parent
    console.print(
        f"sweep  {len(trials)} trials, {len(left)} to go, processes {jobs}, threads {threads} "
        f"each\nfiles  {folder}",
        markup=False,
    )
    for number, trial in enumerate(train(left, jobs, shared, signals), 1):
        outcome = "its process was killed"
        if result := trial.result:
            outcome = f"{result.seconds:.1f} s"
        elif lines := trial.log.read_text(errors="replace").splitlines():
            outcome = lines[-1]
        console.print(f"{number}/{len(left)}  {trial.folder.name}  {outcome}", markup=False)


def share_processors(jobs: int | None, threads: int | None, trials: int) -> tuple[int, int]:
    """The number of processes, and of threads in each; RunError if there are fewer processors.

    By default there are as many processes as there is work for, and threads for the rest.
    """
    there = get_threads()
    if jobs is None:
        jobs = max(1, min(trials, there // (threads or 1)))
    if threads is None:
        threads = max(1, there // jobs)
    if jobs < 1 or threads < 1 or jobs * threads > there:
        given = f"`jobs` {jobs} with `threads` {threads}"
        raise RunError(f"{given} does not fit the {there} processors there are")
    return jobs, threads
