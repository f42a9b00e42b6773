"""Where compiled kernels are kept, so that only the first run has to wait for the compiler.

Compiled code is run as soon as it is loaded. So it lives in a folder that nobody else can write
to, and carries a checksum: what is damaged, or cannot be written, is compiled again.

numba's cache does not notice changes in other files or in another version of this library. So
the folder is named after the sources that its code was made from: all of this package, and the
file that a kernel stands in. Kernels elsewhere may call those of this package and of their own
file.
"""

import contextlib
import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
from numba.core import config
from numba.core.caching import FunctionCache, IndexDataCacheFile


@functools.lru_cache
def folder_for(file: Path, mode: str) -> Path | None:
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
    return _private_folder(root / "tinycnn" / f"kernels-{_sources_digest(file)}-{mode}")


def _sources_digest(file: Path) -> str:
    """Return a short digest of this folder's sources, of ``file`` and of the compiler's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted({*Path(__file__).parent.glob("*.py"), file}):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _private_folder(folder: Path) -> Path | None:
    """Create ``folder`` for this user alone; None when that is not possible.

    Whoever may write to the folder above it could put another one in its place.
    """
    with contextlib.suppress(OSError):
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if _is_ours(folder, strangers=0o022) and _is_ours(folder.parent, strangers=0o002):
            return folder
    return None


def _is_ours(folder: Path, strangers: int) -> bool:
    """Return whether this user owns ``folder`` and its mode lets none of ``strangers`` write."""
    if os.name == "nt":  # there, a user's folders are private unless he says otherwise
        return True
    status = folder.lstat()
    return status.st_uid == os.getuid() and not status.st_mode & strangers


def keep(dispatcher: Any, folder: Path) -> None:
    """Make numba keep in ``folder`` what it compiles for ``dispatcher``."""
    with _numba_cache_in(folder):
        dispatcher._cache = _PatientCache(dispatcher.py_func)


@contextlib.contextmanager
def _numba_cache_in(folder: Path) -> Iterator[None]:
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        config.CACHE_DIR = before


class _PatientCache(FunctionCache):
    """numba's cache, for which a damaged file or a full disk is no reason to fail."""

    _cache_file: IndexDataCacheFile

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        file = self._cache_file
        self._cache_file = _SealedFile(
            file._cache_path, self._impl.filename_base, file._source_stamp
        )

    def load_overload(self, signature: Any, target: Any) -> Any:
        try:
            return super().load_overload(signature, target)
        except Exception:  # damaged bytes may raise anything while they are decoded
            with contextlib.suppress(OSError):
                self.flush()
            return None  # compile it again

    def save_overload(self, signature: Any, code: Any) -> None:
        with contextlib.suppress(OSError):
            super().save_overload(signature, code)


class _SealedFile(IndexDataCacheFile):
    """Code with a checksum behind it; numba alone would run whatever the file holds."""

    def _dump(self, code: Any) -> bytes:
        payload = super()._dump(code)
        return payload + hashlib.sha256(payload).digest()

    def _load_data(self, name: str) -> Any:
        sealed = Path(self._data_path(name)).read_bytes()
        if hashlib.sha256(sealed[:-32]).digest() != sealed[-32:]:
            raise ValueError(f"{name} is damaged")
        return super()._load_data(name)
