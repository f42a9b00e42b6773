"""A run folder belongs to one process at a time, and every file in it is whole at every moment.

    config.json                  the resolved options, versions and fingerprints
    metrics.jsonl                one line per epoch, appended: the only file that grows
    weights.safetensors          of the last epoch that is among the best on validation
    checkpoint.safetensors       all that exact resume needs; checkpoint.prev.safetensors: the last
    result.json                  the outcome: the run is complete
    curves.svg                   loss and accuracy, if matplotlib is there
    report.html                  a report on one page, if you ask for it

However a process dies, the system drops its lock (some network file systems have no locks); a file
that it was writing is never seen.
"""

import fcntl
import os
import re
import shlex
from pathlib import Path

from tinycnn.errors import RunError, WeightsError
from tinycnn.files import TEMPORARY_PREFIX, PathLike, sweep_temporaries, unused, write_bytes

LOCK = ".lock"
RUNS = Path("runs")
LAST = "last"
"""The name of the newest run under ``runs``, and of the file there that names its folder."""

DEFAULT = "default"
"""The name of the weights that come with the package."""

SHIPPED = Path(__file__).parent / "default.safetensors"


class RunFolder:
    """The files of one run, and the lock that keeps other processes out until ``release``."""

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.jsonl"
        self.weights = self.path / "weights.safetensors"
        self.checkpoint = self.path / "checkpoint.safetensors"
        self.previous = self.path / "checkpoint.prev.safetensors"
        self.curves = self.path / "curves.svg"
        self.result = self.path / "result.json"
        self._lock: int | None = None

    @classmethod
    def create(cls, path: PathLike) -> "RunFolder":
        """Make and lock a folder for a new run; RunError if it has been used."""
        folder = cls(path)
        folder.path.mkdir(parents=True, exist_ok=True)
        if (folder.path / LOCK).exists() or not folder._is_used():
            folder._acquire()  # another program's folder gets no lock file from us
        if folder._is_used():
            folder.release()
            hint = f"continue with `resume` {typed(path)}, or " if folder.is_resumable() else ""
            raise RunError(f"{path} has been used already; {hint}name a new folder with `run_dir`")
        return folder

    @classmethod
    def reopen(cls, path: PathLike) -> "RunFolder":
        """Lock the folder of a run to resume; RunError if there is none."""
        folder = cls(path)
        if not folder.is_resumable():
            raise RunError(f"there is no run to resume in {path}: it holds no checkpoint")
        folder._acquire()
        return folder

    def _is_used(self) -> bool:
        return any(not name.startswith((LOCK, TEMPORARY_PREFIX)) for name in os.listdir(self.path))

    def _acquire(self) -> None:
        lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(lock, 20).decode(errors="replace").strip()
            os.close(lock)
            raise RunError(
                f"{self.path} is in use by another training (process {owner or 'unknown'}); "
                "wait for it, or name another folder with `run_dir`"
            ) from None
        os.truncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock
        sweep_temporaries(self.path, older_than=0)  # we have the lock, so no process uses them

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def is_resumable(self) -> bool:
        return self.checkpoint.is_file() or self.previous.is_file()

    def write_checkpoint(self, payload: bytes) -> None:
        """Save a checkpoint; the previous one stays, under another name."""
        if self.checkpoint.exists():
            os.replace(self.checkpoint, self.previous)
        write_bytes(self.checkpoint, payload)

    def point_last_here(self) -> None:
        """Let ``last`` mean this run, if it is in ``runs``."""
        if self.path.resolve().parent == RUNS.resolve():
            write_bytes(RUNS / LAST, f"{self.path.name}\n".encode())


def new_name(dataset: str, preset: str, seed: int) -> Path:
    """Return ``runs/<date-time>-<dataset>-<preset>-s<seed>``, a name that is not used yet."""
    network = "own" if " " in preset or "(" in preset else preset
    name = re.sub(r"[^\w.-]+", "-", f"{dataset}-{network}-s{seed}")
    return unused(RUNS, f"%Y-%m-%d-%H%M%S-{name}")


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
    if not isinstance(name, str | os.PathLike):
        raise WeightsError(f"{name!r} names no weights; give a file, a run folder, last or default")
    path = find_run(name)
    return RunFolder(path).weights if path.is_dir() else path
