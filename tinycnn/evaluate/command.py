"""Measure the networks that the arguments name, and print the result."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinycnn.console import log_console
from tinycnn.data import Dataset, load_dataset
from tinycnn.data.catalogue import named_set
from tinycnn.evaluate.evaluation import Evaluation, data_of, evaluate, part_of
from tinycnn.evaluate.tables import comparison_text, evaluation_text
from tinycnn.files import to_json
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
