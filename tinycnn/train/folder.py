"""A run folder belongs to one process at a time, and every file in it is whole at every moment.

    config.json                  the resolved options, versions and fingerprints
    metrics.jsonl                one line an epoch, appended: the only file that grows
    weights.safetensors          of the last epoch that is among the best on validation
    checkpoint.safetensors       all that exact resume needs; checkpoint.prev.safetensors: before
    result.json                  the outcome: the run is complete
    curves.svg                   loss and accuracy, if matplotlib is there
    report.html                  all about it on one page, if it is asked for

A process that dies takes its lock with it, and what it was writing goes to nobody.
"""

import contextlib
import errno
import fcntl
import itertools
import os
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinycnn.errors import EnvironmentFault, FolderInUse, RunError
from tinycnn.files import TEMPORARY_PREFIX, PathLike, sweep_temporaries, to_json, write_bytes

RUNS = Path("runs")
LAST = "last"
"""The word for the newest run under ``runs``, and the name of the file there that names it."""

DEFAULT = "default"
"""The word for the weights that come with the package."""

SHIPPED = Path(__file__).parent / "default.safetensors"


class _NameTaken(FolderInUse):
    """A folder that was to be made is there already."""


class RunFolder:
    """The files of one run, and the lock that keeps other processes out.

    Use it in a ``with``: the lock lasts as long, and a folder in which nothing came to be is
    removed again. The system drops the lock when the process dies, however it dies. (Network
    disks may not know such locks.)
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.jsonl"
        self.weights = self.path / "weights.safetensors"
        self.checkpoint = self.path / "checkpoint.safetensors"
        self.previous = self.path / "checkpoint.prev.safetensors"
        self.curves = self.path / "curves.svg"
        self.result = self.path / "result.json"
        self._lock_file = self.path / ".lock"
        self._lock: int | None = None
        self._identity: tuple[int, int] | None = None
        self._made: list[Path] = []

    @classmethod
    def create(cls, path: PathLike) -> "RunFolder":
        """Make and lock a folder for a new run; RunError if it has been used."""
        folder = cls(path)
        folder._claim(exist_ok=True)
        return folder

    @classmethod
    def create_named(cls, dataset: str, preset: str, seed: int) -> "RunFolder":
        """Make and lock ``runs/<date-time>-<dataset>-<preset>-s<seed>``."""
        moment = time.strftime("%Y-%m-%d-%H%M%S")
        name = re.sub(r"[^\w.-]+", "-", f"{moment}-{dataset}-{preset}-s{seed}")
        for number in itertools.count(1):
            folder = cls(RUNS / (name if number == 1 else f"{name}-{number}"))
            with contextlib.suppress(_NameTaken):  # by another run of the same second
                folder._claim(exist_ok=False)
                break
        return folder

    @classmethod
    def reopen(cls, path: PathLike) -> "RunFolder":
        """Lock the folder of a run that is to go on; RunError if there is none."""
        folder = cls(path)
        if not folder.is_resumable():
            raise RunError(f"there is no run to resume in {path}: it holds no checkpoint")
        with _told_as_fault(f"lock the run folder {path}"):
            folder._acquire()
        sweep_temporaries(folder.path, older_than=0)  # ours is the lock, so they are nobody's
        return folder

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Give the lock back; a folder in which nothing came to be is removed."""
        if self._lock is None:
            return
        with contextlib.suppress(OSError):
            if not self._holdings():
                self._lock_file.unlink()
                for folder in self._made:
                    folder.rmdir()
        os.close(self._lock)
        self._lock = None

    @contextlib.contextmanager
    def released_on_failure(self) -> Iterator[None]:
        """A ``with`` that keeps the lock if all goes well, and gives it back if not."""
        try:
            yield
        except BaseException:  # Ctrl-C too
            self.release()
            raise

    def is_resumable(self) -> bool:
        """Whether it holds a checkpoint."""
        return self.checkpoint.is_file() or self.previous.is_file()

    def write_checkpoint(self, payload: bytes) -> None:
        """Save a checkpoint; the one before it stays, under its second name."""
        self._refuse_replaced()
        if self.checkpoint.exists():
            with _told_as_fault(f"keep the previous checkpoint in {self.path}"):
                self._keep_previous()
        write_bytes(self.checkpoint, payload)

    def fall_back(self) -> None:
        """Let the previous checkpoint take the place of a damaged one, which is dropped.

        Otherwise the next checkpoint would push out the only good one there is.
        """
        with _told_as_fault(f"put {self.previous} in place of {self.checkpoint}"):
            os.replace(self.previous, self.checkpoint)

    def write_json(self, path: Path, content: Any) -> None:
        """Save ``content`` for people and programs to read."""
        write_bytes(path, (to_json(content, indent=2) + "\n").encode())

    def point_last_here(self) -> None:
        """Let ``last`` mean this run, if it lies in ``runs``."""
        if self.path.resolve().parent == RUNS.resolve():
            write_bytes(RUNS / LAST, f"{self.path.name}\n".encode())

    def _keep_previous(self) -> None:
        """The name ``checkpoint.safetensors`` is never without its file, not for a moment."""
        spare = self.path / f"{TEMPORARY_PREFIX}previous"
        spare.unlink(missing_ok=True)
        try:
            os.link(self.checkpoint, spare)
        except OSError:  # a disk that knows no links
            write_bytes(self.previous, self.checkpoint.read_bytes())
        else:
            os.replace(spare, self.previous)

    def _claim(self, exist_ok: bool) -> None:
        with _told_as_fault(f"make the run folder {self.path}"):
            self._made = self._make(exist_ok)
            if self._lock_file.exists() or not self._holdings():
                self._acquire()  # a stranger's folder gets no lock file from us
        if self._holdings():
            self.release()
            way = f"go on with `resume` {typed(self.path)}, or " if self.is_resumable() else ""
            raise RunError(
                f"{self.path} has been used already; {way}name a new folder with `run_dir`"
            )
        sweep_temporaries(self.path, older_than=0)  # of one that was killed before its first file

    def _make(self, exist_ok: bool) -> list[Path]:
        """Make the folder, and tell which ones that took."""
        lineage = (self.path, *self.path.parents)
        missing = list(itertools.takewhile(lambda path: not os.path.lexists(path), lineage))
        nearest = lineage[len(missing)]
        if not nearest.is_dir():
            kind = "a file" if nearest.exists() else "a link that leads nowhere"
            if missing:
                raise NotADirectoryError(errno.ENOTDIR, f"{nearest} is {kind}")
            raise RunError(f"{self.path} is {kind}; name a new folder with `run_dir`")
        try:
            self.path.mkdir(parents=True, exist_ok=exist_ok)
        except FileExistsError:
            raise _NameTaken(f"{self.path} has just been made by another training") from None
        return missing

    def _refuse_replaced(self) -> None:
        """Nothing is written into a folder that has taken the place of ours."""
        if self._identity and _identity(self.path) not in (None, self._identity):
            raise EnvironmentFault(f"{self.path} has been replaced by another folder")

    def _holdings(self) -> list[str]:
        ours = (self._lock_file.name,)
        return [
            name
            for name in os.listdir(self.path)
            if name not in ours and not name.startswith(TEMPORARY_PREFIX)
        ]

    def _acquire(self) -> None:
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock).st_ino != os.stat(self._lock_file).st_ino:
                raise BlockingIOError  # removed by its owner before we got it, and made anew
        except (BlockingIOError, FileNotFoundError):
            owner = os.read(lock, 20).decode(errors="replace").strip()
            os.close(lock)
            raise FolderInUse(
                f"{self.path} is in use by another training (process {owner or 'unknown'}); "
                "wait for it, or name another folder with `run_dir`"
            ) from None
        os.truncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock, self._identity = lock, _identity(self.path)


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a folder from any other; None if there is none."""
    with contextlib.suppress(OSError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return None


def find_run(name: PathLike) -> Path:
    """The folder of the run ``name``: a path, or ``last`` for the one in ``runs`` begun last.

    A run has begun when it is saved for the first time, before anything is compiled.
    """
    if str(name) != LAST:
        return Path(name)
    try:
        return RUNS / (RUNS / LAST).read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise RunError(f"there is no last run in {RUNS.absolute()}; name a run folder") from None


def typed(path: PathLike) -> str:
    """A path as one types it after ``--resume``: quoted, and no option or ``last``."""
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") or text == LAST else text)


def find_weights(name: PathLike) -> Path:
    """The weights file ``name``: a path, a run folder, ``last``, or ``default``: the shipped."""
    if str(name) == DEFAULT:
        return SHIPPED
    path = find_run(name)
    return RunFolder(path).weights if path.is_dir() else path


@contextlib.contextmanager
def _told_as_fault(doing: str) -> Iterator[None]:
    try:
        yield
    except RunError:
        raise
    except OSError as fault:
        raise EnvironmentFault(f"cannot {doing}: {fault.strerror or fault}") from fault
