"""Fault injection: every single call that a save makes fails once, and nothing is ever torn.

A save is run again and again. First its first call fails, then its second, until it gets
through; with a full disk, a bad disk, Ctrl-C, and death by SIGKILL; for one call, or from that
call on for ever. Half of what was to be written is written before a write fails. Afterwards each
file must hold its old bytes or its new ones, and the next run must find no litter.
"""

import contextlib
import errno
import itertools
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

from tests.reliability.findings import Finding
from tinycnn import files
from tinycnn.errors import EnvironmentFault
from tinycnn.files import sweep_temporaries, write_bytes
from tinycnn.train.folder import RunFolder

OLDER, OLD, NEW = (letter * 50_000 for letter in (b"a", b"b", b"c"))
CALLS = ("open", "fsync", "replace", "close", "link", "unlink")
"""What a save asks the system for, besides writing."""

FAULTS: dict[str, Callable[[], Any]] = {
    "full disk": lambda: _fail(OSError(errno.ENOSPC, "No space left on device")),
    "bad disk": lambda: _fail(OSError(errno.EIO, "Input/output error")),
    "Ctrl-C": lambda: _fail(KeyboardInterrupt()),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
}


@dataclass(frozen=True)
class Save:
    """Something that is saved into a folder, and the content that each name may have afterwards."""

    before: dict[str, bytes]
    allowed: dict[str, tuple[bytes | None, ...]]
    """From what may have been there to what has to be there now; None: no such file."""

    run: Callable[[Path], None]


def _checkpoint(folder: Path) -> None:
    RunFolder(folder).write_checkpoint(NEW)


def _checkpoint_without_links(folder: Path) -> None:
    with mock.patch.object(os, "link", side_effect=OSError(errno.EPERM, "no links here")):
        _checkpoint(folder)


NEWEST, PREVIOUS = "checkpoint.safetensors", "checkpoint.prev.safetensors"
_PAIR = {NEWEST: OLD, PREVIOUS: OLDER}
_PAIR_AFTER: dict[str, tuple[bytes | None, ...]] = {NEWEST: (OLD, NEW), PREVIOUS: (OLDER, OLD)}

SAVES = {
    "a new file": Save({}, {"file": (None, NEW)}, lambda at: write_bytes(at / "file", NEW)),
    "a file": Save({"file": OLD}, {"file": (OLD, NEW)}, lambda at: write_bytes(at / "file", NEW)),
    "a checkpoint": Save(_PAIR, _PAIR_AFTER, _checkpoint),
    "a checkpoint without links": Save(_PAIR, _PAIR_AFTER, _checkpoint_without_links),
}


class Injector:
    """Counts calls; lets the ``number``-th one fail, and with ``forever`` all after it."""

    def __init__(self, fault: str, number: int, forever: bool) -> None:
        self._strike, self.number, self._forever = FAULTS[fault], number, forever
        self.count = 0

    def due(self) -> bool:
        """Count a call and return whether it is to fail."""
        self.count += 1
        return self.count == self.number or (self._forever and self.count > self.number)

    def call(self, genuine: Callable) -> Callable:
        """``genuine``, which fails when it is its turn."""

        def called(*arguments: Any, **options: Any) -> Any:
            if self.due():
                self._strike()
            return genuine(*arguments, **options)

        return called

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """In the ``with``, whatever ``tinycnn.files`` asks the system for may fail."""
        with contextlib.ExitStack() as stack:
            for name in CALLS:
                patched = self.call(getattr(os, name))
                stack.enter_context(mock.patch.object(os, name, patched))
            stack.enter_context(mock.patch.object(files, "open", self._open, create=True))
            yield

    def _open(self, *arguments: Any) -> Any:
        if self.due():
            self._strike()
        return _File(open(*arguments), self)

    def write(self, file: Any, payload: bytes) -> None:
        """Write all of ``payload``, or half of it and fail."""
        if self.due():
            file.write(payload[: len(payload) // 2])
            file.flush()
            self._strike()
        file.write(payload)


class _File:
    """A file whose writes may fail."""

    def __init__(self, file: Any, injector: Injector) -> None:
        self._file, self._injector = file, injector
        self.flush, self.fileno = injector.call(file.flush), file.fileno

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, payload: bytes) -> None:
        self._injector.write(self._file, payload)


def attempt(save: Save, fault: str, number: int, forever: bool, folder: Path) -> tuple[int, bool]:
    """Save once with a fault; returns how many calls there were, and whether it went well."""
    injector = Injector(fault, number, forever)
    with injector.at_work():
        try:
            save.run(folder)
        except (EnvironmentFault, KeyboardInterrupt):
            return injector.count, False
    return injector.count, True


def attempt_elsewhere(name: str, number: int, folder: Path) -> tuple[int, bool]:
    """The same in a process that dies at that call, if there are so many."""
    process = get_context("spawn").Process(target=_die, args=(name, number, folder))
    process.start()
    process.join()
    if process.exitcode == -signal.SIGKILL:
        return number, False
    assert process.exitcode is not None
    return process.exitcode, True


def _die(name: str, number: int, folder: Path) -> None:
    """Save; where no call was fatal, the exit code is their number."""
    raise SystemExit(attempt(SAVES[name], "SIGKILL", number, False, folder)[0])


def breaches_of(save: Save, saved: bool, folder: Path) -> Iterator[str]:
    """What is wrong in ``folder`` after a save that went well, or did not."""
    for name, versions in save.allowed.items():
        path, allowed = folder / name, versions[-1:] if saved else versions
        if (path.read_bytes() if path.exists() else None) not in allowed:
            yield f"{name} is torn or gone"
    sweep_temporaries(folder, older_than=0)  # as the next run does, which holds the lock
    litter = {path.name for path in folder.iterdir()} - set(save.allowed)
    if litter:
        yield f"litter: {litter}"


def tried(name: str, fault: str, forever: bool = False) -> Finding:
    """One save with one fault at each of its calls in turn."""
    save, how = SAVES[name], "for ever" if forever else "once"
    finding = Finding("a save is all or nothing", f"{name}: {fault} at every call, {how}")
    for number in itertools.count(1):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            for file, content in save.before.items():
                (folder / file).write_bytes(content)
            if fault == "SIGKILL":
                count, saved = attempt_elsewhere(name, number, folder)
            else:
                count, saved = attempt(save, fault, number, forever, folder)
            if count < number:  # the fault never came: the save got through
                break
            finding.times += 1
            found = breaches_of(save, saved, folder)
            finding.breaches += [f"call {number}: {what}" for what in found]
    return finding


def findings() -> Iterator[Finding]:
    """All saves with all faults."""
    for name, fault in itertools.product(SAVES, FAULTS):
        yield tried(name, fault)
        if fault != "SIGKILL":  # one dies only once
            yield tried(name, fault, forever=True)


def _fail(fault: BaseException) -> None:
    raise fault
