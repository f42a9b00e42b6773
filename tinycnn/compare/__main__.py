"""The command to other classifiers: ``python -m tinycnn.compare`` sets them beside the network.

Only arguments and printing; the work is done in ``tinycnn.compare``.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.cli import Parser, run_command
from tinycnn.errors import DataError, TinyCNNError
from tinycnn.files import optional_chart, refuse_to_overwrite, to_json
from tinycnn.signals import StopSignals

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for the compiler
    from tinycnn.compare import Result, Task
    from tinycnn.console import Console

EXAMPLES = """\
classifiers:
  centroid, neighbors, softmax, svm, forest, boosting, dense, lenet, tiny, best

examples:
  python -m tinycnn.compare                                the bundled digits, all classifiers
  python -m tinycnn.compare --only svm,lenet --limit 1000  some, and fewer digits to learn from
  python -m tinycnn.compare --drawings digits.jsonl        read what people drew, too
  python -m tinycnn.compare --dataset mnist --data-dir DIR --chart compare.svg
"""

WIDTH = 160
"""Characters of a line where no terminal says how many fit."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, train, measure, report; returns the exit code."""
    arguments = _parser().parse_args(argv)
    names = _names(arguments)
    with StopSignals():  # SIGTERM too prints what there is
        task, left_out = _task(arguments)
        results: list[Result] = []
        try:
            _compete(names, task, results)
        finally:
            _report(results, task, arguments)
    return 1 if left_out else 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m tinycnn.compare",
        description="Train classifiers on the same digits: accuracy, time and size of each.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dataset", metavar="NAME", help="mnist10k (default) or another named set")
    parser.add_argument("--data-dir", metavar="DIR", help="a folder with the four IDX files")
    parser.add_argument("--drawings", metavar="FILE", help="a stroke file of digits, plain or .gz")
    parser.add_argument("--only", metavar="NAMES", help="some classifiers, as in svm,lenet")
    parser.add_argument("--limit", metavar="N", type=int, help="only the first N training images")
    parser.add_argument("--all-epochs", action="store_true", help="the whole recipes (slow)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="(0)")
    parser.add_argument("--chart", metavar="OUT.svg", type=Path, help="draw the results")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _names(arguments: argparse.Namespace) -> list[str]:
    """Who takes part; all that can be refused before anything is trained is refused here."""
    from tinycnn.compare.baselines import CLASSICS, require_sklearn
    from tinycnn.compare.measuring import BASELINES

    names = arguments.only.split(",") if arguments.only else list(BASELINES)
    if unknown := [name for name in names if name not in BASELINES]:
        raise TinyCNNError(
            f"--only: there is no classifier {unknown[0]!r}; choose from {', '.join(BASELINES)}"
        )
    if arguments.chart:
        _check_chart(arguments.chart)
    if CLASSICS.keys() & set(names):
        require_sklearn()
    return [name for name in BASELINES if name in names]


def _check_chart(path: Path) -> None:
    if path.suffix.lower() != ".svg":
        raise TinyCNNError(f"--chart {path} does not end in .svg")
    if not path.absolute().parent.is_dir():
        raise TinyCNNError(f"--chart {path}: there is no folder {path.absolute().parent}")


def _task(arguments: argparse.Namespace) -> tuple["Task", int]:
    """What all are given, and how many lines of the stroke file are not part of it."""
    from tinycnn.compare import Task, load_drawings
    from tinycnn.data import load_dataset
    from tinycnn.data.catalogue import DIGITS
    from tinycnn.data.datasets import DEFAULT
    from tinycnn.train.recipe import resolve

    dataset = load_dataset(arguments.dataset or DEFAULT, arguments.data_dir)
    resolve(len(dataset.train_images), limit=arguments.limit, seed=arguments.seed)  # or refuse
    refuse_to_overwrite([arguments.chart], [arguments.drawings, *dataset.sources])
    drawings, left_out = None, 0
    if arguments.drawings:
        if (dataset.class_names, dataset.image_size) != (DIGITS, (28, 28)):
            raise DataError(f"--drawings are digits of 28 x 28 pixels; {dataset.name} holds others")
        drawings, left_out = load_drawings(arguments.drawings)
    if left_out:
        print(f"{arguments.drawings}: {left_out:,} lines hold no labeled digit", file=sys.stderr)
    task = Task(dataset, arguments.seed, arguments.limit, arguments.all_epochs, drawings)
    return task, left_out


def _compete(names: Sequence[str], task: "Task", results: list["Result"]) -> None:
    """Measure one after the other; whoever is done is in ``results``, whatever happens next."""
    from tinycnn.compare import BASELINES, compete
    from tinycnn.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for number, name in enumerate(names, 1):
        with _shown(console, f"{number}/{len(names)}  {BASELINES[name].title}"):
            results.append(compete(name, task))


@contextmanager
def _shown(console: "Console", text: str) -> Iterator[None]:
    """Say who is at work: a line that moves on a terminal, a line elsewhere."""
    from tinycnn.train.compile_progress import compilation_shown

    if console.is_terminal:
        with console.status(text):
            yield
    else:
        console.print(f"{text} ...", markup=False)
        with compilation_shown(console):
            yield


def _report(results: Sequence["Result"], task: "Task", arguments: argparse.Namespace) -> None:
    if not results:
        return
    from tinycnn.compare import draw

    if arguments.json:
        print(to_json(_record(results, task)))
    else:
        _print_table(results, task)
    if arguments.chart:
        optional_chart(arguments.chart, lambda: draw(results, task.dataset.name))


def _record(results: Sequence["Result"], task: "Task") -> dict:
    return {
        "dataset": task.dataset.name,
        "n_training": len(task.training[0]),
        "seed": task.seed,
        "processors": os.cpu_count(),
        "classifiers": [result.as_dict() for result in results],
    }


def _print_table(results: Sequence["Result"], task: "Task") -> None:
    from tinycnn.compare import as_table, captions
    from tinycnn.console import Console

    out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    out.print(as_table(results, task, plain=not out.is_terminal))
    out.print("", *captions(results, task), sep="\n", markup=False, soft_wrap=True)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
