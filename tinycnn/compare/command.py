"""Train and measure the classifiers that the arguments name, and print the table."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from tinycnn.compare.baselines import BASELINES, SklearnBaseline, Task
from tinycnn.compare.measurement import Measurement, measure_baseline
from tinycnn.console import log_console
from tinycnn.data import load_dataset
from tinycnn.data.datasets import DEFAULT
from tinycnn.errors import TinyCNNError, need
from tinycnn.files import to_json
from tinycnn.metrics import text_table
from tinycnn.signals import StopSignals
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.recipe import Recipe


def run(arguments: Namespace) -> int:
    """Measure one classifier after the other; if stopped, print the results so far."""
    names = _names(arguments)
    with StopSignals():  # SIGTERM too prints the results so far
        Recipe.check(limit=arguments.limit, seed=arguments.seed)
        dataset = load_dataset(arguments.dataset or DEFAULT, arguments.data_dir)
        task = Task(dataset, arguments.seed, arguments.limit)
        console = log_console()
        results: list[Measurement] = []
        try:
            for number, name in enumerate(names, 1):
                console.print(f"{number}/{len(names)}  {BASELINES[name].title} ...", markup=False)
                with compilation_shown(console):
                    results.append(measure_baseline(name, task))
        finally:
            if results and arguments.json:
                print(to_json(_as_dict(results, task)))
            elif results:
                print(results_table(results, task), "", *captions(results, task), sep="\n")
    return 0


def _names(arguments: Namespace) -> list[str]:
    """Return the classifiers to train; every error that can be found before training is raised."""
    names = arguments.only.split(",") if arguments.only else list(BASELINES)
    if unknown := [name for name in names if name not in BASELINES]:
        raise TinyCNNError(
            f"`only`: there is no classifier {unknown[0]!r}; choose from {', '.join(BASELINES)}"
        )
    names = [name for name in BASELINES if name in names]
    if any(isinstance(BASELINES[name], SklearnBaseline) for name in names):
        need("sklearn", "compare", "a classifier of scikit-learn (not dense, lenet, tiny)")
    return names


def _as_dict(results: Sequence[Measurement], task: Task) -> dict[str, object]:
    return {
        "dataset": task.dataset.name,
        "n_training": len(task.training[0]),
        "seed": task.seed,
        "classifiers": [result.as_dict() for result in results],
    }


def results_table(results: Sequence[Measurement], task: Task) -> str:
    """A row for each classifier."""
    head = ["classifier", f"{task.dataset.name} %", "95 % interval", "errors"]
    head += ["training", "one digit", "in batches", "size"]
    rows = []
    for result in results:
        low, high = result.test.interval
        accuracy, interval = 100 * result.test.accuracy, f"{100 * low:.2f}-{100 * high:.2f}"
        row = [result.title, f"{accuracy:.2f}", interval, f"{result.test.errors:,}"]
        times = (f"{z:,.1f} µs" for z in (result.one_digit_us, result.batch_digit_us))
        size = f"{result.bytes / 1000:,.0f} kB"
        rows.append([*row, f"{result.training_seconds:,.1f} s", *times, size])
    return text_table(head, rows)


def captions(results: Sequence[Measurement], task: Task) -> Iterator[str]:
    """The digits, the columns, and the settings of each classifier."""
    training, test = (f"{len(labels):,}" for _, labels in (task.training, task.test))
    yield f"{task.dataset.name}: {training} digits to train on, {test} to test on"
    yield "times: of training, and of reading a digit that comes alone or with all others;"
    yield "size: of the arrays of a network or the pickle of an estimator"
    yield text_table(("", ""), [(z.title, z.settings) for z in results], left=(0, 1)).lstrip("\n")
