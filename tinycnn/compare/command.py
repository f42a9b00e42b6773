"""Train and measure the classifiers that the arguments name, and print the table."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tinycnn.compare.baselines import BASELINES, SklearnBaseline
from tinycnn.compare.measuring import Measurement, measure_baseline
from tinycnn.compare.results import captions, draw_chart, results_table
from tinycnn.compare.task import Task, load_drawings
from tinycnn.console import Console, log_console
from tinycnn.data import load_dataset
from tinycnn.data.catalogue import DIGITS
from tinycnn.data.datasets import DEFAULT
from tinycnn.errors import DataError, TinyCNNError, need
from tinycnn.files import refuse_to_overwrite, to_json
from tinycnn.plots import optional_chart
from tinycnn.signals import StopSignals
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.recipe import Recipe


def run(arguments: Namespace) -> int:
    """Measure one classifier after the other; if stopped, print the results so far."""
    names = _names(arguments)
    with StopSignals():  # SIGTERM too prints the results so far
        task, left_out = _task(arguments)
        console = log_console()
        results: list[Measurement] = []
        try:
            for number, name in enumerate(names, 1):
                with _shown(console, f"{number}/{len(names)}  {BASELINES[name].title}"):
                    results.append(measure_baseline(name, task))
        finally:
            if results:
                _report(results, task, arguments)
    return 1 if left_out else 0


def _names(arguments: Namespace) -> list[str]:
    """Return the classifiers to train; every error that can be found before training is raised."""
    names = arguments.only.split(",") if arguments.only else list(BASELINES)
    if unknown := [name for name in names if name not in BASELINES]:
        raise TinyCNNError(
            f"`only`: there is no classifier {unknown[0]!r}; choose from {', '.join(BASELINES)}"
        )
    chart = arguments.chart
    if chart and chart.suffix.lower() != ".svg":
        raise TinyCNNError(f"`chart` {chart} does not end in .svg")
    if chart and not chart.absolute().parent.is_dir():
        raise TinyCNNError(f"`chart` {chart}: there is no folder {chart.absolute().parent}")
    names = [name for name in BASELINES if name in names]
    if any(isinstance(BASELINES[name], SklearnBaseline) for name in names):
        need("sklearn", "compare", "a classifier of scikit-learn (not dense, lenet, tiny, best)")
    return names


def _task(arguments: Namespace) -> tuple[Task, int]:
    """Return the task, and how many lines of the stroke file are left out of it."""
    dataset = load_dataset(arguments.dataset or DEFAULT, arguments.data_dir)
    Recipe.check(limit=arguments.limit, seed=arguments.seed)
    refuse_to_overwrite([arguments.chart], [arguments.drawings, *dataset.sources])
    drawings, left_out = None, 0
    if arguments.drawings:
        if (dataset.class_names, dataset.image_size) != (DIGITS, (28, 28)):
            raise DataError(f"`drawings` are digits of 28 x 28 pixels; {dataset.name} holds others")
        drawings, left_out = load_drawings(arguments.drawings)
    if left_out:
        print(f"{arguments.drawings}: {left_out:,} lines hold no labeled digit", file=sys.stderr)
    task = Task(dataset, arguments.seed, arguments.limit, arguments.all_epochs, drawings)
    return task, left_out


@contextmanager
def _shown(console: Console, text: str) -> Iterator[None]:
    """Show which classifier is trained: a spinner on a terminal, a line elsewhere."""
    if console.is_terminal:
        with console.status(text):
            yield
    else:
        console.print(f"{text} ...", markup=False)
        with compilation_shown(console):
            yield


def _report(results: Sequence[Measurement], task: Task, arguments: Namespace) -> None:
    if arguments.json:
        content = {
            "dataset": task.dataset.name,
            "n_training": len(task.training[0]),
            "seed": task.seed,
            "processors": os.cpu_count(),
            "classifiers": [result.as_dict() for result in results],
        }
        print(to_json(content))
    else:
        print(results_table(results, task), "", *captions(results, task), sep="\n")
    if arguments.chart:
        optional_chart(arguments.chart, lambda: draw_chart(results, task.dataset.name))
