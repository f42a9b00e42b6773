"""Run the sweep that the arguments describe, and print the table of its settings."""

import contextlib
import io
import shlex
import sys
import time
from argparse import Namespace
from pathlib import Path

from tinycnn.cli import option, with_options
from tinycnn.data.datasets import DEFAULT
from tinycnn.errors import EnvironmentFault, RunError
from tinycnn.files import refuse_to_overwrite, to_json, write_bytes
from tinycnn.plots import optional_chart
from tinycnn.signals import StopSignals
from tinycnn.sweep.folder import SweepFolder
from tinycnn.sweep.launch import Sweep, dask_workers, local_workers, share_processors
from tinycnn.sweep.plan import KINDS, SweepPlan, make_plan, parse
from tinycnn.sweep.results import collect, draw_chart, results_table
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
    path = arguments.resume or arguments.sweep_dir
    folder = SweepFolder(path or time.strftime("runs/%Y-%m-%d-%H%M%S-sweep"))
    return Sweep(folder, plan, arguments.dataset or DEFAULT, arguments.data_dir)


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
    log = io.StringIO() if arguments.quiet else sys.stderr
    total = len(sweep.plan.trials())
    print(_beginning(sweep, total - left), f"work   {where}", file=log, sep="\n")
    print(f"files  {sweep.folder.path}", file=log, flush=True)
    with workers as executor:
        signals.defer(then=sweep.stop)
        trials = sweep.run(executor, threads, not arguments.scheduler, arguments.test)
        with contextlib.closing(trials):  # an exception stops the workers
            for over, name in enumerate(trials, total - left + 1):
                place = f"trial {over:{len(str(total))}}/{total}"
                print(f"{place}  {_outcome(sweep, name)}  {name}", file=log, flush=True)


def _beginning(sweep: Sweep, over: int) -> str:
    plan, kept = sweep.plan, sweep.validation
    return (
        f"sweep  settings {len(plan.settings)}, seeds {plan.seeds}, trials {len(plan.trials())}, "
        f"over {over}\n"
        f"data   {sweep.dataset.name}: judged by {len(kept):,} validation images "
        f"(numbers {kept.start:,} to {kept.stop - 1:,})"
    )


def _outcome(sweep: Sweep, name: str) -> str:
    outcome = sweep.folder.outcome(name) or {}
    if "error" in outcome:
        return f"failed: {with_options(outcome['error'])}"
    return f"validation {100 * outcome['validation_accuracy']:.2f} %  {outcome['seconds']:.1f} s"


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
