"""The command to training: ``python -m tinycnn.train`` learns to read digits.

Only arguments and printing; the work is done in ``tinycnn.train``.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from signal import SIGTERM
from typing import TYPE_CHECKING, Any

from tinycnn.cli import Parser, run_command
from tinycnn.errors import RunError
from tinycnn.files import to_json
from tinycnn.signals import StopSignals
from tinycnn.train.folder import RunFolder, find_run, typed
from tinycnn.train.mpi_launch import find_ranks
from tinycnn.train.ranks import SingleProcess
from tinycnn.train.recipe import OPTIONS, resolve

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for the compiler
    from tinycnn.console import Console
    from tinycnn.train.run import Result, Run

EXAMPLES = """\
examples:
  python -m tinycnn.train                          the bundled digits, a good network
  python -m tinycnn.train --dataset mnist          all of MNIST, downloaded once
  python -m tinycnn.train --data-dir DIR           four IDX files of your own
  python -m tinycnn.train --limit 1000 --epochs 3  a quick try
  python -m tinycnn.train --resume last            go on after Ctrl-C
  mpiexec -n 4 python -m tinycnn.train             four processes, on one machine or many
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, train, report; returns the exit code."""
    with StopSignals():  # from here on, SIGTERM cleans up as Ctrl-C does
        ranks = find_ranks()
        with ranks.together():
            arguments = _parser().parse_args(argv)
            _check_run_options(arguments)
        return _lead(arguments, ranks) if ranks.leads else _follow(arguments, ranks)


def _lead(arguments: argparse.Namespace, ranks: SingleProcess) -> int:
    from tinycnn.console import Console

    console = Console(stderr=True, quiet=arguments.quiet, highlight=False, soft_wrap=True)
    with ranks.together():
        run = _begun(arguments, console, ranks)
    if run is None:
        ranks.spread(b"")
        return 0
    with run:
        if ranks.size > 1:
            from tinycnn.train.resume import lead

            lead(run, ranks)
        return _train(run, console, arguments)


def _begun(arguments: argparse.Namespace, console: "Console", ranks: SingleProcess) -> "Run | None":
    """A run that has something to do; None if it is finished, which has been told then."""
    if arguments.resume is None:
        return _started(arguments, ranks)
    if result := _finished(arguments):
        _report(result, arguments)
        return None
    return _resumed(arguments, console, ranks)


def _follow(arguments: argparse.Namespace, ranks: SingleProcess) -> int:
    """What rank 0 leads in, silently; it has all the words."""
    with ranks.together():  # rank 0 may find that nothing can be trained
        from tinycnn.train.resume import follow

        _use_threads(arguments.threads, ranks)
    run = follow(arguments.data_dir, arguments.checkpoint_every, ranks)
    return 128 + signal if run and (signal := run.train()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m tinycnn.train",
        description="Train a network on a data set and test it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_recipe_options(parser)
    _add_run_options(parser)
    return parser


def _add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Those that decide the weights; what is not given is chosen by ``recipe.resolve``."""
    data = parser.add_argument_group("data")
    data.add_argument("--dataset", metavar="NAME", help="mnist10k (default) or another named set")
    data.add_argument("--data-dir", metavar="DIR", help="a folder with the four IDX files")
    data.add_argument("--limit", metavar="N", type=int, help="only the first N training images")
    data.add_argument("--validation", metavar="X", type=float, help="share kept apart (0.1)")
    data.add_argument("--augment", metavar="HOW", help="none, light, mild, strong, drawings")
    steps = parser.add_argument_group("network and steps")
    steps.add_argument("--preset", metavar="NAME", help="the network: lenet, tiny, best, dense")
    steps.add_argument("--epochs", metavar="N", type=int, help="times through all images (10)")
    steps.add_argument("--batch-size", metavar="N", type=int, help="images a step (by data size)")
    steps.add_argument("--lr", metavar="X", type=float, help="highest learning rate (by data size)")
    steps.add_argument("--optimizer", metavar="NAME", help="sgd (default) or adam")
    steps.add_argument("--schedule", metavar="NAME", help="one-cycle (default), cosine, constant")
    steps.add_argument("--momentum", metavar="X", type=float, help="of sgd (0.9)")
    steps.add_argument("--weight-decay", metavar="X", type=float, help="(0)")
    steps.add_argument("--average", metavar="X", type=float, help="of the weights, as 0.999 (0)")
    steps.add_argument("--seed", metavar="N", type=int, help="equal seeds, equal weights (0)")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    """Those that change no bit of the weights."""
    run = parser.add_argument_group("the run")
    run.add_argument("--threads", metavar="N", type=int, help="all processors by default")
    run.add_argument("--run-dir", metavar="DIR", help="a new folder (runs/DATE-...)")
    run.add_argument("--resume", metavar="RUN", help="a run folder, or: last")
    run.add_argument("--checkpoint-every", metavar="N", type=int, help="batches (every 10 s)")
    run.add_argument("--json", action="store_true", help="print the result as one JSON object")
    run.add_argument("--quiet", action="store_true", help="no progress")


def _check_run_options(arguments: argparse.Namespace) -> None:
    if arguments.resume is not None and arguments.run_dir is not None:
        raise RunError("--run-dir is for new runs; --resume names the folder to go on in")
    every = arguments.checkpoint_every
    if every is not None and every < 1:
        raise RunError(f"--checkpoint-every must be a number of batches from 1 on, not {every}")


def _train(run: "Run", console: "Console", arguments: argparse.Namespace) -> int:
    from tinycnn.train.progress import introduction, kept, say, watch_for

    try:
        for line in introduction(run.trainer, run.folder.path):
            say(console, line)
        if signal := run.train(watch_for(console)):
            _say_how_to_go_on(run)
            return 128 + signal
        say(console, kept(run.trainer.state))
        _report(run.finish(), arguments)
        return 0
    except (KeyboardInterrupt, SystemExit) as stop:  # while compiling, or in the test
        by_signal = isinstance(stop, KeyboardInterrupt) or stop.code == 128 + SIGTERM
        if by_signal:  # else another rank has failed, and has told why
            _say_how_to_go_on(run)
        raise


def _started(arguments: argparse.Namespace, ranks: SingleProcess) -> "Run":
    if arguments.run_dir is None:
        return _started_in(None, arguments, ranks)
    folder = RunFolder.create(arguments.run_dir)  # first: whoever loses the race for it is told so
    with folder.released_on_failure():
        return _started_in(folder, arguments, ranks)


def _started_in(
    folder: RunFolder | None, arguments: argparse.Namespace, ranks: SingleProcess
) -> "Run":
    """A new run in ``folder``, or in one that is named after it."""
    from tinycnn.data import load_dataset
    from tinycnn.data.datasets import DEFAULT

    given = _given(arguments)
    name = given.pop("dataset", DEFAULT)
    resolve(0, **given)  # what makes no sense is refused before data are fetched
    dataset = load_dataset(name, arguments.data_dir)
    recipe = resolve(len(dataset.train_images[: arguments.limit]), **given)
    folder = folder or RunFolder.create_named(dataset.name, recipe.preset, recipe.seed)
    with folder.released_on_failure():
        from tinycnn.train.resume import Source, start  # the compiler

        _use_threads(arguments.threads, ranks)
        source = Source.of(dataset, name, arguments.data_dir)
        run = start(recipe, dataset, source, folder, arguments.checkpoint_every, ranks)
        run.open_books()  # now: whoever is stopped while kernels are compiled can go on
        return run


def _resumed(arguments: argparse.Namespace, console: "Console", ranks: SingleProcess) -> "Run":
    folder = RunFolder.reopen(find_run(arguments.resume))
    with folder.released_on_failure():
        from tinycnn.train.progress import say
        from tinycnn.train.resume import resume

        _use_threads(arguments.threads, ranks)
        run, warnings = resume(
            folder, _given(arguments), arguments.data_dir, arguments.checkpoint_every, ranks
        )
    for warning in warnings:
        say(console, f"warning: {warning}")
    return run


def _finished(arguments: argparse.Namespace) -> "Result | None":
    """The result of a run that has nothing left to do."""
    path = find_run(arguments.resume)
    if not RunFolder(path).result.exists():
        return None

    from tinycnn.train.resume import finished  # the compiler

    result = finished(path, _given(arguments))
    if result:
        print(f"{path} is finished: nothing to do", file=sys.stderr)
    return result


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options that decide the weights, as far as they were typed."""
    values = {name: getattr(arguments, name) for name in (*OPTIONS, "dataset")}
    return {name: value for name, value in values.items() if value is not None}


def _use_threads(threads: int | None, ranks: SingleProcess) -> None:
    from tinycnn.nn import set_threads

    try:
        set_threads(ranks.threads if threads is None else threads)
    except ValueError as error:
        raise RunError(f"--{error}") from error


def _say_how_to_go_on(run: "Run") -> None:
    from tinycnn.train.progress import place

    where = "after the test" if run.folder.result.exists() else place(run.trainer)
    print(
        f"stopped {where}; all of it is saved. To go on:\n"
        f"  python -m tinycnn.train --resume {typed(run.folder.path)}",
        file=sys.stderr,
    )


def _report(result: "Result", arguments: argparse.Namespace) -> None:
    """The outcome, and what to type next."""
    if arguments.json:
        print(to_json(asdict(result)))
        return
    words = ["python -m tinycnn.evaluate", typed(result.weights)]
    if arguments.resume is not None and arguments.data_dir:  # the data are not where they were
        words += ["--data-dir", typed(arguments.data_dir)]
    print(
        f"test   {result.sentence()}\n"
        f"time   {result.seconds:.1f} s, {result.images_per_second:,.0f} images/s in training, "
        f"at most {result.peak_memory_mb:,.0f} MB\n"
        f"files  {result.run_dir}\n"
        f"next   {' '.join(words)}"
    )


if __name__ == "__main__":
    raise SystemExit(run_command(main))
