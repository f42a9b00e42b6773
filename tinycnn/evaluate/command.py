"""Measure the networks that the arguments name, and print a sentence first, then tables."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tinycnn.console import log_console
from tinycnn.data import Dataset, load_dataset
from tinycnn.data.catalogue import named_set
from tinycnn.evaluate.evaluation import Evaluation, data_of, evaluate, part_of
from tinycnn.files import to_json
from tinycnn.metrics import interval_text, percent, text_table
from tinycnn.nn import Sequential
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.folder import find_weights


def run(arguments: Namespace) -> int:
    """Measure on one data set after the other, and print each result at once."""
    console = log_console()
    names = [arguments.weights, *([arguments.compare] if arguments.compare else [])]
    paths = [find_weights(name) for name in names]
    models = [Sequential.load(path) for path in paths]
    for number, dataset in enumerate(_datasets(arguments, paths[0], models[0])):
        with compilation_shown(console):
            part = part_of(models[0], dataset, arguments.split)
            evaluations = [evaluate(model, dataset, arguments.split, part) for model in models]
        for name, each in zip(names, evaluations, strict=True):
            for warning in each.warnings:
                console.print(f"warning: {name}: {each.dataset}: {warning}", markup=False)
        if arguments.json:
            print(to_json(_as_dict(names, evaluations)))
        else:
            print("\n\n" * bool(number) + evaluation_text(evaluations[0]))
            if arguments.compare:
                print("\n" + comparison_text(names, evaluations))
    return 0


def _datasets(arguments: Namespace, weights: Path, model: Sequential) -> Iterator[Dataset]:
    """Yield the named sets, or else the one that the network was trained on."""
    if not arguments.dataset:
        yield data_of(model, weights, None, arguments.data_dir)
        return
    sets = [named_set(name) for name in arguments.dataset]  # find typing errors before reading
    for each in sets:
        alone = len(sets) == 1 or not each.bundled
        yield load_dataset(each.name, arguments.data_dir if alone else None)


def _as_dict(names: list[str], evaluations: list[Evaluation]) -> dict[str, Any]:
    first, *others = [each.as_dict() for each in evaluations]
    if others:
        first["weights"], others[0]["weights"] = names
        first["compared_with"] = others[0]
        first["mcnemar"] = evaluations[0].compare(evaluations[1]).as_dict()
    return first


def evaluation_text(evaluation: Evaluation) -> str:
    """Accuracy, classes, confusions, and how far confidence can be trusted."""
    return (
        f"{evaluation.dataset}, {evaluation.split} part: {evaluation.score.sentence()}\n"
        f"mean loss {evaluation.loss:.4f}, "
        f"calibration error {percent(evaluation.calibration_error)}, "
        f"temperature {evaluation.recognizer.temperature:g}\n\n"
        f"{_classes(evaluation)}\n\n"
        f"rows: true class; columns: answer\n{_confusion(evaluation)}"
    )


def comparison_text(names: Sequence[str], evaluations: Sequence[Evaluation]) -> str:
    """Two networks on the same images, and whether chance explains the difference."""
    first, second = evaluations
    comparison = first.compare(second)
    rows = []
    for name, score in zip(names, (first.score, second.score), strict=True):
        accuracy, interval = percent(score.accuracy), interval_text(score.interval)
        rows.append((name, accuracy, interval, f"{score.errors:,}"))
    return (
        f"on the same {comparison.n:,} images\n"
        f"{text_table(('', 'right', '95 % interval', 'errors'), rows)}\n"
        f"only the first is right {comparison.only_first:,} times, only the second "
        f"{comparison.only_second:,} times; both are wrong {comparison.neither:,} times\n"
        f"{comparison.sentence()}"
    )


def _classes(evaluation: Evaluation) -> str:
    head = ("class", "images", "errors", "recall", "95 % interval", "precision")
    rows = []
    for name, each in evaluation.per_class.items():
        if each["n"]:
            counts = f"{each['n']:,}", f"{each['errors']:,}"
            recall, precision = percent(each["recall"]), percent(each["precision"])
            rows.append((name, *counts, recall, interval_text(each["interval95"]), precision))
    return text_table(head, rows)


def _confusion(evaluation: Evaluation) -> str:
    """Columns are headed by class numbers; rows also by names, where classes have any."""
    K = len(evaluation.confusion)
    names = [str(k) for k in range(K)]
    for k, name in enumerate(evaluation.class_names):
        names[k] = name if name == str(k) else f"{k} {name}"
    rows = [
        (name, *(f"{count:,}" if count else "." for count in counts))
        for name, counts in zip(names, evaluation.confusion, strict=True)
        if counts.any()
    ]
    return text_table(("", *map(str, range(K))), rows)
