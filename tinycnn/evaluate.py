"""The door to measuring: ``python -m tinycnn.evaluate WEIGHTS`` says how good a network is.

Only arguments and printing; the work is done in ``tinycnn.runs``.
"""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinycnn.cli import Parser, run_door
from tinycnn.errors import DataError

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for the compiler
    from tinycnn.data import Dataset
    from tinycnn.nn import Sequential
    from tinycnn.runs.evaluation import Evaluation

EXAMPLES = """\
examples:
  python -m tinycnn.evaluate last                          the newest training run
  python -m tinycnn.evaluate runs/RUN/weights.safetensors  one that is named
  python -m tinycnn.evaluate last --dataset mnist --json   on other digits, for machines
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, measure, report; returns the exit code."""
    arguments = _parser().parse_args(argv)

    from rich.console import Console

    from tinycnn.nn import Sequential
    from tinycnn.runs.compiling import compilation_shown
    from tinycnn.runs.evaluation import evaluate
    from tinycnn.runs.folder import find_weights

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    model = Sequential.load(find_weights(arguments.weights))
    dataset = _dataset(arguments, model)
    with compilation_shown(console):
        evaluation = evaluate(model, dataset, arguments.split)
    for warning in evaluation.warnings:
        console.print(f"warning: {warning}", markup=False)
    if arguments.json:
        print(json.dumps(evaluation.as_dict()))
    else:
        print(_table(evaluation))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m tinycnn.evaluate",
        description="Measure a trained network on a data set.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("weights", metavar="WEIGHTS", help="a file, a run folder, last, default")
    parser.add_argument("--dataset", metavar="NAME", help="default: the one trained on")
    parser.add_argument("--data-dir", metavar="DIR", help="a folder with the four IDX files")
    parser.add_argument(
        "--split", choices=("test", "validation", "train"), default="test", help="(test)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _dataset(arguments: argparse.Namespace, model: "Sequential") -> "Dataset":
    from tinycnn.data import load_dataset
    from tinycnn.data.datasets import DEFAULT
    from tinycnn.runs.evaluation import training_set

    name = arguments.dataset or training_set(model)
    if name is None and arguments.data_dir is None:
        raise DataError("these weights were trained on a set without a name; say --data-dir")
    return load_dataset(name or DEFAULT, arguments.data_dir)


def _table(evaluation: "Evaluation") -> str:
    from tinycnn.runs.measure import accuracy_sentence

    score = evaluation.score
    width = max(len("class"), *(len(name) for name, _, _ in evaluation.classes))
    rows = [
        f"{name:<{width}}  {100 * (1 - errors / n):9.2f} %  {errors:6,}  {n:6,}"
        for name, n, errors in evaluation.classes
        if n
    ]
    return "\n".join(
        [
            f"{evaluation.dataset}, {evaluation.split} part: "
            f"{accuracy_sentence(score.n, score.errors)}",
            f"mean loss {score.loss:.4f}, "
            f"calibration error {100 * evaluation.calibration_error:.2f} %",
            "",
            f"{'class':<{width}}  {'right':>11}  errors  images",
            *rows,
        ]
    )


if __name__ == "__main__":
    raise SystemExit(run_door(main))
