"""Writing a file so that, whatever happens, the name holds the old bytes or the new ones.

The bytes go to a temporary file beside the target, are forced to the disk, and only then take
over the name in one step. A crash, a full disk or an impatient Ctrl-C costs the new version at
most, never the old one.
"""

import contextlib
import errno
import json
import math
import os
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import platformdirs

from tinycnn.errors import EnvironmentFault, TinyCNNError

PathLike = str | os.PathLike[str]

TEMPORARY_PREFIX = ".tmp-"
OUR_TEMPORARIES = TEMPORARY_PREFIX + 16 * "[0-9a-f]"
"""What ``write_bytes`` names them: in a folder of strangers nothing else is ours to remove."""

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_bytes(path: PathLike, payload: bytes) -> None:
    """Put ``payload`` under the name ``path``, all or nothing.

    Returns when the bytes and the name are on the disk. The folder must exist; a link is
    followed; the mode is what the umask leaves of 0666. Raises EnvironmentFault, with the old
    file (if any) untouched and nothing left behind.
    """
    target = Path(os.path.realpath(path))
    try:
        _refuse_what_is_no_file(target)
        sweep_temporaries(target.parent, names=OUR_TEMPORARIES)  # so that they fill no disk
        _replace(target, payload)
    except OSError as fault:
        raise EnvironmentFault(_sentence(path, len(payload), fault)) from fault


def to_json(content: Any, indent: int | None = None) -> str:
    """``content`` as JSON that any program reads: a number that is not finite becomes null."""
    return json.dumps(_with_nulls(content), indent=indent, allow_nan=False)


def _with_nulls(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _with_nulls(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_with_nulls(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def grow(path: PathLike, payload: bytes) -> None:
    """Bring the file ``path`` to ``payload`` by appending, so that ``tail -f`` can follow it.

    Returns when the bytes are on the disk. A kill may leave a part of them, which the next call
    completes; a file that does not begin like ``payload`` is replaced. Raises EnvironmentFault,
    with the file as it was.
    """
    target = Path(path)
    present = target.read_bytes() if target.is_file() else None
    if present is None or not payload.startswith(present):
        write_bytes(path, payload)
        return
    try:
        _append(target, payload[len(present) :])
    except BaseException as fault:
        with contextlib.suppress(OSError):
            os.truncate(target, len(present))
        if isinstance(fault, OSError):
            raise EnvironmentFault(_sentence(path, len(payload), fault)) from fault
        raise


def user_folder(kind: str) -> Path:
    """The folder for this user's "cache" or "data", where the platform has it; it is not made.

    A variable that holds no absolute path counts as unset, as the XDG specification says: it
    would name another folder wherever one is. EnvironmentFault if there is no home either.
    """
    default = {"cache": "~/.cache/tinycnn", "data": "~/.local/share/tinycnn"}[kind]
    try:
        folder = getattr(platformdirs, f"user_{kind}_dir")("tinycnn", appauthor=False)
    except RuntimeError:  # there is no home
        folder = default
    if not os.path.isabs(folder):  # an older platformdirs takes a variable at its word
        folder = os.path.expanduser(default)
    if not os.path.isabs(folder):
        raise EnvironmentFault(f"there is no home folder to keep {kind} in; set HOME")
    return Path(folder)


def sweep_temporaries(
    folder: PathLike, older_than: float = 3600.0, names: str = TEMPORARY_PREFIX + "*"
) -> list[Path]:
    """Remove what killed writers left in ``folder``, and tell what was removed.

    ``older_than`` is in seconds: whoever shares the folder with other writers waits an hour,
    whoever holds the folder's lock may pass 0.
    """
    swept = []
    horizon = time.time() - older_than
    for leftover in sorted(Path(folder).glob(names)):
        with contextlib.suppress(OSError):  # another sweeper was faster, or we may not write here
            if leftover.lstat().st_mtime <= horizon:
                leftover.unlink()
                swept.append(leftover)
    return swept


def refuse_to_overwrite(
    outputs: Iterable[PathLike | None], inputs: Iterable[PathLike | int | None]
) -> None:
    """Raise TinyCNNError if an output is the same file as an input, by any name or link.

    None is an option that was not given, a number an open file: 0 is standard input.
    """
    read = [source for source in inputs if source is not None and os.path.exists(source)]
    for output in outputs:
        target = None if output is None else os.path.realpath(output)  # as ``write_bytes`` takes it
        if target and os.path.exists(target) and any(os.path.samefile(target, z) for z in read):
            raise TinyCNNError(f"{output} is what is to be read; write to another file")


def optional_chart(path: PathLike, draw: Callable[[], bytes]) -> bool:
    """Write what ``draw`` returns to ``path``; tell whether that went well.

    Call it when all results are saved: any fault of drawing or writing, such as a matplotlib that
    is missing or broken, costs this chart and nothing else.
    """
    try:
        write_bytes(path, draw())
    except Exception as fault:
        reason = str(fault) or type(fault).__name__
        if isinstance(fault, ModuleNotFoundError) and fault.name == "matplotlib":
            reason = "it needs matplotlib: pip install 'tinycnn[report]'"
        print(f"warning: {path} is not drawn: {reason}", file=sys.stderr)
        return False
    return True


def _refuse_what_is_no_file(target: Path) -> None:
    """Replacing a device or a pipe would succeed, and destroy it."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a regular file")


def _replace(target: Path, payload: bytes) -> None:
    temporary = target.parent / (TEMPORARY_PREFIX + secrets.token_hex(8))
    try:
        # O_EXCL with 0666 lets the system apply the umask; tempfile would leave 0600.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with open(descriptor, "wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:  # Ctrl-C too must leave nothing behind
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def _append(target: Path, payload: bytes) -> None:
    with open(target, "ab", 0) as file:  # unbuffered: nothing is left to be written when it closes
        if file.write(payload) < len(payload):
            raise OSError(errno.ENOSPC, "only a part could be written")
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    if os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as fault:
        # Some network disks know no such thing as a folder to be forced out.
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def _sentence(path: PathLike, size: int, fault: OSError) -> str:
    if fault.errno in DISK_FULL:
        return f"no space left to write {path}: it needs {size:,} bytes; free some and try again"
    if isinstance(fault, FileNotFoundError):
        return f"cannot write {path}: the folder {Path(path).absolute().parent} does not exist"
    return f"cannot write {path}: {fault.strerror or fault}"
