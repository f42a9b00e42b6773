"""Run the sweep that the arguments describe, and print the table of its settings."""

import contextlib
import shlex
import sys
from argparse import Namespace
from pathlib import Path

from tinycnn.cli import option, with_options
from tinycnn.data.datasets import DEFAULT
from tinycnn.errors import EnvironmentFault, RunError
from tinycnn.files import refuse_to_overwrite, to_json, write_bytes
from tinycnn.plots import optional_chart
from tinycnn.signals import StopSignals
from tinycnn.sweep.chart import draw_chart
from tinycnn.sweep.folder import SweepFolder
from tinycnn.sweep.launch import Sweep
from tinycnn.sweep.plan import KINDS, SweepPlan, Trial, make_plan, parse
from tinycnn.sweep.table import collect, results_table
from tinycnn.sweep.workers import dask_workers, local_workers, share_processors
from tinycnn.train.recipe import Recipe

PLAN_OPTIONS = ("seeds", "random", "dataset", "limit", "validation", "sweep_dir")
"""The options of a plan, besides those of the recipe."""


def run(arguments: Namespace) -> int:
    """Plan or resume, work through the trials, and print the table."""
    _check(arguments)
    plan = None if arguments.resume else _plan(arguments)
    with StopSignals() as signals:
        sweep = _open(plan, arguments)
        refuse_to_overwrite([arguments.chart], [sweep.folder.plan, *sweep.dataset.sources])
        try:
            _work(sweep, arguments, signals)
        except EnvironmentFault:
            _say_how_to_resume(sweep, arguments)
            raise
    if sweep.left(arguments.test):
        _say_how_to_resume(sweep, arguments)
        # Without a signal, another process has taken over the folder.
        return 3 if signals.received is None else 128 + signals.received
    return _report(sweep, arguments)


def _check(arguments: Namespace) -> None:
    """Raise RunError for options that exclude each other."""
    planned = [name for name in (*KINDS, *PLAN_OPTIONS) if getattr(arguments, name) is not None]
    if arguments.resume and planned:
        options = ", ".join(map(option, planned))
        raise RunError(f"--resume continues with the settings of the sweep; leave out {options}")
    if arguments.scheduler and arguments.jobs:
        raise RunError("--jobs is for this machine; a Dask cluster has its own workers")
    if arguments.chart and Path(arguments.chart).suffix not in (".svg", ".png"):
        raise RunError(f"--chart {arguments.chart} must end in .svg or .png")


def _plan(arguments: Namespace) -> SweepPlan:
    """Return the plan of the options; bad values are found here, before data are fetched."""
    typed = {name: getattr(arguments, name) for name in KINDS}
    space = {name: parse(name, text) for name, text in typed.items() if text is not None}
    fixed = {name: getattr(arguments, name) for name in ("limit", "validation")}
    fixed = {name: value for name, value in fixed.items() if value is not None}
    seeds = 1 if arguments.seeds is None else arguments.seeds
    plan = make_plan(space, fixed, seeds, arguments.random)
    for trial in plan.trials():
        Recipe.check(**trial.given)
    return plan


def _open(plan: SweepPlan | None, arguments: Namespace) -> Sweep:
    if plan is None:
        return Sweep.go_on(SweepFolder(arguments.resume), arguments.data_dir)
    directory = arguments.sweep_dir
    folder = SweepFolder(directory) if directory else SweepFolder.named()
    return Sweep.begin(folder, plan, arguments.dataset or DEFAULT, arguments.data_dir)


def _work(sweep: Sweep, arguments: Namespace, signals: StopSignals) -> None:
    """Let the workers run the remaining trials, and print a line for each."""
    left = len(sweep.left(arguments.test))
    if not left:
        return
    if arguments.scheduler:
        threads = arguments.threads or 1
        workers = dask_workers(arguments.scheduler)
        where = f"the Dask cluster at {arguments.scheduler}, threads {threads}"
    else:
        jobs, threads = share_processors(arguments.jobs, arguments.threads, left)
        workers = local_workers(jobs, threads)
        where = f"processes {jobs}, threads {threads} each"
    log = _Log(sweep, left, arguments.quiet)
    log.begin(where)
    with workers as executor:
        signals.defer(then=sweep.stop)
        trials = sweep.run(executor, threads, not arguments.scheduler, arguments.test)
        with contextlib.closing(trials):  # an exception stops the workers
            for trial in trials:
                log.done(trial)


class _Log:
    """One line on stderr for each event."""

    def __init__(self, sweep: Sweep, left: int, quiet: bool) -> None:
        self._sweep, self._quiet = sweep, quiet
        self._total = len(sweep.plan.trials())
        self._over = self._total - left

    def begin(self, where: str) -> None:
        """Print the plan, the data and the workers."""
        plan, kept = self._sweep.plan, self._sweep.validation
        self._say(
            f"sweep  settings {len(plan.settings)}, seeds {plan.seeds}, trials {self._total}, "
            f"over {self._over}\n"
            f"data   {self._sweep.dataset.name}: judged by {len(kept):,} validation images "
            f"(numbers {kept.start:,} to {kept.stop - 1:,})\n"
            f"work   {where}\n"
            f"files  {self._sweep.folder.path}"
        )

    def done(self, trial: Trial) -> None:
        """Print the result of a trial."""
        self._over += 1
        outcome = self._sweep.folder.outcome(trial.name) or {}
        place = f"trial {self._over:{len(str(self._total))}}/{self._total}"
        if "error" in outcome:
            self._say(f"{place}  failed: {with_options(outcome['error'])}  {trial.name}")
            return
        accuracy = f"validation {100 * outcome['validation_accuracy']:.2f} %"
        self._say(f"{place}  {accuracy}  {outcome['seconds']:.1f} s  {trial.name}")

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(text, file=sys.stderr, flush=True)


def _say_how_to_resume(sweep: Sweep, arguments: Namespace) -> None:
    command = ["--resume", str(sweep.folder.path)]
    for name in ("data_dir", "jobs", "threads", "scheduler", "chart"):
        if (value := getattr(arguments, name)) is not None:
            command += [option(name), str(value)]
    command += [option(name) for name in ("test", "json", "quiet") if getattr(arguments, name)]
    left, total = len(sweep.left(arguments.test)), len(sweep.plan.trials())
    print(
        f"stopped with {left} of {total} trials to go; everything is saved. To resume:\n"
        f"  python -m tinycnn.sweep {shlex.join(command)}",
        file=sys.stderr,
    )


def _report(sweep: Sweep, arguments: Namespace) -> int:
    """Print the table and draw the chart; return 1 if a trial failed, else 0."""
    rows = collect(sweep.folder, sweep.plan, arguments.test)
    basis = f"judged by {len(sweep.validation):,} validation images"
    basis += ", and tested" if arguments.test else "; the test images were not looked at"
    summary = {
        "sweep_dir": str(sweep.folder.path),
        "dataset": sweep.dataset.name,
        "judged_by": "validation",
        "tested": arguments.test,
        "seeds": sweep.plan.seeds,
        "fixed": sweep.plan.fixed,
        "settings": [row.as_dict() for row in rows],
    }
    write_bytes(sweep.folder.table, (to_json(summary, indent=2) + "\n").encode())
    path = Path(arguments.chart or sweep.folder.chart)
    drawn = any(row.validation for row in rows) and optional_chart(
        path, lambda: draw_chart(rows, sweep.dataset.name, path.suffix[1:])
    )
    if arguments.json:
        print(to_json({**summary, "chart": str(path) if drawn else None}))
    else:
        shown = path if drawn else "no chart"
        print(f"{results_table(rows)}\n{basis}\nfiles  {sweep.folder.path} ({shown})")
    return 1 if any(row.failed for row in rows) else 0
