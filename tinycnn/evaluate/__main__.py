"""The command to measuring: ``python -m tinycnn.evaluate WEIGHTS`` says how good a network is.

Only arguments and printing; the work is done in ``tinycnn.train``.
"""

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tinycnn.cli import Parser, run_command
from tinycnn.errors import DataError
from tinycnn.files import to_json

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for the compiler
    from pathlib import Path

    from tinycnn.console import Console
    from tinycnn.data import Dataset
    from tinycnn.evaluate.evaluation import Evaluation
    from tinycnn.evaluate.robustness import Curve
    from tinycnn.nn import Sequential

EXAMPLES = """\
examples:
  python -m tinycnn.evaluate last                          the newest training run
  python -m tinycnn.evaluate runs/RUN/weights.safetensors  one that is named
  python -m tinycnn.evaluate last --dataset mnist10k,mnist on several data sets
  python -m tinycnn.evaluate last --compare default        is it better than another?
  python -m tinycnn.evaluate last --robustness             what does it bear?
  python -m tinycnn.evaluate last --dataset mnist --json   on other digits, for machines

With several data sets, --data-dir stands in for those that would be downloaded; --json prints an
object a line.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, measure, report; returns the exit code."""
    arguments = _parser().parse_args(argv)

    from tinycnn.console import Console
    from tinycnn.nn import Sequential
    from tinycnn.train.compile_progress import compilation_shown
    from tinycnn.train.folder import find_weights

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    names = [arguments.weights, *([arguments.compare] if arguments.compare else [])]
    paths = [find_weights(name) for name in names]
    models = [Sequential.load(path) for path in paths]
    for number, dataset in enumerate(_datasets(arguments, paths[0], models[0])):
        with compilation_shown(console):
            evaluations, curves = _measure(models, dataset, arguments)
        _warn(console, arguments, evaluations)
        if arguments.json:
            print(to_json(_as_dict(arguments, evaluations, curves)))
        else:
            print("\n\n" * bool(number) + _text(names, evaluations, curves))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m tinycnn.evaluate",
        description="Measure a trained network on one data set or several.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("weights", metavar="WEIGHTS", help="a file, a run folder, last, default")
    parser.add_argument(
        "--dataset",
        metavar="NAME[,NAME...]",
        action="extend",
        type=lambda words: words.split(","),
        help="default: the one trained on; may be repeated",
    )
    parser.add_argument("--data-dir", metavar="DIR", help="a folder with the four IDX files")
    parser.add_argument(
        "--split", choices=("test", "validation", "train"), default="test", help="(test)"
    )
    parser.add_argument("--compare", metavar="WEIGHTS", help="a second network, same images")
    parser.add_argument(
        "--robustness", action="store_true", help="spoil images by shift, noise and the like"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a data set")
    return parser


def _datasets(
    arguments: argparse.Namespace, weights: "Path", model: "Sequential"
) -> Iterator["Dataset"]:
    """The named sets; else that of the run that trained the weights, or the one they name."""
    from tinycnn.data import load_dataset
    from tinycnn.data.catalogue import named_set
    from tinycnn.data.datasets import DEFAULT
    from tinycnn.evaluate.evaluation import training_set
    from tinycnn.train.resume import source_of

    if not (arguments.dataset or arguments.data_dir) and (source := source_of(weights)):
        yield source.load()
        return
    names = arguments.dataset or [training_set(model)]
    if names == [None] and arguments.data_dir is None:
        raise DataError(
            "these weights were trained on a set without a name; say --data-dir or --dataset"
        )
    sets = [named_set(name or DEFAULT) for name in names]  # a slip is found before any is read
    for each in sets:
        alone = len(sets) == 1 or not each.bundled
        yield load_dataset(each.name, arguments.data_dir if alone else None)


def _measure(
    models: list["Sequential"], dataset: "Dataset", arguments: argparse.Namespace
) -> tuple[list["Evaluation"], "list[Sequence[Curve]]"]:
    """Evaluations, and the curves if they are wanted, one for each model."""
    from tinycnn.evaluate.evaluation import evaluate, part_of
    from tinycnn.evaluate.robustness import robustness

    part = part_of(models[0], dataset, arguments.split)
    evaluations = [evaluate(model, dataset, arguments.split, part) for model in models]
    if not arguments.robustness:
        return evaluations, []
    return evaluations, [robustness(each.recognizer, *part) for each in evaluations]


def _warn(
    console: "Console", arguments: argparse.Namespace, evaluations: list["Evaluation"]
) -> None:
    """Say what flatters; of which network and which set, where there are several."""
    several = arguments.dataset is not None and len(arguments.dataset) > 1
    for name, each in zip((arguments.weights, arguments.compare), evaluations, strict=False):
        place = [name] * (len(evaluations) > 1) + [each.dataset] * several
        for warning in each.warnings:
            console.print(": ".join(["warning", *place, warning]), markup=False)


def _as_dict(
    arguments: argparse.Namespace,
    evaluations: list["Evaluation"],
    curves: "list[Sequence[Curve]]",
) -> dict[str, Any]:
    from tinycnn.evaluate.evaluation import Duel

    objects = [each.as_dict() for each in evaluations]
    for each, its_curves in zip(objects, curves, strict=False):
        each["robustness"] = [curve.as_dict() for curve in its_curves]
    first, *others = objects
    if others:
        first["weights"], others[0]["weights"] = arguments.weights, arguments.compare
        first["compared_with"] = others[0]
        first["mcnemar"] = Duel.of(*evaluations).as_dict()
    return first


def _text(
    names: list[str], evaluations: list["Evaluation"], curves: "list[Sequence[Curve]]"
) -> str:
    from tinycnn.evaluate.tables import duel_text, evaluation_text, robustness_text

    parts = [evaluation_text(evaluations[0])]
    if len(evaluations) > 1:
        parts.append(duel_text(names, evaluations))
    for name, its_curves in zip(names, curves, strict=False):
        heading = f"{name}: " if len(names) > 1 else ""
        parts.append(heading + robustness_text(its_curves))
    return "\n\n".join(parts)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
