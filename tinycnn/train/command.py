"""Start or resume the run that the arguments describe, and print the result."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from signal import SIGTERM
from typing import Any

from tinycnn.console import log_console
from tinycnn.data import load_dataset
from tinycnn.data.datasets import DEFAULT
from tinycnn.data.provenance import sample_in
from tinycnn.files import to_json
from tinycnn.nn import Sequential
from tinycnn.nn.classifier import names_of
from tinycnn.nn.presets import name_of
from tinycnn.nn.text import network_text
from tinycnn.train import resume
from tinycnn.train.callbacks import LOGS, Callback, Callbacks, Events
from tinycnn.train.folder import RunFolder, find_run, find_weights, typed
from tinycnn.train.followers import announce
from tinycnn.train.progress import Progress, introduction, kept, place, say
from tinycnn.train.ranks import SingleProcess
from tinycnn.train.recipe import OPTIONS, Recipe
from tinycnn.train.run import Result, Run, use_threads


def lead(arguments: Namespace, ranks: SingleProcess) -> int:
    """Train as the only process, or as the leader of several ranks; return the exit code."""
    console = log_console(arguments.quiet)
    with ExitStack() as lock:
        with ranks.all_or_none():
            use_threads(ranks.threads if arguments.threads is None else arguments.threads)
            begin = _start if arguments.resume is None else _resume
            run = begin(arguments, ranks, lock)
            callback = Callbacks(_callbacks(run, arguments) if run else ())
        announce(run, ranks)
        if run is None:
            return 0
        try:
            for line in introduction(run.trainer, run.folder.path):
                say(console, line)
            if signal := run.train(callback):
                _say_how_to_resume(run, arguments)
                return 128 + signal
            say(console, kept(run.trainer.state))
            _report(run.finish(), arguments)
        except (KeyboardInterrupt, SystemExit) as stop:  # while compiling, or in the test
            if isinstance(stop, KeyboardInterrupt) or stop.code == 128 + SIGTERM:
                _say_how_to_resume(run, arguments)  # else another rank has failed, and said why
            raise
    return 0


def _start(arguments: Namespace, ranks: SingleProcess, lock: ExitStack) -> Run:
    """Return a new run, in the folder that is given or in one that is named after the run."""
    folder = None
    if arguments.run_dir is not None:  # first: if another process uses it, nothing is fetched
        folder = lock.enter_context(RunFolder.create(arguments.run_dir))
    given = _given(arguments)
    name = given.pop("dataset", DEFAULT)
    Recipe.check(**given)  # finds bad values before data are fetched
    base = _base(arguments.weights) if arguments.weights is not None else None
    dataset = load_dataset(name, arguments.data_dir)
    if base:
        given["preset"] = name_of(base[0])
    elif arguments.network and arguments.network.network:
        given["preset"] = network_text(arguments.network.layers(len(dataset.class_names)))
    recipe = Recipe.for_data(len(dataset.train_images[: arguments.limit]), **given)
    if folder is None:
        folder = RunFolder.create_named(dataset.name, recipe.preset, recipe.seed)
        lock.enter_context(folder)
    source = resume.Source.of(dataset, name, arguments.data_dir)
    run = resume.start(recipe, dataset, source, folder, arguments.checkpoint_every, ranks, base)
    run.save_first()  # now, so that a run stopped while kernels are compiled can be resumed
    return run


def _base(weights: str) -> tuple[Sequential, resume.Base]:
    """Return the network to fine-tune, and where it comes from."""
    model = Sequential.load(find_weights(weights))
    return model, resume.Base(weights, names_of(model), sample_in(model.description))


def _callbacks(run: Run, arguments: Namespace) -> Iterator[Callback]:
    """Yield what follows the training: the screen, a program, and logs of others."""
    yield Progress(log_console(arguments.quiet))
    if arguments.json == "events":
        yield Events()
    for name in arguments.log:
        yield LOGS[name](run.trainer, run.folder.path)


def _resume(arguments: Namespace, ranks: SingleProcess, lock: ExitStack) -> Run | None:
    """Return the run to resume; if it is finished already, print its result and return None."""
    path, given = find_run(arguments.resume), _given(arguments)
    if result := resume.finished(path, given):
        print(f"{path} is finished: nothing to do", file=sys.stderr)
        _report(result, arguments)
        return None
    folder = lock.enter_context(RunFolder.reopen(path))
    run, warnings = resume.resume(
        folder, given, arguments.data_dir, arguments.checkpoint_every, ranks
    )
    for warning in warnings:
        say(log_console(arguments.quiet), f"warning: {warning}")
    return run


def _given(arguments: Namespace) -> dict[str, Any]:
    """Return the options that decide the weights, without those that were not typed."""
    values = {name: getattr(arguments, name) for name in (*OPTIONS, "dataset")}
    return {name: value for name, value in values.items() if value is not None}


def _say_how_to_resume(run: Run, arguments: Namespace) -> None:
    where = "after the test" if run.folder.result.exists() else place(run.trainer)
    print(
        f"stopped {where}; everything is saved. To resume:\n"
        f"  python -m tinycnn.train --resume {typed(run.folder.path)}{_own_file(arguments)}",
        file=sys.stderr,
    )


def _report(result: Result, arguments: Namespace) -> None:
    """Print the result, and the command to type next."""
    if arguments.json:
        event = {"event": "result"} if arguments.json == "events" else {}
        print(to_json({**event, **asdict(result)}))
        return
    command = ["python -m tinycnn.evaluate", typed(result.weights)]
    if arguments.resume is not None and arguments.data_dir:  # the data have moved
        command += ["--data-dir", typed(arguments.data_dir)]
    print(
        f"test   {result.sentence()}\n"
        f"time   {result.seconds:.1f} s, {result.images_per_second:,.0f} images/s in training, "
        f"at most {result.peak_memory_mb:,.0f} MB\n"
        f"files  {result.run_dir}\n"
        f"next   {' '.join(command)}{_own_file(arguments)}"
    )


def _own_file(arguments: Namespace) -> str:
    """Return the option that a command needs to know layers of the user's own."""
    return f" --network {typed(arguments.network.source)}" if arguments.network else ""
