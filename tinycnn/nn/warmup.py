"""Compile on two processors: a second process does the gradients, this one the way forward.

numba compiles one function at a time in a process, but what one process has compiled, the next
finds in the cache. ``python -m tinycnn.nn.warmup`` is that second process.
"""

import os
import subprocess
import sys

import numpy as np

from tinycnn.nn import kernels
from tinycnn.nn.kernels.compile import CACHE_FOLDER, UNCOMPILED


def start_compiling_gradients() -> subprocess.Popen | None:
    """Start the second process if there is something for it to do; its end can be waited for."""
    if UNCOMPILED or CACHE_FOLDER is None or (os.cpu_count() or 1) < 2:
        return None
    if any(CACHE_FOLDER.rglob("*backward_input*.nbi")):
        return None
    command = [sys.executable, "-m", "tinycnn.nn.warmup"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def compile_gradients() -> None:
    """Call the gradients of fused stages once, as a first layer and as a later one."""
    for C in (1, 32):
        x, w = np.ones((1, 6, 6, C), np.float32), np.ones((1, 5, 5, C), np.float32)
        y, winner = np.ones((1, 1, 1, 1), np.float32), np.zeros((1, 1, 1, 1), np.uint8)
        kernels.conv2d_relu_maxpool2d_backward_params(y, winner, x, (5, 5), 2)
    kernels.conv2d_relu_maxpool2d_backward_input(y, winner, w, (6, 6), 2)


if __name__ == "__main__":
    compile_gradients()
