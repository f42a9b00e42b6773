"""A run folder belongs to one process at a time, and every file in it is whole at every moment.

    config.json                  the resolved options, versions and fingerprints
    metrics.jsonl                one line per epoch, appended: the only file that grows
    weights.safetensors          of the last epoch that is among the best on validation
    checkpoint.safetensors       all that exact resume needs; checkpoint.prev.safetensors: the last
    result.json                  the outcome: the run is complete
    curves.svg                   loss and accuracy, if matplotlib is there
    report.html                  a report on one page, if you ask for it

When a process dies, the system drops its lock; a file that it was writing is never seen.
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
"""The name of the newest run under ``runs``, and of the file there that names its folder."""

DEFAULT = "default"
"""The name of the weights that come with the package."""

SHIPPED = Path(__file__).parent / "default.safetensors"


class _NameTaken(FolderInUse):
    """The folder to make exists already."""


class RunFolder:
    """The files of one run, and the lock that keeps other processes out.

    Use it in a ``with``, at the end of which the lock is released and a folder without any file is
    removed. The system drops the lock when the process dies, however it dies. (Some network file
    systems have no such locks.)
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
        self._place: os.stat_result | None = None
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
        network = "own" if " " in preset or "(" in preset else preset
        name = re.sub(r"[^\w.-]+", "-", f"{moment}-{dataset}-{network}-s{seed}")
        for number in itertools.count(1):
            folder = cls(RUNS / (name if number == 1 else f"{name}-{number}"))
            with contextlib.suppress(_NameTaken):  # by another run of the same second
                folder._claim(exist_ok=False)
                break
        return folder

    @classmethod
    def reopen(cls, path: PathLike) -> "RunFolder":
        """Lock the folder of a run to resume; RunError if there is none."""
        folder = cls(path)
        if not folder.is_resumable():
            raise RunError(f"there is no run to resume in {path}: it holds no checkpoint")
        with _faults_of(f"lock the run folder {path}"):
            folder._acquire()
        sweep_temporaries(folder.path, older_than=0)  # we have the lock, so no process uses them
        return folder

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Release the lock; remove a folder without any file."""
        if self._lock is None:
            return
        with contextlib.suppress(OSError):
            if not self._files():
                self._lock_file.unlink()
                for folder in self._made:
                    folder.rmdir()
        os.close(self._lock)
        self._lock = None

    def is_resumable(self) -> bool:
        """Return whether the folder holds a checkpoint."""
        return self.checkpoint.is_file() or self.previous.is_file()

    def write_checkpoint(self, payload: bytes) -> None:
        """Save a checkpoint; the previous one stays, under another name."""
        place = self._place  # of the folder that we have locked
        if place and self.path.exists() and not os.path.samestat(place, os.stat(self.path)):
            raise EnvironmentFault(f"{self.path} has been replaced by another folder")
        if self.checkpoint.exists():
            with _faults_of(f"keep the previous checkpoint in {self.path}"):
                self._keep_previous()
        write_bytes(self.checkpoint, payload)

    def fall_back(self) -> None:
        """Replace a damaged checkpoint by the previous one.

        Otherwise the next checkpoint would overwrite the only good one.
        """
        with _faults_of(f"put {self.previous} in place of {self.checkpoint}"):
            os.replace(self.previous, self.checkpoint)

    def write_json(self, path: Path, content: Any) -> None:
        """Save ``content`` as JSON for people and programs."""
        write_bytes(path, (to_json(content, indent=2) + "\n").encode())

    def point_last_here(self) -> None:
        """Let ``last`` mean this run, if it is in ``runs``."""
        if self.path.resolve().parent == RUNS.resolve():
            write_bytes(RUNS / LAST, f"{self.path.name}\n".encode())

    def _keep_previous(self) -> None:
        """Keep the checkpoint under its second name; it is never without its first."""
        spare = self.path / f"{TEMPORARY_PREFIX}previous"
        spare.unlink(missing_ok=True)
        try:
            os.link(self.checkpoint, spare)
        except OSError:  # a file system without links
            write_bytes(self.previous, self.checkpoint.read_bytes())
        else:
            os.replace(spare, self.previous)

    def _claim(self, exist_ok: bool) -> None:
        with _faults_of(f"make the run folder {self.path}"):
            self._made = self._make(exist_ok)
            if self._lock_file.exists() or not self._files():
                self._acquire()  # another program's folder gets no lock file from us
        if self._files():
            self.release()
            hint = f"continue with `resume` {typed(self.path)}, or " if self.is_resumable() else ""
            raise RunError(
                f"{self.path} has been used already; {hint}name a new folder with `run_dir`"
            )
        sweep_temporaries(self.path, older_than=0)  # of a process killed before its first file

    def _make(self, exist_ok: bool) -> list[Path]:
        """Make the folder and its missing parents; return all that were made."""
        ancestors = (self.path, *self.path.parents)
        missing = list(itertools.takewhile(lambda path: not os.path.lexists(path), ancestors))
        nearest = ancestors[len(missing)]
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

    def _files(self) -> list[str]:
        ours = (self._lock_file.name, TEMPORARY_PREFIX)
        return [name for name in os.listdir(self.path) if not name.startswith(ours)]

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
        self._lock, self._place = lock, os.stat(self.path)


def find_run(name: PathLike) -> Path:
    """Return the folder of the run ``name``: a path, or ``last`` for the newest one in ``runs``.

    A run begins when it is saved for the first time, before anything is compiled.
    """
    if str(name) != LAST:
        return Path(name)
    try:
        return RUNS / (RUNS / LAST).read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise RunError(f"there is no last run in {RUNS.absolute()}; name a run folder") from None


def typed(path: PathLike) -> str:
    """Return a path as it is typed after ``--resume``: quoted, not an option and not ``last``."""
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") or text == LAST else text)


def find_weights(name: PathLike) -> Path:
    """Return the weights file ``name``: a path, a run folder, ``last`` or ``default``."""
    if str(name) == DEFAULT:
        return SHIPPED
    path = find_run(name)
    return RunFolder(path).weights if path.is_dir() else path


@contextlib.contextmanager
def _faults_of(doing: str) -> Iterator[None]:
    try:
        yield
    except RunError:
        raise
    except OSError as fault:
        raise EnvironmentFault(f"cannot {doing}: {fault.strerror or fault}") from fault
