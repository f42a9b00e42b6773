"""How kernels are compiled: one decorator, three modes.

``TINYCNN_KERNELS=serial`` compiles without threads and with every index checked; numba's own
``NUMBA_DISABLE_JIT=1`` runs the same functions as plain Python, so that one can step through
them. Tests compare all three modes with the reference.
"""

import contextlib
import functools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any, NoReturn

import numba
import numpy as np
from numba import prange
from numba.core import config
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher, cpu_target

from tinycnn.errors import EnvironmentFault
from tinycnn.kernels.cache import KernelCache, folder_for
from tinycnn.kernels.instructions import CHECKED

SPINS = ("GOMP_SPINCOUNT", "10000")
"""How often a waiting thread looks for work before it sleeps; see ``_start_threads``."""

UNCOMPILED = bool(config.DISABLE_JIT)
"""True when kernels run as plain Python."""

MODE = "checked" if CHECKED else "parallel"

_turn = threading.Lock()
_state = {"threads run": False, "forked": False}


def cache_folder() -> Path | None:
    """Return where the kernels of this folder are kept; None if nothing can be."""
    return folder_for(Path(__file__), MODE)


def kernel(function: Callable) -> Callable:
    """Compile a function that runs on the calling thread; others may run meanwhile."""
    return _compile(function, Kernel)


def parallel_kernel(function: Callable) -> Callable:
    """Compile a function whose ``prange`` loops are spread over threads.

    One Python thread at a time runs such functions: numba's simplest way of having threads ends the
    process if two begin at once.
    """
    if CHECKED or UNCOMPILED:
        return kernel(function)
    compiled = _compile(function, ParallelKernel, parallel=True)

    @functools.wraps(function)
    def in_turn(*arguments):
        if _state["forked"]:
            raise EnvironmentFault(
                "kernels have run before this process was forked, and their threads stayed behind; "
                "start processes with multiprocessing's 'spawn'"
            )
        with _turn:
            _start_threads()
            _state["threads run"] = True
            return compiled(*arguments)

    return in_turn


def part(function: Callable) -> Callable:
    """Compile a function that only kernels call.

    Python cannot call it, so its code is not kept in the cache, and the first start is shorter.
    """
    return _njit(function, Part, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def parallel_over(body: Callable) -> Callable:
    """Return the kernel that calls ``body(n, read, written)`` for all n below a count, in parallel.

    ``read`` and ``written`` are tuples of arrays. A copy of the loop below gets the name of
    ``body`` and its place in the sources, which identify code in the cache.
    """
    body = body if hasattr(body, "py_func") else part(body)
    function = getattr(body, "py_func", body)
    place = {name: getattr(function.__code__, name) for name in PLACE}
    loop = FunctionType(_loop.__code__.replace(**place), {**globals(), "body": body})
    loop.__module__, loop.__qualname__ = function.__module__, function.__qualname__
    compiled = parallel_kernel(loop)
    compiled.__wrapped__ = function  # type: ignore[attr-defined] # what is worth reading
    return compiled


PLACE = ("co_filename", "co_firstlineno", "co_name", "co_qualname")


def _loop(count: int, read: tuple, written: tuple) -> None:
    for n in prange(count):  # n owns its part of ``written``
        body(np.intp(n), read, written)  # type: ignore[name-defined] # noqa: F821


def _compile(function: Callable, kind: "type[Kernel]", **options: bool) -> Callable:
    compiled = _njit(function, kind, **options)
    if not UNCOMPILED:
        compiled._cache = KernelCache(function, MODE)
    return compiled


def _njit(function: Callable, kind: "type[Kernel]", **options: bool) -> Any:
    compiled = numba.njit(function, boundscheck=CHECKED, nogil=True, error_model="numpy", **options)
    if not UNCOMPILED:
        compiled.__class__ = kind
    return compiled


# ------------------------------------------------------- what numba's decorators return instead


class Kernel(CPUDispatcher):
    """A function that is compiled to its end before a signal stops the program."""

    def compile(self, signature: Any) -> Any:
        with signals_wait():
            return super().compile(signature)


class Part(Kernel):
    """A function without an entry from Python, of which machine code is made in its callers."""

    def __call__(self, *_: Any) -> NoReturn:
        raise TypeError(f"{self.py_func.__name__} is a part of kernels, which alone can call it")


class ParallelKernel(Kernel):
    """A kernel whose loop is optimized where it ends up.

    numba makes a function of the loop, wraps it twice and links it into the kernel, and would
    optimize the same code at each of these four stops. Its decorators know no such function, so
    this class is put in the place of theirs.
    """

    def compile(self, signature: Any) -> Any:
        with _loops_only_passing_through():
            return super().compile(signature)


@contextlib.contextmanager
def _loops_only_passing_through() -> Iterator[None]:
    codegen = cpu_target.target_context.codegen()
    if not hasattr(codegen, "_library_class"):  # a private part; without it all takes longer
        yield
        return
    with global_compiler_lock:
        before, codegen._library_class = codegen._library_class, _Stop
        try:
            yield
        finally:
            codegen._library_class = before


class _Stop(JITCodeLibrary):
    """Where machine code is optimized, unless it is a loop on its way into a kernel."""

    def _optimize_final_module(self) -> None:
        on_the_way = ("__numba_parfor_gufunc", "<numba.np.ufunc", "parallelgufuncwrapper")
        if not self.name.startswith(on_the_way):
            super()._optimize_final_module()


# ------------------------------------------------------------------------------ interruption

WAITING = (signal.SIGINT, signal.SIGTERM)

_handlers: dict[int, Any] = {}
"""The handlers to call later; empty unless a function is being compiled."""

_noted: list[tuple[Any, int, FrameType | None]] = []


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Note signals inside the ``with``, and hand them to their handlers at its end.

    LLVM calls Python back when it has made machine code. An exception in there, such as that of
    Ctrl-C, would be swallowed, or leave the function without its code. A function that is compiled
    for another one has a ``with`` inside that one's. Python runs handlers in its main thread only;
    in any other this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with contextlib.ExitStack() as stack:  # it undoes all of it, whatever a handler raises
        stack.callback(_deliver)
        if not _handlers:
            stack.callback(_handlers.clear)
            for number in WAITING:
                if callable(handler := signal.getsignal(number)):  # others raise nothing
                    _handlers[number] = handler
                    stack.callback(signal.signal, number, handler)
                    signal.signal(number, _note)
        yield


def _note(number: int, frame: FrameType | None) -> None:
    _noted.append((_handlers[number], number, frame))


def _deliver() -> None:
    if _noted:
        handler, *told = _noted.pop(0)
        try:
            handler(*told)
        finally:
            _deliver()


# ----------------------------------------------------------------------------------- threads


def _notice_the_fork() -> None:
    """In a child: threads are not inherited, and OpenMP would kill it for asking them."""
    _state["forked"] = _state["threads run"]


if hasattr(os, "register_at_fork"):  # Windows knows no forks
    os.register_at_fork(after_in_child=_notice_the_fork)


@functools.cache
def _start_threads() -> None:
    """Have numba start its threads; EnvironmentFault when the requested kind is missing.

    Threads that wait for each other spin for a while before they sleep, because sleeping and
    waking takes long. By default they spin so long that on a busy machine they take time from the
    one they wait for: training was 4 times slower then, and not faster on a quiet one. OpenMP
    reads the variable only when it is loaded.
    """
    is_ours = SPINS[0] not in os.environ
    os.environ.setdefault(*SPINS)
    try:
        numba.get_num_threads()
    except ValueError as error:
        layer, reason = config.THREADING_LAYER, str(error).splitlines()[0].rstrip(".")
        raise EnvironmentFault(
            f"numba cannot start threads with NUMBA_THREADING_LAYER={layer} ({reason}); "
            "unset it, or choose omp or workqueue"
        ) from error
    finally:
        if is_ours:
            del os.environ[SPINS[0]]


def set_threads(threads: int | None) -> None:
    """Run kernels on ``threads`` threads; None means all that there are."""
    most = numba.config.NUMBA_NUM_THREADS
    if threads is not None and not 1 <= threads <= most:
        raise ValueError(f"threads must be between 1 and {most}, not {threads}")
    _start_threads()
    numba.set_num_threads(threads or most)


def get_threads() -> int:
    """Return how many threads kernels run on."""
    _start_threads()
    return numba.get_num_threads()
