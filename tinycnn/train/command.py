"""Start or resume the run that the arguments describe, and print the result."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import Any

from tinycnn.console import log_console
from tinycnn.data import load_dataset
from tinycnn.data.datasets import DEFAULT
from tinycnn.data.provenance import sample_in
from tinycnn.files import to_json
from tinycnn.metrics import Score
from tinycnn.nn import Sequential, set_threads
from tinycnn.nn.classifier import names_of
from tinycnn.nn.presets import name_of
from tinycnn.nn.text import network_text
from tinycnn.signals import Terminated
from tinycnn.train import resume
from tinycnn.train.callbacks import LOGS, Callback, Callbacks, Events
from tinycnn.train.checkpoint import Checkpoint, decode, encode
from tinycnn.train.folder import RunFolder, find_run, find_weights, new_name, typed
from tinycnn.train.parts import errors_in
from tinycnn.train.progress import Progress, introduction, place, say
from tinycnn.train.ranks import SingleProcess
from tinycnn.train.recipe import OPTIONS, Recipe
from tinycnn.train.run import Result, Run


def begin(arguments: Namespace, ranks: SingleProcess) -> Run:
    """Return the new or resumed run; ranks other than the leader get it from the leader."""
    message = b""
    with ranks.all_or_none():
        set_threads(ranks.threads if arguments.threads is None else arguments.threads)
        if ranks.is_leader:
            run = (_start if arguments.resume is None else _resume)(arguments, ranks)
            trainer = run.trainer
            message = encode(Checkpoint(trainer.arrays(), trainer.state, run.origin))
    message = ranks.broadcast(message)
    with ranks.all_or_none():
        if not ranks.is_leader:
            begun = decode(message, "rank 0")
            trainer = resume.trainer_of(begun, "rank 0", arguments.data_dir, ranks)
            run = Run(RunFolder(os.devnull), trainer, begun.origin, arguments.checkpoint_every)
    return run


def _start(arguments: Namespace, ranks: SingleProcess) -> Run:
    """Return a new run, in the folder that is given or in one that is named after the run."""
    given = _given(arguments)
    name = given.pop("dataset", DEFAULT)
    Recipe.for_data(0, **given)  # finds bad values before data are fetched
    base = None
    if (weights := arguments.weights) is not None:
        model = Sequential.load(find_weights(weights))
        base = model, resume.Base(weights, names_of(model), sample_in(model.description))
        given["preset"] = name_of(model)
    dataset = load_dataset(name, arguments.data_dir)
    if arguments.network and arguments.network.network:
        given["preset"] = network_text(arguments.network.layers(len(dataset.class_names)))
    recipe = Recipe.for_data(len(dataset.train_images[: arguments.limit]), **given)
    path = arguments.run_dir
    if path is None:
        path = new_name(dataset.name, recipe.preset, recipe.seed)
    source = resume.Source.of(dataset, name, arguments.data_dir)
    return resume.start(recipe, dataset, source, path, arguments.checkpoint_every, ranks, base)


def _resume(arguments: Namespace, ranks: SingleProcess) -> Run:
    path, given = find_run(arguments.resume), _given(arguments)
    every = arguments.checkpoint_every
    run, warnings = resume.resume(path, given, arguments.data_dir, every, ranks)
    for warning in warnings:
        say(log_console(arguments.quiet), f"warning: {warning}")
    return run


def callbacks(run: Run, arguments: Namespace) -> Callback:
    """Return what follows the training: the screen, a program, and logs of others."""
    console = log_console(arguments.quiet)
    for line in introduction(run.trainer, run.folder.path):
        say(console, line)
    events = [Events()] if arguments.json == "events" else []
    logs = [LOGS[name](run.trainer, run.folder.path) for name in arguments.log]
    return Callbacks([Progress(console), *events, *logs])


@contextmanager
def resumable(run: Run, arguments: Namespace) -> Iterator[None]:
    """Say how to resume if a signal stops the ``with`` block, and whose code has failed."""
    own = errors_in(arguments.network.path) if arguments.network else nullcontext()
    try:
        with own:
            yield
    except (KeyboardInterrupt, Terminated):
        say_how_to_resume(run, arguments)
        raise


def say_how_to_resume(run: Run, arguments: Namespace) -> None:
    """Print where the run has stopped, and the command that resumes it."""
    where = "after the test" if run.folder.result.exists() else place(run.trainer)
    print(
        f"stopped {where}; everything is saved. To resume:\n"
        f"  python -m tinycnn.train --resume {typed(run.folder.path)}{_own_file(arguments)}",
        file=sys.stderr,
    )


def _given(arguments: Namespace) -> dict[str, Any]:
    """Return the options that decide the weights, without those that were not typed."""
    values = {name: getattr(arguments, name) for name in (*OPTIONS, "dataset")}
    return {name: value for name, value in values.items() if value is not None}


def report(result: Result, arguments: Namespace) -> None:
    """Print the result, and the command to type next."""
    if arguments.json:
        event = {"event": "result"} if arguments.json == "events" else {}
        print(to_json({**event, **asdict(result)}))
        return
    command = ["python -m tinycnn.evaluate", typed(result.weights)]
    if arguments.resume is not None and arguments.data_dir:  # the data have moved
        command += ["--data-dir", typed(arguments.data_dir)]
    print(
        f"test   {Score(result.n, result.errors).sentence()}\n"
        f"time   {result.seconds:.1f} s, {result.images_per_second:,.0f} images/s in training, "
        f"at most {result.peak_memory_mb:,.0f} MB\n"
        f"files  {result.run_dir}\n"
        f"next   {' '.join(command)}{_own_file(arguments)}"
    )


def _own_file(arguments: Namespace) -> str:
    """Return the option that a command needs to know layers of the user's own."""
    return f" --network {typed(arguments.network.source)}" if arguments.network else ""
