"""Compile on two processors: a second process compiles gradients, this one the forward pass.

numba compiles one function at a time per process, but a process finds in the cache what another
one has compiled. ``python -m tinycnn.train.precompile AUGMENT`` is that second process.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numba.core import event

from tinycnn import kernels
from tinycnn.augment.policies import AUGMENTATIONS
from tinycnn.kernels.jit import UNCOMPILED, cache_folder
from tinycnn.train.compile_progress import SECOND_PROCESS

ROOT = Path(__file__).parents[2]
"""The folder in which the second process finds this very package."""


@contextlib.contextmanager
def gradients_compiled_meanwhile(augment: str) -> Iterator[None]:
    """Compile gradients and augmentation in a second process while the ``with`` block runs.

    Both are compiled at its end.
    """
    if not _has_work():
        yield
        return
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    second = subprocess.Popen(
        [sys.executable, "-P", "-m", "tinycnn.train.precompile", augment],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        if second.poll() is None:
            with event.trigger_event(SECOND_PROCESS):  # shown as the reason for the wait
                second.wait()
    finally:
        second.kill()  # its result is not needed any more; no effect if it has ended
        second.wait()


def _has_work() -> bool:
    if UNCOMPILED or (os.cpu_count() or 1) < 2:
        return False
    folder = cache_folder()
    return folder is not None and not any(folder.glob("*backward_input*.nbc"))


def compile_gradients() -> None:
    """Call the gradients of fused stages once, as for a first layer and as for a later one."""
    for C in (1, 32):
        x, w = np.ones((1, 6, 6, C), np.float32), np.ones((1, 5, 5, C), np.float32)
        y, winner = np.ones((1, 1, 1, 1), np.float32), np.zeros((1, 1, 1, 1), np.uint8)
        kernels.conv2d_relu_maxpool2d_backward_params(y, winner, x, (5, 5), 2)
    kernels.conv2d_relu_maxpool2d_backward_input(y, winner, w, (6, 6), 2)


def compile_augmentation(name: str) -> None:
    """Augment two images."""
    images, labels = np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8)
    AUGMENTATIONS[name](images, labels, np.random.default_rng(0))


if __name__ == "__main__":
    compile_gradients()
    compile_augmentation(sys.argv[1])
