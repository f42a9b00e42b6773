"""``python -m benchmarks.baselines``: which settings suit the classics, by training data alone.

Every classic is tried with each of its candidates, trained on all but a block of the training
digits and judged by that block; the test set is never opened. What came out best stands in
``tinycnn/compare/baselines.py``.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.choosing import turned
from benchmarks.command import whole
from tinycnn.cli import Parser, run_command
from tinycnn.compare.baselines import CLASSICS, SklearnBaseline
from tinycnn.compare.task import Task
from tinycnn.data import Dataset, load_dataset, split_validation
from tinycnn.data.datasets import DEFAULT

CANDIDATES: dict[str, list[dict]] = {
    "neighbors": [
        {"n_neighbors": k, "weights": weights}
        for k in (1, 3, 5)
        for weights in ("uniform", "distance")[k == 1 :]
    ],
    "softmax": [{"C": c} for c in (0.01, 0.03, 0.1, 1)],
    "svm": [{"C": c, "gamma": gamma} for c in (3, 10) for gamma in ("scale", 0.02, 0.03, 0.04)],
    "forest": [{"n_estimators": 100, "max_features": share} for share in ("sqrt", 0.07, 0.14)],
    "boosting": [
        {
            "max_iter": 40,
            "learning_rate": rate,
            "max_bins": bins,
            "max_features": 0.1,
            "early_stopping": False,
        }
        for rate in (0.1, 0.2, 0.3)
        for bins in (8, 16)
    ],
}
"""Settings to try; what is the same in all is so for the sake of time."""


def main(argv: Sequence[str] | None = None) -> int:
    """Try every candidate; print how each reads the blocks."""
    options = _parser().parse_args(argv)
    dataset = load_dataset(options.dataset, options.data_dir)
    for name in options.only or CANDIDATES:
        for settings in CANDIDATES[name]:
            classic = replace(CLASSICS[name], settings=settings)
            results = [
                judge(classic, turned(dataset, block, options.blocks), 1 / options.blocks)
                for block in range(options.blocks)[: options.use]
            ]
            accuracies, seconds = np.array(results).T
            print(
                f"{100 * accuracies.mean():6.2f} %  {seconds.mean():6.1f} s  {classic}", flush=True
            )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m benchmarks.baselines", description="Choose settings of classics."
    )
    parser.add_argument("--dataset", metavar="NAME", default=DEFAULT)
    parser.add_argument("--data-dir", metavar="DIR", help="a folder with the four IDX files")
    parser.add_argument("--blocks", metavar="N", type=whole(2, 100), default=5)
    parser.add_argument("--use", metavar="N", type=whole(1, 100), help="only the first N blocks")
    parser.add_argument("--only", nargs="+", choices=CANDIDATES, help="some of the classics")
    return parser


def judge(classic: SklearnBaseline, dataset: Dataset, share: float) -> tuple[float, float]:
    """Train on all but the last ``share`` of the training digits; accuracy there, and seconds."""
    started = time.perf_counter()
    training, block = split_validation(len(dataset.train_images), share)
    trained = classic.train(Task(dataset, limit=len(training)))
    images, labels = (z[block.start :] for z in (dataset.train_images, dataset.train_labels))
    accuracy = float(np.mean(trained.predict(images) == labels))
    return accuracy, time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(run_command(main))
