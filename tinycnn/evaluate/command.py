"""Measure the networks that the arguments name, and print the result."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tinycnn.console import Console, log_console
from tinycnn.data import Dataset, load_dataset
from tinycnn.data.catalogue import named_set
from tinycnn.data.datasets import DEFAULT
from tinycnn.errors import DataError
from tinycnn.evaluate.evaluation import Evaluation, evaluate, part_of, training_set
from tinycnn.evaluate.robustness import Curve, robustness
from tinycnn.evaluate.tables import comparison_text, evaluation_text, robustness_text
from tinycnn.files import to_json
from tinycnn.nn import Sequential
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.folder import find_weights
from tinycnn.train.resume import source_of


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
            curves = [robustness(e.recognizer, *part) for e in evaluations if arguments.robustness]
        _warn(console, arguments, evaluations)
        if arguments.json:
            print(to_json(_as_dict(names, evaluations, curves)))
        else:
            print("\n\n" * bool(number) + _text(names, evaluations, curves))
    return 0


def _datasets(arguments: Namespace, weights: Path, model: Sequential) -> Iterator[Dataset]:
    """Yield the named sets, or else the one that the network was trained on."""
    if not (arguments.dataset or arguments.data_dir) and (source := source_of(weights)):
        yield source.load()
        return
    names = arguments.dataset or [training_set(model)]
    if names == [None] and arguments.data_dir is None:
        raise DataError(
            "these weights do not name the data they were trained on; say `data_dir` or `dataset`"
        )
    sets = [named_set(name or DEFAULT) for name in names]  # find typing errors before reading
    for each in sets:
        alone = len(sets) == 1 or not each.bundled
        yield load_dataset(each.name, arguments.data_dir if alone else None)


def _warn(console: Console, arguments: Namespace, evaluations: list[Evaluation]) -> None:
    """Print the warnings, with the network and the set where there are several."""
    several = arguments.dataset is not None and len(arguments.dataset) > 1
    for name, each in zip((arguments.weights, arguments.compare), evaluations, strict=False):
        place = [name] * (len(evaluations) > 1) + [each.dataset] * several
        for warning in each.warnings:
            console.print(": ".join(["warning", *place, warning]), markup=False)


def _as_dict(
    names: list[str], evaluations: list[Evaluation], curves: Sequence[Sequence[Curve]]
) -> dict[str, Any]:
    objects = [each.as_dict() for each in evaluations]
    for each, its_curves in zip(objects, curves, strict=False):
        each["robustness"] = [curve.as_dict() for curve in its_curves]
    first, *others = objects
    if others:
        first["weights"], others[0]["weights"] = names
        first["compared_with"] = others[0]
        first["mcnemar"] = evaluations[0].compare(evaluations[1]).as_dict()
    return first


def _text(
    names: list[str], evaluations: list[Evaluation], curves: Sequence[Sequence[Curve]]
) -> str:
    parts = [evaluation_text(evaluations[0])]
    if len(evaluations) > 1:
        parts.append(comparison_text(names, evaluations))
    for name, its_curves in zip(names, curves, strict=False):
        heading = f"{name}: " if len(names) > 1 else ""
        parts.append(heading + robustness_text(its_curves))
    return "\n\n".join(parts)
