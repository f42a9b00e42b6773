"""Write a file so that its name always holds either all the old bytes or all the new ones.

The bytes go to a temporary file beside the target, are forced to the disk, and only then take
over the name in one step. A crash, a full disk or Ctrl-C costs the new version at most, never
the old one.
"""

import contextlib
import errno
import json
import math
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tinycnn.errors import EnvironmentFault, TinyCNNError

PathLike = str | os.PathLike[str]

TEMPORARY_PREFIX = ".tmp-"
OUR_TEMPORARIES = TEMPORARY_PREFIX + 16 * "[0-9a-f]"
"""The names that ``write_bytes`` gives; in a folder we do not own, we remove no other file."""

USER_FOLDERS = {
    "cache": ("XDG_CACHE_HOME", ".cache", "Library/Caches"),
    "data": ("XDG_DATA_HOME", ".local/share", "Library/Application Support"),
}
"""The variable that names the folder, and the defaults in the home of Unix and of macOS."""

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_bytes(path: PathLike, payload: bytes) -> None:
    """Write ``payload`` to the file ``path``, all or nothing.

    Return when the bytes and the name are on the disk. The folder must exist, a link is followed,
    and the umask applies to the mode 0666. Raise EnvironmentFault if that fails; the old file is
    untouched then, and no temporary file is left.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():  # a device: replacing it would succeed
            raise OSError(errno.EINVAL, "it is not a regular file")
        sweep_temporaries(target.parent)  # or they would fill the disk
        _replace(target, payload)
    except OSError as fault:
        raise EnvironmentFault(_sentence(path, len(payload), fault)) from fault


def to_json(content: Any, indent: int | None = None) -> str:
    """Return ``content``, arrays too, as strict JSON; numbers that are not finite become null."""
    return json.dumps(_with_nulls(content), indent=indent, allow_nan=False)


def _with_nulls(content: Any) -> Any:
    if hasattr(content, "tolist"):  # an array or a number of NumPy
        content = content.tolist()
    if isinstance(content, dict):
        return {key: _with_nulls(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_with_nulls(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def grow(path: PathLike, payload: bytes) -> None:
    """Make the file ``path`` hold ``payload`` by appending, so that ``tail -f`` can follow it.

    Return when the bytes are on the disk. If that fails, a part of them may be there, and the next
    call completes it; a file that does not begin like ``payload`` is replaced.
    """
    target = Path(path)
    present = target.read_bytes() if target.is_file() else None
    if present is None or not payload.startswith(present):
        write_bytes(path, payload)
        return
    try:
        with open(target, "ab") as file:
            file.write(payload[len(present) :])
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        raise EnvironmentFault(_sentence(path, len(payload), fault)) from fault


def unused(folder: Path, pattern: str, *suffixes: str) -> Path:
    """Return a path without suffix, named after the time, that is new with each of ``suffixes``."""
    stem = name = time.strftime(pattern)
    count = 1
    while any((folder / (name + suffix)).exists() for suffix in suffixes or ("",)):
        count += 1
        name = f"{stem}-{count}"
    return folder / name


def user_folder(kind: str) -> Path:
    """Return this user's folder for "cache" or "data", where the platform has it; do not make it.

    A variable without an absolute path counts as unset, as the XDG specification says: it would
    name another folder for each working folder. Raise EnvironmentFault if there is no home.
    """
    variable, unix, mac = USER_FOLDERS[kind]
    folder = os.environ.get(variable, "")
    if not os.path.isabs(folder):
        folder = os.path.expanduser(f"~/{mac if sys.platform == 'darwin' else unix}")
    if not os.path.isabs(folder):
        raise EnvironmentFault(f"there is no home folder to keep {kind} in; set HOME")
    return Path(folder) / "tinycnn"


def private_folder(folder: Path) -> Path | None:
    """Create ``folder`` for this user alone; None when that is not possible.

    Anyone who can write to the folder above it could put another one in its place.
    """
    with contextlib.suppress(OSError):
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(folder.parent, forbidden=0o002):
            return None
        folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        if _is_ours(folder, forbidden=0o022):
            return folder
    return None


def _is_ours(folder: Path, forbidden: int) -> bool:
    """Return whether this user owns ``folder`` and its mode has no ``forbidden`` bit."""
    status = folder.lstat()
    return status.st_uid == os.getuid() and not status.st_mode & forbidden


def sweep_temporaries(folder: PathLike, older_than: float = 3600.0) -> None:
    """Remove the temporary files that killed writers left in ``folder``.

    ``older_than`` is in seconds. The default leaves the files of other writers alone; with the
    lock of the folder, pass 0.
    """
    for leftover in Path(folder).glob(OUR_TEMPORARIES):
        with contextlib.suppress(OSError):  # another process was faster, or it is read-only
            if leftover.lstat().st_mtime <= time.time() - older_than:
                leftover.unlink()


def refuse_to_overwrite(
    outputs: Iterable[PathLike | None], inputs: Iterable[PathLike | int | None]
) -> None:
    """Raise TinyCNNError if an output is an input or another output, by any name or link.

    None is an option that was not given; a number is a file descriptor, 0 for standard input.
    """
    taken: set[str] = set()
    read = [source for source in inputs if source is not None and os.path.exists(source)]
    for output in [output for output in outputs if output is not None]:
        target = os.path.realpath(output)  # as ``write_bytes`` takes it
        if os.path.exists(target) and any(os.path.samefile(target, z) for z in read):
            raise TinyCNNError(f"{output} is an input; write to another file")
        if target in taken:
            raise TinyCNNError(f"{output} is named for two outputs; write to two files")
        taken.add(target)


def _replace(target: Path, payload: bytes) -> None:
    temporary = target.parent / (TEMPORARY_PREFIX + secrets.token_hex(8))
    try:
        with open(temporary, "xb") as file:  # the umask applies; tempfile would leave 0600
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:  # Ctrl-C too must leave no temporary file
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Force the folder to the disk, so that the new name survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as fault:
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks cannot
            raise
    finally:
        os.close(descriptor)


def _sentence(path: PathLike, size: int, fault: OSError) -> str:
    if fault.errno in DISK_FULL:
        return f"no space left to write {path}: it needs {size:,} bytes; free some and try again"
    if isinstance(fault, FileNotFoundError):
        return f"cannot write {path}: the folder {Path(path).absolute().parent} does not exist"
    return f"cannot write {path}: {fault.strerror or fault}"
