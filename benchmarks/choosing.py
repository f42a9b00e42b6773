"""``python -m benchmarks.choosing``: compare recipes on training data alone.

A recipe that was chosen by looking at test figures is flattered by them. So the training set is
cut into blocks (of contiguous digits: few writers are in two), and every block in turn is what
recipes are judged by after training on the others. The test set is never opened.

A standard error is that of the mean of the blocks, each of them averaged over its seeds first. On
the same blocks recipes differ by less than that: so differences from the first recipe are taken
block by block and have an error of their own.

It also judges rules for which epoch to keep: each chooses on one half of the block, and what it
chose is judged on the other.
"""

import argparse
import dataclasses
import json
from collections.abc import Sequence

import numpy as np

from benchmarks.command import new_parser, whole
from tinycnn.cli import run_command
from tinycnn.data import Dataset, load_dataset
from tinycnn.data.datasets import DEFAULT
from tinycnn.metrics import is_among_the_best, measure
from tinycnn.train.recipe import Recipe
from tinycnn.train.trainer import Trainer

EXAMPLES = """\
examples:
  python -m benchmarks.choosing --try '{"augment": "none"}' --try '{"augment": "mild"}'
  python -m benchmarks.choosing --dataset mnist --blocks 6 --use 1 --try '{"lr": 0.2}'
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Train every recipe on all but each block in turn; print how it reads that block."""
    options = _parser().parse_args(argv)
    dataset = load_dataset(options.dataset, options.data_dir)
    blocks = range(options.blocks)[: options.use]
    print(
        f"{'validation %':>16}  {'loss':>7}  keep: {'last':>7} {'best':>7} {'rule':>7}"
        f"  {'beside the first':>17}  recipe"
    )
    first = None
    for text in options.tried:
        recipe = Recipe.for_data(len(dataset.train_images), validation=1 / options.blocks, **text)
        seeded = [dataclasses.replace(recipe, seed=seed) for seed in range(options.seeds)]
        results = [
            [judge(each, turned(dataset, block, options.blocks)) for each in seeded]
            for block in blocks
        ]
        first = first or results
        print(_line(results, first), json.dumps(text), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("choosing", "Compare recipes on training data alone.", EXAMPLES)
    parser.add_argument("--dataset", metavar="NAME", default=DEFAULT)
    parser.add_argument("--data-dir", metavar="DIR", help="a folder with the four IDX files")
    parser.add_argument("--blocks", metavar="N", type=whole(2, 100), default=5)
    parser.add_argument("--use", metavar="N", type=whole(1, 100), help="only the first N blocks")
    parser.add_argument("--seeds", metavar="N", type=whole(1, 100), default=1)
    parser.add_argument(
        "--try",
        dest="tried",
        metavar="JSON",
        type=json.loads,
        action="append",
        required=True,
        help="options of a recipe that differ from the default",
    )
    return parser


def turned(dataset: Dataset, block: int, blocks: int) -> Dataset:
    """The same digits in such an order that block number ``block`` comes last."""
    n = len(dataset.train_images)
    end = round((block + 1) * n / blocks)
    images, labels = (np.roll(z, n - end, 0) for z in (dataset.train_images, dataset.train_labels))
    return dataclasses.replace(dataset, train_images=images, train_labels=labels)


def judge(recipe: Recipe, dataset: Dataset) -> tuple[float, float, np.ndarray]:
    """Train; return accuracy and loss on validation, and the accuracies that rules come to.

    The rules are: keep the last epoch, the best, or the last that is as good as the best.
    """
    trainer = Trainer(recipe, dataset)
    middle = (trainer.validation.start + trainer.validation.stop) // 2
    halves = slice(trainer.validation.start, middle), slice(middle, trainer.validation.stop)
    records: list[list] = []

    def after_epoch() -> None:
        parts = [(dataset.train_images[half], dataset.train_labels[half]) for half in halves]
        records.append([measure(trainer.answering, *part) for part in parts])

    trainer.train(lambda: False, after_epoch)
    last = trainer.state.history[-1]
    rules = np.mean([_kept([(r[a], r[1 - a]) for r in records]) for a in (0, 1)], axis=0)
    return last.validation_accuracy, last.validation_loss, rules


def _kept(records: list) -> list[float]:
    """What each rule comes to: it sees the first of two scores an epoch, the second counts."""
    seen = [score.accuracy for score, _ in records]
    best = int(np.argmax(seen))
    good = max(i for i in range(len(seen)) if is_among_the_best(seen[: i + 1], records[0][0].n))
    return [records[epoch][1].accuracy for epoch in (len(seen) - 1, best, good)]


def _line(results: list, first: list) -> str:
    """A row of the table, given what ``judge`` found, a list of seeds for each block."""
    accuracies, losses, rules = (_of_blocks(results, number) for number in range(3))
    gained = accuracies - _of_blocks(first, 0)
    kept = " ".join(f"{100 * z:7.3f}" for z in rules.mean(axis=0))
    beside = "" if first is results else _with_error(gained, "+7.3f")
    return f"{_with_error(accuracies)}  {losses.mean():.4f}        {kept}  {beside:>17} "


def _of_blocks(results: list, number: int) -> np.ndarray:
    """The mean of each block over its seeds.

    Seeds see the same images, so they share what a block is easy or hard by: only blocks are
    independent of each other, nearly.
    """
    return np.array([np.mean([found[number] for found in seeds], axis=0) for seeds in results])


def _with_error(values: np.ndarray, form: str = "7.3f") -> str:
    """The mean of values of blocks, in percent, and its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{100 * values.mean():{form}} +- {100 * error:.3f}"


if __name__ == "__main__":
    raise SystemExit(run_command(main))
