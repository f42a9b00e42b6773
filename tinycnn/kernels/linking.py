"""Less work for the compiler: code that ends up inside other code is not finished twice.

numba finishes whatever it compiles as if it stood alone. Its decorators take no other kind of
function, so ``compile.py`` puts these three in the place of what they return.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher, cpu_target

from tinycnn.kernels.interruption import signals_wait


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
    optimize the same code at each of these four stops.
    """

    def compile(self, signature: Any) -> Any:
        with _loops_only_passing_through():
            return super().compile(signature)


@contextlib.contextmanager
def _loops_only_passing_through() -> Iterator[None]:
    codegen = cpu_target.target_context.codegen()
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
