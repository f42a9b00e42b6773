"""Train and measure the classifiers that the arguments name, and print the table."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tinycnn.compare.baselines import BASELINES, SklearnBaseline
from tinycnn.compare.measurement import Measurement, measure_baseline
from tinycnn.console import log_console
from tinycnn.data import Dataset, load_dataset
from tinycnn.data.datasets import DEFAULT
from tinycnn.errors import choose, need
from tinycnn.files import to_json
from tinycnn.metrics import text_table
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.recipe import Recipe


def run(arguments: Namespace) -> int:
    """Measure one classifier after the other; if stopped, print the results so far."""
    names = _names(arguments)
    Recipe.check(limit=arguments.limit, seed=arguments.seed)
    dataset = load_dataset(arguments.dataset or DEFAULT, arguments.data_dir)
    images, labels = (z[: arguments.limit] for z in dataset.part("train"))
    dataset = replace(dataset, train_images=images, train_labels=labels)
    console = log_console()
    results: list[Measurement] = []
    try:
        for number, name in enumerate(names, 1):
            console.print(f"{number}/{len(names)}  {BASELINES[name].title} ...", markup=False)
            with compilation_shown(console):
                results.append(measure_baseline(name, dataset, arguments.seed))
    finally:  # where Ctrl-C or SIGTERM stops it too
        if results and arguments.json:
            record = {"dataset": dataset.name, "n_training": len(labels)}
            record |= {"seed": arguments.seed, "classifiers": [z.as_dict() for z in results]}
            print(to_json(record))
        elif results:
            print(results_table(results, dataset), "", *captions(results, dataset), sep="\n")
    return 0


def _names(arguments: Namespace) -> list[str]:
    """Return the classifiers to train; every error that can be found before training is raised."""
    given = arguments.only.split(",") if arguments.only else list(BASELINES)
    for name in given:
        choose("only", name, BASELINES)
    names = [name for name in BASELINES if name in given]
    if any(isinstance(BASELINES[name], SklearnBaseline) for name in names):
        need("sklearn", "compare", "a classifier of scikit-learn (not dense, lenet, tiny)")
    return names


def results_table(results: Sequence[Measurement], dataset: Dataset) -> str:
    """A row for each classifier."""
    head = ["classifier", f"{dataset.name} %", "95 % interval", "errors"]
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


def captions(results: Sequence[Measurement], dataset: Dataset) -> Iterator[str]:
    """The digits, the columns, and the settings of each classifier."""
    training, test = (f"{len(z):,}" for z in (dataset.train_labels, dataset.test_labels))
    yield f"{dataset.name}: {training} digits to train on, {test} to test on"
    yield "times: of training, and of reading a digit that comes alone or with all others;"
    yield "size: of the arrays of a network or the pickle of an estimator"
    yield text_table(("", ""), [(z.title, z.settings) for z in results], left=(0, 1)).lstrip("\n")
