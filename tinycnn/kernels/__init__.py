"""The operations of ``reference.py`` under the same names, as compiled loops: run this.

``kernels.relu`` is the compiled function of that name or, where none is faster, the reference's
own. Arguments are checked in Python for the shapes that the reference says, because compiled loops
would not notice. A new operation is written there; then it is here, in the gradient checks, in
``explain`` and in the benchmarks.

Work is cut into pieces whose number depends on the shapes alone, every piece owns the numbers that
it writes, and sums over pieces are added in order: the bits do not depend on the number of threads.

Reading order: simd, microkernels, conv, winograd, products, elementwise. Three files can wait:
``jobs.py`` and ``threads.py`` spread loops over threads, ``jit.py`` compiles.
"""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinycnn.errors import EnvironmentFault

try:
    import numba  # noqa: F401 - before all else: it starts, or the reason is told
except ValueError as error:
    threads = os.environ.get("NUMBA_NUM_THREADS")
    raise EnvironmentFault(
        f"numba cannot start with NUMBA_NUM_THREADS={threads} ({str(error).rstrip('.')}); "
        "unset it, or choose a number from 1 on"
    ) from error


def __dir__() -> list[str]:
    """Return the names of all operations, which are those of ``reference.py``."""
    from tinycnn.nn import reference

    return sorted(name for name, value in vars(reference).items() if hasattr(value, "check"))


def __getattr__(name: str) -> Any:
    """Find an operation when it is first needed."""
    # ``from tinycnn.kernels import jit`` asks here first: no operation has the name of a module
    is_module = (Path(__file__).parent / f"{name}.py").exists()
    if name.startswith("_") or is_module or name not in __dir__():
        raise AttributeError(f"there is no operation {name!r}")
    from tinycnn.kernels import conv, elementwise, products
    from tinycnn.nn import reference

    idea = vars(reference)[name]
    rooms = (conv, products, elementwise)
    compiled = next((vars(room)[name] for room in rooms if name in vars(room)), idea)
    operation = globals()[name] = _held_to_shapes(compiled, idea)
    return operation


def _held_to_shapes(compiled: Callable, idea: Callable) -> Callable:
    """Return ``compiled`` for arguments that fit; ``idea`` serves those it is not made for."""
    from tinycnn.kernels.microkernels import Plan
    from tinycnn.kernels.threads import between

    check = idea.check  # type: ignore[attr-defined]

    @functools.wraps(compiled)
    def operation(*args: Any, **kwargs: Any) -> Any:
        given = check(*args, **kwargs)
        result = compiled(*given)
        if not isinstance(result, Plan):
            return idea(*given) if result is NotImplemented else result
        for step in result.pack:
            step() if isinstance(step, functools.partial) else between(step)
        result.fill()
        return result.y

    operation.check = check  # type: ignore[attr-defined]
    operation.plan = lambda *args: compiled(*check(*args))  # type: ignore[attr-defined]
    return operation
