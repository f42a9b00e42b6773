"""Compile on two processors: one process begins with the forward pass, a second at the other end.

numba compiles one function at a time per process, but a process finds in the cache what another
one has compiled. ``second_process.py`` is that other one. Neither waits: they meet in the middle.
"""

import contextlib
import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tinycnn.data.mnist import PEN
from tinycnn.ink.strokes import draw
from tinycnn.kernels.jit import UNCOMPILED, cache_folder
from tinycnn.nn import build
from tinycnn.nn.fit import train_step
from tinycnn.nn.model import BATCH
from tinycnn.train.trainer import Trainer, new_optimizer

ROOT = Path(__file__).parents[2]
"""The folder in which the second process finds this very package."""


def rehearse(trainer: Trainer) -> None:
    """Run everything with a copy and blank images, so that nothing is left to compile.

    Some kernels are compiled for some batch sizes only, so all sizes take part. Gradients of
    convolutions and augmentation come last, in the order in which the second process has them
    last; the backward pass before those is all there is in a network without convolutions.
    """
    if trainer.finished:
        return
    recipe, batches, model = trainer.recipe, trainer.batches, copy.deepcopy(trainer.model)
    learned = {batches.count(batch) for batch in (0, len(batches) - 1)}
    asked = len(trainer.validation), len(trainer.dataset.test_images)
    sizes = learned | {size for n in asked for size in (min(n, BATCH), n % BATCH)} - {0}
    blanks = [np.zeros((size, *trainer.dataset.image_size), np.uint8) for size in sorted(sizes)]
    unconvolved = build("dense", model.input_shape, *model.output_shape)
    rehearsed = ((z, new_optimizer(recipe, z)) for z in (unconvolved, model))
    first, second = ((z, trainer.loss, optimizer) for z, optimizer in rehearsed)
    with gradients_compiled_meanwhile(recipe.augment):
        for images in blanks:
            train_step(*first, images, np.zeros(len(images), np.uint8))
            model.forward(model.prepare(images))
            model.predict_proba(images)
        draw([np.ones((2, 2))], PEN, (28, 28))  # at the end of a training, images of no digits
        for images in [z for z in blanks if len(z) in learned]:
            labels = np.zeros(len(images), np.uint8)
            train_step(*second, images, labels)
            batches.augment(images, labels, np.random.default_rng(0))


@contextlib.contextmanager
def gradients_compiled_meanwhile(augment: str) -> Iterator[None]:
    """Compile augmentation and gradients in a second process while the ``with`` block runs."""
    if not _has_work():
        yield
        return
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    second = subprocess.Popen(
        [sys.executable, "-P", "-m", "tinycnn.train.second_process", augment],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        second.kill()  # its result is not needed any more; no effect if it has ended
        second.wait()


def _has_work() -> bool:
    if UNCOMPILED or (os.cpu_count() or 1) < 2:
        return False
    folder = cache_folder()
    return folder is not None and not any(folder.glob("*backward_input*.nbc"))
