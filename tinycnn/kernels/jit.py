"""How kernels are compiled, in one of three modes, and where compiled code is kept.

``TINYCNN_KERNELS=serial`` compiles without threads and with every index checked; numba's own
``NUMBA_DISABLE_JIT=1`` runs the same functions as plain Python, so that one can step through
them. Tests compare all three modes with the reference.

Compiled code is kept, so that only the first run has to wait, in a folder to which no other user
can write. Every file says in its name and under its seal which function, for which arguments, it
holds; others are compiled again. numba's own cache would not notice changes in other files or in
the width of vectors. So the folder is named after all that its code was made from and for: the
sources of this package, the file that a kernel is in, the processor and LANES. Kernels elsewhere
may call those of this package and of their own file.
"""

import contextlib
import functools
import gc
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import llvmlite
import numba
from numba.core import config
from numba.core.caching import IndexDataCacheFile, NullCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.serialize import dumps

from tinycnn.errors import EnvironmentFault
from tinycnn.files import private_folder, user_folder
from tinycnn.kernels.simd import CHECKED, LANES
from tinycnn.signals import signals_wait

UNCOMPILED = bool(config.DISABLE_JIT)  # kernels run as plain Python


def kernel(function: Callable, body: Callable | None = None) -> Callable:
    """Compile a function that runs on the calling thread; others may run meanwhile.

    A loop around a ``body`` is named after it, and kept with the kernels of its file.
    """
    if body:
        function.__module__, function.__name__ = body.__module__, body.__name__
        function.__qualname__ = f"{body.__qualname__}.loop"
    compiled = _njit(function, Kernel)
    if not UNCOMPILED:
        compiled._cache = KernelCache(function, body or function)
    return compiled


class _PartLibrary(JITCodeLibrary):
    """Code for its callers alone, of which no machine code is made, and no environment."""

    codegen = SimpleNamespace(set_env=lambda *_: None)

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class BodyLibrary(_PartLibrary):
    """Code that has one caller, which optimizes it."""

    def _optimize_final_module(self) -> None:
        pass


def part(function: Callable, library: type[_PartLibrary] = _PartLibrary) -> Callable:
    """Compile a function that only kernels call.

    Python cannot call it, so its code is not kept in the cache, and the first start is shorter.
    """

    class PartCompiler(Compiler):
        def __init__(self, typing: Any, target: Any, _: Any, *options: Any) -> None:
            super().__init__(typing, target, library(target.codegen(), "part"), *options)

    unwrapped = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return _njit(function, Part, **unwrapped, pipeline_class=PartCompiler)


def _njit(function: Callable, kind: "type[Kernel]", **options: Any) -> Any:
    compiled = numba.njit(function, boundscheck=CHECKED, nogil=True, error_model="numpy", **options)
    if not UNCOMPILED:
        compiled.__class__ = kind  # numba's decorators know no other than their own
    return compiled


class Kernel(CPUDispatcher):
    """A function that is compiled to its end before a signal stops the program."""

    def compile(self, signature: Any) -> Any:
        with signals_wait(), contextlib.ExitStack() as stack:
            if gc.isenabled():
                gc.disable()  # a compiler makes many objects, and little of it is garbage
                stack.callback(gc.enable)
            return super().compile(signature)


class Part(Kernel):
    """A function without an entry from Python, of which machine code is made in its callers."""

    def __call__(self, *_: Any) -> NoReturn:
        raise TypeError(f"{self.py_func.__name__} is a part of kernels, which alone can call it")


@functools.lru_cache
def cache_folder(file: Path = Path(__file__)) -> Path | None:
    """Return where the kernels of ``file`` are kept, or None when no private folder can be had."""
    if not file.is_file():  # typed into a prompt: nothing to tell one version from the next
        return None
    named = os.environ.get("NUMBA_CACHE_DIR", "")
    try:
        root = Path(named, "tinycnn") if os.path.isabs(named) else user_folder("cache")
    except EnvironmentFault:
        return None
    return private_folder(root / f"kernels-{_digest(file)}")


def _digest(file: Path) -> str:
    """Return a short digest of all that the code of the kernels in ``file`` depends on."""
    compiler = numba.__version__, llvmlite.__version__, sys.implementation.cache_tag, sys.abiflags
    processor = cpu_target.target_context.codegen().magic_tuple()
    digest = hashlib.sha256(repr((compiler, processor, LANES, CHECKED)).encode())
    for source in sorted({*Path(__file__).parent.glob("*.py"), file}):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


class KernelCache(NullCache):
    """What numba asks for the code of one function before it compiles it.

    The folder is found, or made, only then. A damaged file or a full disk is no reason to fail.
    Behind the code is a seal; numba alone would run whatever a file holds. There is a file for
    each signature, and no index: of numba's, two processes that write at once can each replace
    one half.
    """

    def __init__(self, function: Callable, body: Callable) -> None:
        self._function, self._body = function, body

    def load_overload(self, signature: Any, target: Any) -> CompileResult | None:
        target.refresh()
        path = self._path(signature)
        if path is not None:
            with contextlib.suppress(Exception):  # damaged bytes raise anything when decoded
                sealed = path.read_bytes()
                if _seal(path.name, sealed[:-32]) == sealed[-32:]:
                    folder = IndexDataCacheFile(path.parent, "", None)
                    return CompileResult._rebuild(target, *folder._load_data(path.name))
        return None  # compile it

    def save_overload(self, signature: Any, code: CompileResult) -> None:
        path = self._path(signature)
        if path is not None and not code.lifted and not code.library.has_dynamic_globals:
            with contextlib.suppress(OSError, AttributeError):  # _reduce is a private part
                payload = dumps(code._reduce())
                with IndexDataCacheFile(path.parent, "", None)._open_for_write(path) as file:
                    file.write(payload + _seal(path.name, payload))

    def _path(self, signature: Any) -> Path | None:
        """Return a file whose name tells all that the folder's name leaves open."""
        body, code = self._body, self._body.__code__
        folder = cache_folder(Path(code.co_filename))
        if folder is None:
            return None
        name = self._function.__qualname__
        place = code.co_filename, code.co_firstlineno, name, code.co_code
        closure = dumps([cell.cell_contents for cell in body.__closure__ or ()])
        key = hashlib.sha256(repr((place, signature, closure)).encode()).hexdigest()
        return folder / f"{body.__name__}-{key[:32]}.nbc"


def _seal(name: str, payload: bytes) -> bytes:
    return hashlib.sha256(name.encode() + payload).digest()
