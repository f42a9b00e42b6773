"""The command to sweeps: ``python -m tinycnn.sweep`` tries several settings and compares them.

Only arguments and printing; the work is done in ``tinycnn.sweep``.
"""

import argparse
import contextlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.cli import Parser, run_command
from tinycnn.errors import EnvironmentFault, RunError
from tinycnn.files import optional_chart, refuse_to_overwrite, to_json, write_bytes
from tinycnn.signals import StopSignals
from tinycnn.sweep.plan import KINDS, Plan, Trial, make_plan, parse
from tinycnn.train.recipe import option, resolve

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for the compiler
    from tinycnn.sweep.launch import Sweep

PLANNING = ("seeds", "random", "dataset", "limit", "validation", "sweep_dir")
"""Options besides those of the recipe that a plan holds."""

EXAMPLES = """\
examples:
  python -m tinycnn.sweep --lr 0.02,0.05,0.1 --seeds 3        every value with three seeds
  python -m tinycnn.sweep --preset lenet,tiny --augment none,mild --limit 2000 --epochs 3
  python -m tinycnn.sweep --random 20 --lr 0.005..0.5 --batch-size 16,32,64
  python -m tinycnn.sweep --resume DIR                        go on after Ctrl-C or a crash
  python -m tinycnn.sweep --resume DIR --test                 and in the end, test
  python -m tinycnn.sweep --lr 0.05,0.1 --scheduler tcp://host:8786     on a Dask cluster
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Plan or go on, work, report; returns the exit code."""
    arguments = _parser().parse_args(argv)
    _check(arguments)
    plan = None if arguments.resume else _planned(arguments)
    with StopSignals() as signals:
        sweep = _opened(plan, arguments)
        refuse_to_overwrite([arguments.chart], [sweep.folder.plan, *sweep.dataset.sources])
        try:
            _work(sweep, arguments, signals)
        except EnvironmentFault:
            _say_how_to_go_on(sweep, arguments)
            raise
    if sweep.left(arguments.test):
        _say_how_to_go_on(sweep, arguments)
        # Without a signal, somebody else has taken the folder over.
        return 3 if signals.received is None else 128 + signals.received
    return _report(sweep, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m tinycnn.sweep",
        description="Try several settings, with several seeds, and compare them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    swept = parser.add_argument_group("what is tried: values A,B,C, or ranges A..B with --random")
    for name in KINDS:
        swept.add_argument(option(name), metavar="VALUES", help=f"as {option(name)} of train")
    swept.add_argument("--seeds", metavar="N", type=int, help="seeds 0 to N-1 for each setting (1)")
    swept.add_argument("--random", metavar="N", type=int, help="N settings drawn at random")
    data = parser.add_argument_group("data")
    data.add_argument("--dataset", metavar="NAME", help="mnist10k (default) or another named set")
    data.add_argument("--data-dir", metavar="DIR", help="a folder with the four IDX files")
    data.add_argument("--limit", metavar="N", type=int, help="only the first N training images")
    data.add_argument("--validation", metavar="X", type=float, help="share to judge by (0.1)")
    _add_work_options(parser)
    return parser


def _add_work_options(parser: argparse.ArgumentParser) -> None:
    """Those that change no trial."""
    work = parser.add_argument_group("the work")
    work.add_argument("--sweep-dir", metavar="DIR", help="a new folder (runs/DATE-sweep)")
    work.add_argument("--resume", metavar="DIR", help="go on with the sweep in this folder")
    work.add_argument("--jobs", metavar="N", type=int, help="processes (one a processor)")
    work.add_argument("--threads", metavar="N", type=int, help="of each (what is left)")
    work.add_argument("--scheduler", metavar="URL", help="of a Dask cluster, tcp://host:8786")
    work.add_argument("--test", action="store_true", help="test all trained networks as well")
    work.add_argument("--chart", metavar="FILE", help=".svg or .png (chart.svg in the folder)")
    work.add_argument("--json", action="store_true", help="print the table as one JSON object")
    work.add_argument("--quiet", action="store_true", help="no progress")


def _check(arguments: argparse.Namespace) -> None:
    """Options that do not go together."""
    planned = [name for name in (*KINDS, *PLANNING) if getattr(arguments, name) is not None]
    if arguments.resume and planned:
        words = ", ".join(map(option, planned))
        raise RunError(f"--resume goes on with the settings the sweep has; leave out {words}")
    if arguments.scheduler and arguments.jobs:
        raise RunError("--jobs is for this machine; a Dask cluster has the workers it has")
    if arguments.chart and Path(arguments.chart).suffix not in (".svg", ".png"):
        raise RunError(f"--chart {arguments.chart} must end in .svg or .png")


def _planned(arguments: argparse.Namespace) -> Plan:
    """The plan that was asked for; what makes no sense is refused before data are fetched."""
    typed = {name: getattr(arguments, name) for name in KINDS}
    space = {name: parse(name, text) for name, text in typed.items() if text is not None}
    fixed = {name: getattr(arguments, name) for name in ("limit", "validation")}
    fixed = {name: value for name, value in fixed.items() if value is not None}
    seeds = 1 if arguments.seeds is None else arguments.seeds
    plan = make_plan(space, fixed, seeds, arguments.random)
    for trial in plan.trials():
        resolve(0, **trial.given)
    return plan


def _opened(plan: Plan | None, arguments: argparse.Namespace) -> "Sweep":
    from tinycnn.data.datasets import DEFAULT
    from tinycnn.sweep.folder import SweepFolder
    from tinycnn.sweep.launch import Sweep  # the compiler

    if plan is None:
        return Sweep.go_on(SweepFolder(arguments.resume), arguments.data_dir)
    directory = arguments.sweep_dir
    folder = SweepFolder(directory) if directory else SweepFolder.named()
    return Sweep.begin(folder, plan, arguments.dataset or DEFAULT, arguments.data_dir)


def _work(sweep: "Sweep", arguments: argparse.Namespace, signals: StopSignals) -> None:
    """Let the workers do what is left, and say so trial by trial."""
    left = len(sweep.left(arguments.test))
    if not left:
        return
    from tinycnn.sweep.workers import dask_workers, local_workers, share_processors

    if arguments.scheduler:
        threads = arguments.threads or 1
        workers = dask_workers(arguments.scheduler)
        who = f"the Dask cluster at {arguments.scheduler}, threads {threads}"
    else:
        jobs, threads = share_processors(arguments.jobs, arguments.threads, left)
        workers = local_workers(jobs, threads)
        who = f"processes {jobs}, threads {threads} each"
    say = _Voice(sweep, left, arguments.quiet)
    say.begin(who)
    with workers as executor:
        signals.defer(then=sweep.stop)
        trials = sweep.run(executor, threads, not arguments.scheduler, arguments.test)
        with contextlib.closing(trials):  # whatever happens, nobody works on for nothing
            for trial in trials:
                say.done(trial)


class _Voice:
    """One line on stderr for whatever happens."""

    def __init__(self, sweep: "Sweep", left: int, quiet: bool) -> None:
        self._sweep, self._quiet = sweep, quiet
        self._total = len(sweep.plan.trials())
        self._over = self._total - left

    def begin(self, who: str) -> None:
        """What is about to happen."""
        plan, kept = self._sweep.plan, self._sweep.validation
        self._say(
            f"sweep  settings {len(plan.settings)}, seeds {plan.seeds}, trials {self._total}, "
            f"over {self._over}\n"
            f"data   {self._sweep.dataset.name}: judged by {len(kept):,} validation images "
            f"(numbers {kept.start:,} to {kept.stop - 1:,})\n"
            f"work   {who}\n"
            f"files  {self._sweep.folder.path}"
        )

    def done(self, trial: Trial) -> None:
        """A trial is over."""
        self._over += 1
        outcome = self._sweep.folder.outcome(trial.name) or {}
        place = f"trial {self._over:{len(str(self._total))}}/{self._total}"
        if "error" in outcome:
            self._say(f"{place}  failed: {outcome['error']}  {trial.name}")
            return
        accuracy = f"validation {100 * outcome['validation_accuracy']:.2f} %"
        self._say(f"{place}  {accuracy}  {outcome['seconds']:.1f} s  {trial.name}")

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(text, file=sys.stderr, flush=True)


def _say_how_to_go_on(sweep: "Sweep", arguments: argparse.Namespace) -> None:
    words = ["--resume", str(sweep.folder.path)]
    for name in ("data_dir", "jobs", "threads", "scheduler", "chart"):
        if (value := getattr(arguments, name)) is not None:
            words += [option(name), str(value)]
    words += [option(name) for name in ("test", "json", "quiet") if getattr(arguments, name)]
    left, total = len(sweep.left(arguments.test)), len(sweep.plan.trials())
    print(
        f"stopped with {left} of {total} trials to go; all of it is saved. To go on:\n"
        f"  python -m tinycnn.sweep {shlex.join(words)}",
        file=sys.stderr,
    )


def _report(sweep: "Sweep", arguments: argparse.Namespace) -> int:
    """Table and chart; returns 1 if a trial failed, else 0."""
    from tinycnn.sweep.chart import draw_chart
    from tinycnn.sweep.table import collect, table

    rows = collect(sweep.folder, sweep.plan, arguments.test)
    judged = f"judged by {len(sweep.validation):,} validation images"
    judged += ", and tested" if arguments.test else "; the test images were not looked at"
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
        print(f"{table(rows)}\n{judged}\nfiles  {sweep.folder.path} ({shown})")
    return 1 if any(row.failed for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
