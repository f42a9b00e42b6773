"""Start or resume the run that the arguments describe, and print the result."""

import sys
from argparse import Namespace
from dataclasses import asdict
from signal import SIGTERM
from typing import Any

from tinycnn.console import Console, log_console
from tinycnn.data import load_dataset
from tinycnn.data.datasets import DEFAULT
from tinycnn.errors import RunError
from tinycnn.files import to_json
from tinycnn.nn import set_threads
from tinycnn.train import resume
from tinycnn.train.folder import RunFolder, find_run, typed
from tinycnn.train.progress import introduction, kept, place, say, watch_for
from tinycnn.train.ranks import SingleProcess
from tinycnn.train.recipe import OPTIONS, resolve
from tinycnn.train.run import Result, Run


def lead(arguments: Namespace, ranks: SingleProcess) -> int:
    """Train as rank 0, or as the only process; only rank 0 writes files and prints."""
    console = log_console(arguments.quiet)
    with ranks.together():
        run = _begin(arguments, console, ranks)
    if run is None:
        ranks.spread(b"")
        return 0
    with run:
        if ranks.size > 1:
            resume.lead(run, ranks)
        return _train(run, console, arguments)


def follow(arguments: Namespace, ranks: SingleProcess) -> int:
    """Train as another rank, without printing."""
    with ranks.together():  # rank 0 may find that there is nothing to train
        _use_threads(arguments.threads, ranks)
    run = resume.follow(arguments.data_dir, arguments.checkpoint_every, ranks)
    return 128 + signal if run and (signal := run.train()) else 0


def _begin(arguments: Namespace, console: Console, ranks: SingleProcess) -> Run | None:
    """Return the run to train; if it is finished already, print its result and return None."""
    if arguments.resume is None:
        return _start(arguments, ranks)
    path = find_run(arguments.resume)
    if result := resume.finished(path, _given(arguments)):
        print(f"{path} is finished: nothing to do", file=sys.stderr)
        _report(result, arguments)
        return None
    folder = RunFolder.reopen(path)
    with folder.released_on_failure():
        _use_threads(arguments.threads, ranks)
        run, warnings = resume.resume(
            folder, _given(arguments), arguments.data_dir, arguments.checkpoint_every, ranks
        )
    for warning in warnings:
        say(console, f"warning: {warning}")
    return run


def _start(arguments: Namespace, ranks: SingleProcess) -> Run:
    """Return a new run, in the folder that is given or in one that is named after the run."""
    # First of all: if another process uses the folder, nothing is fetched.
    folder = None if arguments.run_dir is None else RunFolder.create(arguments.run_dir)
    try:
        given = _given(arguments)
        name = given.pop("dataset", DEFAULT)
        resolve(0, **given)  # finds bad values before data are fetched
        dataset = load_dataset(name, arguments.data_dir)
        recipe = resolve(len(dataset.train_images[: arguments.limit]), **given)
        folder = folder or RunFolder.create_named(dataset.name, recipe.preset, recipe.seed)
        _use_threads(arguments.threads, ranks)
        source = resume.Source.of(dataset, name, arguments.data_dir)
        run = resume.start(recipe, dataset, source, folder, arguments.checkpoint_every, ranks)
        run.open_books()  # now, so that a run stopped while kernels are compiled can be resumed
        return run
    except BaseException:  # Ctrl-C too
        if folder:
            folder.release()
        raise


def _given(arguments: Namespace) -> dict[str, Any]:
    """Return the options that decide the weights, without those that were not typed."""
    values = {name: getattr(arguments, name) for name in (*OPTIONS, "dataset")}
    return {name: value for name, value in values.items() if value is not None}


def _use_threads(threads: int | None, ranks: SingleProcess) -> None:
    try:
        set_threads(ranks.threads if threads is None else threads)
    except ValueError as error:
        raise RunError(f"--{error}") from error


def _train(run: Run, console: Console, arguments: Namespace) -> int:
    try:
        for line in introduction(run.trainer, run.folder.path):
            say(console, line)
        if signal := run.train(watch_for(console)):
            _say_how_to_resume(run)
            return 128 + signal
        say(console, kept(run.trainer.state))
        _report(run.finish(), arguments)
        return 0
    except (KeyboardInterrupt, SystemExit) as stop:  # while compiling, or in the test
        if isinstance(stop, KeyboardInterrupt) or stop.code == 128 + SIGTERM:
            _say_how_to_resume(run)  # otherwise another rank has failed, and has said why
        raise


def _say_how_to_resume(run: Run) -> None:
    where = "after the test" if run.folder.result.exists() else place(run.trainer)
    print(
        f"stopped {where}; everything is saved. To resume:\n"
        f"  python -m tinycnn.train --resume {typed(run.folder.path)}",
        file=sys.stderr,
    )


def _report(result: Result, arguments: Namespace) -> None:
    """Print the result, and the command to type next."""
    if arguments.json:
        print(to_json(asdict(result)))
        return
    command = ["python -m tinycnn.evaluate", typed(result.weights)]
    if arguments.resume is not None and arguments.data_dir:  # the data have moved
        command += ["--data-dir", typed(arguments.data_dir)]
    print(
        f"test   {result.sentence()}\n"
        f"time   {result.seconds:.1f} s, {result.images_per_second:,.0f} images/s in training, "
        f"at most {result.peak_memory_mb:,.0f} MB\n"
        f"files  {result.run_dir}\n"
        f"next   {' '.join(command)}"
    )
