"""Fuzzing: mutated files without number, and every one is read or refused as documented.

A file takes too long after a second of processor time. While files are read, nothing may be
written but the fuzzer's own file, no program be started, and no connection be made.
"""

import contextlib
import faulthandler
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.machine import peak_megabytes
from tests.reliability.findings import Finding
from tests.reliability.mutations import Format
from tests.reliability.targets import FORMATS, write_own_file

SLOW = 1.0  # seconds of processor time
STUCK = 60  # seconds, after which the process shows where it is, and ends
WARMUP = 20  # files that do not count
TOLERATED = 200  # MB that reading may make the process grow by
FORBIDDEN = ("os.system", "subprocess.Popen", "os.exec", "os.fork", "socket.connect")


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
        faulthandler.dump_traceback_later(STUCK, exit=True)
        try:
            yield
        finally:
            self.on = False
            faulthandler.cancel_dump_traceback_later()


def fuzz(name: str, count: int, seed: int = 0) -> Finding:
    """Read ``count`` mutated files of one format."""
    form = FORMATS[name]
    finding = Finding(f"{name} are read or refused as documented", f"mutations, seed {seed}", count)
    for number in range(WARMUP):  # importing and compiling once do not count
        with contextlib.suppress(Exception):
            form.accepts(form.mutate(np.random.default_rng([seed, count + number])))
    guard, before, accepted, slowest = Guard(), peak_megabytes(), 0, 0.0
    for number in range(count):
        data, started = form.mutate(np.random.default_rng([seed, number])), time.thread_time()
        read, breaches = read_one(form, data, guard)
        seconds = time.thread_time() - started
        breaches += [f"took {seconds:.1f} s"] if seconds > SLOW else []
        finding.breaches += [f"file {number}: {what}" for what in breaches]
        accepted += read
        slowest = max(slowest, seconds)
    grown = peak_megabytes() - before
    if grown > TOLERATED:
        finding.breaches.append(f"the process grew by {grown} MB")
    finding.note = f"{accepted:,} read, slowest {1000 * slowest:.0f} ms, grew by {grown} MB"
    return finding


def read_one(form: Format, data: bytes, guard: Guard) -> tuple[bool, list[str]]:
    """Read one file under the guard; return whether it was read, and what went wrong."""
    read, breaches = False, []
    write_own_file(data)
    try:
        with guard.watching():
            read = form.accepts(data)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}"
        breaches.append(f"{type(error).__name__} {error} at {where}")
    return read, breaches + ([guard.seen] if guard.seen else [])
