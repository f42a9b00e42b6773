"""Fuzzing: mutated files without number, and every one is read or refused as documented.

A file takes too long after a second of processor time. While files are read, nothing may be
written but the fuzzer's own file, no program be started, and no connection be made.
"""

import contextlib
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np

from benchmarks.machine import peak_megabytes
from tests.reliability.findings import Finding
from tests.reliability.mutations import Format
from tests.reliability.targets import FORMATS, own_file_written

SLOW = 1.0  # seconds of processor time
STUCK = 60  # seconds, after which a file is given up
WARMUP = 20  # files that do not count
TOLERATED = 200  # MB that reading may make the process grow by
FORBIDDEN = ("os.system", "subprocess.Popen", "os.exec", "os.fork", "socket.connect")


class StuckError(Exception):
    """A file that is still being read after a minute."""


class Guard:
    """Watches the process while files are read; an audit hook cannot be removed again."""

    def __init__(self) -> None:
        self.on, self.seen = False, ""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, details: tuple) -> None:
        if not self.on:
            return
        writes = event == "open" and isinstance(details[1], str) and set(details[1]) & set("wax+")
        made_up = event == "exec" and not Path(getattr(details[0], "co_filename", "")).exists()
        if writes or made_up or event in FORBIDDEN:
            self.seen = f"{event} {details[:2]}"

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        self.on, self.seen = True, ""
        try:
            yield
        finally:
            self.on = False


def fuzz(name: str, count: int, seed: int = 0) -> Finding:
    """Read ``count`` mutated files of one format."""
    form = FORMATS[name]
    finding = Finding(f"{name} are read or refused as documented", f"mutations, seed {seed}", count)
    for number in range(WARMUP):  # importing and compiling once do not count
        with contextlib.suppress(Exception):
            form.accepts(form.mutate(np.random.default_rng([seed, count + number])))
    guard, before, accepted, slowest = Guard(), peak_megabytes(), 0, 0.0
    for number in range(count):
        outcome = read_one(form, form.mutate(np.random.default_rng([seed, number])), guard)
        finding.breaches += [f"file {number}: {what}" for what in outcome.breaches]
        accepted += outcome.read
        slowest = max(slowest, outcome.seconds)
    grown = peak_megabytes() - before
    if grown > TOLERATED:
        finding.breaches.append(f"the process grew by {grown} MB")
    finding.note = f"{accepted:,} read, slowest {1000 * slowest:.0f} ms, grew by {grown} MB"
    return finding


@dataclass
class Outcome:
    """The result of one file."""

    read: bool = False
    seconds: float = 0.0
    breaches: list[str] = field(default_factory=list)


def read_one(form: Format, data: bytes, guard: Guard) -> Outcome:
    """Read one file under the guard."""
    outcome, started = Outcome(), time.thread_time()
    try:
        with out_of_time(), own_file_written(data), guard.watching():
            outcome.read = form.accepts(data)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}"
        outcome.breaches.append(f"{type(error).__name__} {error} at {where}")
    outcome.seconds = time.thread_time() - started
    if outcome.seconds > SLOW:
        outcome.breaches.append(f"took {outcome.seconds:.1f} s")
    if guard.seen:
        outcome.breaches.append(guard.seen)
    return outcome


@contextlib.contextmanager
def out_of_time() -> Iterator[None]:
    """Raise StuckError in the ``with`` after a minute."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise StuckError(f"still being read after {STUCK} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(STUCK)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
