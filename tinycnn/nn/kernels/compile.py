"""How kernels are compiled: one decorator, three modes.

``TINYCNN_KERNELS=serial`` compiles without threads and with every index checked; numba's own
``NUMBA_DISABLE_JIT=1`` runs the same functions as plain Python, so that one can step through
them. Tests hold all three modes to the reference.
"""

import functools
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import config

from tinycnn.errors import EnvironmentFault
from tinycnn.nn.kernels.cache import folder_for, keep
from tinycnn.nn.kernels.linking import ParallelKernel, Part

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

_turn = threading.Lock()
_state = {"threads run": False, "forked": False}


def kernel(function: Callable) -> Callable:
    """Compile a function that runs on the calling thread; others may run meanwhile."""
    return _compile(function, parallel=False)


def parallel_kernel(function: Callable) -> Callable:
    """Compile a function whose ``prange`` loops are spread over threads.

    Python threads take turns with such functions: numba's simplest way of having threads ends the
    process if two begin at once.
    """
    compiled = _compile(function, parallel=not CHECKED)
    if CHECKED or UNCOMPILED:
        return compiled
    compiled.__class__ = ParallelKernel

    @functools.wraps(function)
    def in_turn(*arguments):
        if _state["forked"]:
            raise EnvironmentFault(
                "kernels have run before this process was forked, and their threads stayed behind; "
                "start processes with multiprocessing's 'spawn'"
            )
        with _turn:
            _state["threads run"] = True
            return compiled(*arguments)

    return in_turn


def part(function: Callable) -> Callable:
    """Compile a function that only kernels call.

    What Python need not find is not kept in the cache either, and the first start is shorter.
    """
    compiled = _njit(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    if not UNCOMPILED:
        compiled.__class__ = Part
    return compiled


def _compile(function: Callable, *, parallel: bool) -> Callable:
    dispatcher = _njit(function, parallel=parallel)
    folder = folder_for(Path(function.__code__.co_filename), MODE)
    if folder and not UNCOMPILED:
        keep(dispatcher, folder)
    return dispatcher


def _njit(function: Callable, **options: bool) -> Any:
    return numba.njit(function, boundscheck=CHECKED, nogil=True, error_model="numpy", **options)


def _notice_the_fork() -> None:
    """In a child: threads are not inherited, and OpenMP would kill it for asking them."""
    _state["forked"] = _state["threads run"]


if hasattr(os, "register_at_fork"):  # Windows knows no forks
    os.register_at_fork(after_in_child=_notice_the_fork)


def set_threads(threads: int | None) -> None:
    """Run kernels on ``threads`` threads; None means all that there are."""
    most = numba.config.NUMBA_NUM_THREADS
    if threads is not None and not 1 <= threads <= most:
        raise ValueError(f"threads must be between 1 and {most}, not {threads}")
    numba.set_num_threads(threads or most)


def get_threads() -> int:
    """Return how many threads kernels run on."""
    return numba.get_num_threads()
