"""How kernels are compiled: one decorator, three modes, and a cache that cannot go stale.

``TINYCNN_KERNELS=serial`` compiles without threads and with every index checked; numba's own
``NUMBA_DISABLE_JIT=1`` runs the same functions as plain Python, so that one can step through
them. Tests hold all three modes to the reference.

numba's cache does not notice changes in other files or in another version of this library, so
the compiled code lives in a folder named after the sources it was made from: all of this folder,
and the file that a kernel stands in. Kernels elsewhere may call those of this folder and of
their own file.
"""

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numba
from numba.core import config

# Threads that wait for each other spin for a while before they sleep, because sleeping and waking
# takes long. By default they spin so long that on a busy machine they steal the time of the one
# they wait for: training was 4 times slower then, and not faster on a quiet one.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

CHECKED = os.environ.get("TINYCNN_KERNELS", "parallel") == "serial"
"""True when kernels run on one thread with bounds checks."""

UNCOMPILED = bool(config.DISABLE_JIT)
"""True when kernels run as plain Python."""


def _sources_digest(file: Path) -> str:
    """Return a short digest of this folder's sources, of ``file`` and of the compiler's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted({*Path(__file__).parent.glob("*.py"), file}):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _private_folder(folder: Path) -> Path | None:
    """Create ``folder`` for this user alone; None when that is not possible.

    Cached code is run when it is loaded, so a folder that somebody else owns or may write to is
    not used.
    """
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        status = folder.stat()
        if status.st_uid == os.getuid() and not status.st_mode & 0o022:
            return folder
    return None


@functools.lru_cache
def _cache_folder(file: Path) -> Path | None:
    """Return the folder for the kernels of ``file``, or None when no private one can be had."""
    if not file.is_file():  # typed into a prompt: nothing to tell one version from the next
        return None
    if "NUMBA_CACHE_DIR" in os.environ:
        root = Path(os.environ["NUMBA_CACHE_DIR"])
    elif "XDG_CACHE_HOME" in os.environ:
        root = Path(os.environ["XDG_CACHE_HOME"])
    else:
        try:
            root = Path.home() / ".cache"
        except RuntimeError:  # no HOME and no such user
            return None
    mode = "checked" if CHECKED else "parallel"
    return _private_folder(root / "tinycnn" / f"kernels-{_sources_digest(file)}-{mode}")


CACHE_FOLDER = _cache_folder(Path(__file__))
"""Where the kernels of this folder are kept; None if nothing can be."""


@contextlib.contextmanager
def _numba_cache_in(folder: Path | None) -> Iterator[None]:
    """Point numba at ``folder`` for the kernels decorated inside, and at nothing else."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder) if folder else before
    try:
        yield
    finally:
        config.CACHE_DIR = before


def kernel(function: Callable) -> Callable:
    """Compile a function that runs on the calling thread; others may run meanwhile."""
    return _compile(function, parallel=False)


def parallel_kernel(function: Callable) -> Callable:
    """Compile a function whose ``prange`` loops are spread over threads."""
    return _compile(function, parallel=not CHECKED)


def _compile(function: Callable, *, parallel: bool) -> Callable:
    folder = _cache_folder(Path(function.__code__.co_filename))
    with _numba_cache_in(folder):
        return numba.njit(
            function,
            parallel=parallel,
            boundscheck=CHECKED,
            cache=folder is not None,
            nogil=True,
            error_model="numpy",
        )


def set_threads(threads: int | None) -> None:
    """Run kernels on ``threads`` threads; None means all that there are."""
    most = numba.config.NUMBA_NUM_THREADS
    if threads is not None and not 1 <= threads <= most:
        raise ValueError(f"threads must be between 1 and {most}, not {threads}")
    numba.set_num_threads(threads or most)


def get_threads() -> int:
    """Return how many threads kernels run on."""
    return numba.get_num_threads()
