"""Measure what takes too long for a page to compute: ``python docs/build/measure.py [NAME ...]``.

Each result is kept in measured.json with the command, the processor and the day, and chapters
quote it from there: one measurement for one claim.
"""

import datetime
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]
FILE = Path(__file__).with_name("measured.json")

Results = dict[str, Any]


def generalizing() -> Results:
    """Train ``lenet`` with each cure alone on four blocks of the training digits, judge a fifth.

    Every block is judged once, so each figure counts the errors on all 8,000 training digits by
    networks that have not seen them. The test digits are not opened.
    """
    import numpy as np

    from benchmarks.choosing import judge, turned
    from tinycnn.data import load_dataset
    from tinycnn.nn import presets
    from tinycnn.nn.layers import BatchNorm, Dropout, MaxPool2D
    from tinycnn.train.recipe import Recipe

    def with_dropout(classes: int) -> list:
        *before, last = presets.lenet(classes)
        return [*before, Dropout(0.5), last]

    def with_batchnorm(classes: int) -> list:
        pairs = [[z, BatchNorm()] if isinstance(z, MaxPool2D) else [z] for z in lenet(classes)]
        return [layer for pair in pairs for layer in pair]

    lenet = presets.lenet
    presets.PRESETS.update(dropout=with_dropout, batchnorm=with_batchnorm)
    more, decay, average = {"augment": "mild"}, {"weight_decay": 5e-4}, {"average": 0.999}
    cures: dict[str, dict[str, Any]] = {
        "nothing": {},
        "augmentation": more,
        "weight decay": decay,
        "dropout": {"preset": "dropout"},
        "batch normalization": {"preset": "batchnorm"},
        "averaged weights": average,
        "all but dropout": {"preset": "batchnorm", **more, **decay, **average},
    }
    digits, blocks, seeds = load_dataset(), 5, 2
    errors = {}
    for name, given in cures.items():
        found = np.zeros((seeds, blocks))
        for seed, block in np.ndindex(seeds, blocks):
            options = {"augment": "none", "validation": 1 / blocks, "seed": seed, **given}
            recipe = Recipe.for_data(len(digits.train_images), **options)
            accuracy = judge(recipe, turned(digits, block, blocks))[0]
            found[seed, block] = round((1 - accuracy) * len(digits.train_images) / blocks)
        errors[name] = found.sum(axis=1).astype(int).tolist()
        print(f"{name:20} errors of {len(digits.train_images):,}, by seed: {errors[name]}")
    return {"errors": errors, "n": len(digits.train_images)}


def fast() -> Results:
    """Time the five steps of docs/kernels.py, and the library on the same arrays; one thread."""
    import kernels as steps
    from tinycnn import kernels
    from tinycnn.nn import set_threads

    set_threads(1)
    times = steps.measure()
    x, w, b, winner, dy = steps.arrays()
    library = {
        "fused": partial(kernels.conv2d_relu_maxpool2d, x, w, b, 2),
        "gradient": partial(
            kernels.conv2d_relu_maxpool2d_backward_params, dy, winner, x, w.shape[1:3], 2
        ),
    }
    return {"steps": times, "library": {name: steps.fastest(f) for name, f in library.items()}}


MEASUREMENTS: dict[str, Callable[[], Results]] = {"generalizing": generalizing, "fast": fast}


def main(names: list[str]) -> int:
    """Measure what is named, or everything."""
    from benchmarks.machine import in_words

    for name in names or MEASUREMENTS:
        kept, day = json.loads(FILE.read_text()), datetime.date.today().isoformat()
        about = {"command": f"python docs/build/measure.py {name}", "machine": in_words()}
        kept[name] = {**about, "day": day, **MEASUREMENTS[name]()}
        FILE.write_text(json.dumps(kept, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
