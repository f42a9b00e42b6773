"""How kernels are compiled: one decorator, three modes.

``TINYCNN_KERNELS=serial`` compiles without threads and with every index checked; numba's own
``NUMBA_DISABLE_JIT=1`` runs the same functions as plain Python, so that one can step through
them. Tests hold all three modes to the reference.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numba
from numba.core import config

from tinycnn.nn.kernels.cache import folder_for, keep

# Threads that wait for each other spin for a while before they sleep, because sleeping and waking
# takes long. By default they spin so long that on a busy machine they steal the time of the one
# they wait for: training was 4 times slower then, and not faster on a quiet one.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

CHECKED = os.environ.get("TINYCNN_KERNELS", "parallel") == "serial"
"""True when kernels run on one thread with bounds checks."""

UNCOMPILED = bool(config.DISABLE_JIT)
"""True when kernels run as plain Python."""

MODE = "checked" if CHECKED else "parallel"

CACHE_FOLDER = folder_for(Path(__file__), MODE)
"""Where the kernels of this folder are kept; None if nothing can be."""


def kernel(function: Callable) -> Callable:
    """Compile a function that runs on the calling thread; others may run meanwhile."""
    return _compile(function, parallel=False)


def parallel_kernel(function: Callable) -> Callable:
    """Compile a function whose ``prange`` loops are spread over threads."""
    return _compile(function, parallel=not CHECKED)


def _compile(function: Callable, *, parallel: bool) -> Callable:
    dispatcher = numba.njit(
        function, parallel=parallel, boundscheck=CHECKED, nogil=True, error_model="numpy"
    )
    folder = folder_for(Path(function.__code__.co_filename), MODE)
    if folder and not UNCOMPILED:
        keep(dispatcher, folder)
    return dispatcher


def set_threads(threads: int | None) -> None:
    """Run kernels on ``threads`` threads; None means all that there are."""
    most = numba.config.NUMBA_NUM_THREADS
    if threads is not None and not 1 <= threads <= most:
        raise ValueError(f"threads must be between 1 and {most}, not {threads}")
    numba.set_num_threads(threads or most)


def get_threads() -> int:
    """Return how many threads kernels run on."""
    return numba.get_num_threads()
