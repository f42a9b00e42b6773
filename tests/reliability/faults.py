"""Fault injection: every single call that a save makes fails once, and nothing is ever torn.

A save is run again and again. First its first call fails, then its second, until it gets
through; with a full disk, a bad disk, Ctrl-C, and death by SIGKILL; for one call, or from that
call on for ever. Half of what was to be written is written before a write fails. Afterwards each
file must hold its old bytes or its new ones, and the next run must find no litter.
"""

import contextlib
import errno
import io
import itertools
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from tests.reliability.findings import Finding
from tinycnn import files
from tinycnn.errors import EnvironmentFault
from tinycnn.files import sweep_temporaries, write_bytes
from tinycnn.train.folder import RunFolder

OLDER, OLD, NEW = (letter * 50_000 for letter in (b"a", b"b", b"c"))
CALLS = ("open", "fsync", "replace", "close", "unlink")
"""What a save asks the system for, besides writing."""

FAULTS: dict[str, BaseException | None] = {
    "full disk": OSError(errno.ENOSPC, "No space left on device"),
    "bad disk": OSError(errno.EIO, "Input/output error"),
    "Ctrl-C": KeyboardInterrupt(),
    "SIGKILL": None,
}

State = dict[str, bytes]
"""What a folder holds, by name."""


class Save(NamedTuple):
    """Something that is saved, and the states that its folder may be in, from old to new."""

    states: list[State]
    run: Callable[[Path], None]


NEWEST, PREVIOUS = "checkpoint.safetensors", "checkpoint.prev.safetensors"
SAVES = {
    "a new file": Save([{}, {"file": NEW}], lambda at: write_bytes(at / "file", NEW)),
    "a file": Save([{"file": OLD}, {"file": NEW}], lambda at: write_bytes(at / "file", NEW)),
    "a checkpoint": Save(
        [{NEWEST: OLD, PREVIOUS: OLDER}, {PREVIOUS: OLD}, {NEWEST: NEW, PREVIOUS: OLD}],
        lambda at: RunFolder(at).write_checkpoint(NEW),
    ),
}


class Injector:
    """Counts calls; lets the ``number``-th one fail, and with ``forever`` all after it."""

    def __init__(self, fault: str, number: int, forever: bool) -> None:
        self._fault, self._number, self._forever, self.count = FAULTS[fault], number, forever, 0

    def strike(self, first: Callable[[], object] = lambda: None) -> None:
        """Count a call, and fail if it is its turn, after having done something ``first``."""
        self.count += 1
        if self.count == self._number or (self._forever and self.count > self._number):
            first()
            if self._fault:
                raise self._fault
            os.kill(os.getpid(), signal.SIGKILL)

    def call(self, genuine: Callable) -> Callable:
        """``genuine``, which fails when it is its turn."""

        def called(*arguments: Any, **options: Any) -> Any:
            self.strike()
            return genuine(*arguments, **options)

        return called

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """In the ``with``, whatever ``tinycnn.files`` asks the system for may fail."""
        injector = self

        class File(io.FileIO):
            def write(self, payload: Any) -> int:
                half = payload[: len(payload) // 2]
                injector.strike(lambda: super(File, self).write(half))
                return super().write(payload)

        with contextlib.ExitStack() as stack:
            for name in CALLS:
                patched = self.call(getattr(os, name))
                stack.enter_context(mock.patch.object(os, name, patched))
            stack.enter_context(mock.patch.object(files, "open", self.call(File), create=True))
            yield


def attempt(save: Save, fault: str, number: int, forever: bool, folder: Path) -> tuple[int, bool]:
    """Save once with a fault; returns how many calls there were, and whether it went well."""
    injector = Injector(fault, number, forever)
    with injector.at_work():
        try:
            save.run(folder)
        except (EnvironmentFault, OSError, KeyboardInterrupt):
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


def tried(name: str, fault: str, forever: bool = False) -> Finding:
    """One save with one fault at each of its calls in turn."""
    save, how = SAVES[name], "for ever" if forever else "once"
    finding = Finding("a save is all or nothing", f"{name}: {fault} at every call, {how}")
    for number in itertools.count(1):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            for file, content in save.states[0].items():
                (folder / file).write_bytes(content)
            if fault == "SIGKILL":
                count, saved = attempt_elsewhere(name, number, folder)
            else:
                count, saved = attempt(save, fault, number, forever, folder)
            if count < number:  # the fault never came: the save got through
                break
            finding.times += 1
            sweep_temporaries(folder, older_than=0)  # as the next run does, which holds the lock
            found = {path.name: path.read_bytes() for path in folder.iterdir()}
            if found not in (save.states[-1:] if saved else save.states):
                finding.breaches.append(f"call {number}: {sorted(found)} torn, gone or litter")
    return finding


def findings() -> Iterator[Finding]:
    for name, fault in itertools.product(SAVES, FAULTS):
        yield tried(name, fault)
        if fault != "SIGKILL":  # one dies only once
            yield tried(name, fault, forever=True)
