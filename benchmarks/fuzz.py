"""Fuzzing: strange files without number, and every one is read or refused as documented.

    python -m benchmarks.fuzz                        all formats, as often as promised
    python -m benchmarks.fuzz --short                a thousandth of it
    python -m benchmarks.fuzz weights --seed 5       one format, other files
    python -m benchmarks.fuzz weights --guided 600   atheris, which looks for new ways through
                                                     the code, for ten minutes

A file takes too long after a second of processor time. While files are read, nothing may be
written but what the fuzzer writes itself, no program be started, and no connection be made.
"""

import argparse
import contextlib
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np

from benchmarks.command import progress
from benchmarks.findings import Finding, peak_megabytes, report

SLOW = 1.0  # seconds of processor time
STUCK = 60  # seconds, after which a file is given up
WARMUP = 20  # files that do not count
TOLERATED = 200  # MB that reading may make the process grow by
FORBIDDEN = ("os.system", "subprocess.Popen", "os.exec", "os.fork", "socket.connect")


class StuckError(Exception):
    """A file that is still being read after a minute."""


class Guard:
    """Sees what the process does while files are read; a hook cannot be taken away again."""

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
    """Read ``count`` mutants of one format."""
    from benchmarks.targets import FORMATS

    mutate, read, _ = FORMATS[name]
    finding = Finding(f"{name} are read or refused as documented", f"mutants, seed {seed}", count)
    for number in range(WARMUP):  # what is loaded or compiled once is nobody's fault
        with contextlib.suppress(Exception):
            read(mutate(np.random.default_rng([seed, count + number])))
    guard, before, accepted, slowest = Guard(), peak_megabytes(), 0, 0.0
    for number in range(count):
        outcome = read_one(read, mutate(np.random.default_rng([seed, number])), guard)
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
    """What came of one file."""

    read: bool = False
    seconds: float = 0.0
    breaches: list[str] = field(default_factory=list)


def read_one(read: Callable[[bytes], bool], data: bytes, guard: Guard) -> Outcome:
    """Read one file and see what happens."""
    from benchmarks.targets import own_file_written

    outcome, started = Outcome(), time.thread_time()
    try:
        with out_of_time(), own_file_written(data), guard.watching():
            outcome.read = read(data)
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


def guided(name: str, seconds: int) -> None:
    """Let atheris look for files that take new ways through the code; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["tinycnn", "apps"]):
        from benchmarks.targets import FORMATS, own_file_written

    mutate, read, _ = FORMATS[name]

    def one(data: bytes) -> None:
        with own_file_written(data):
            read(data)

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        if seed % 2:
            return mutate(np.random.default_rng(seed))[:most]
        return atheris.Mutate(data, most)

    words = [sys.argv[0], f"-max_total_time={seconds}", "-rss_limit_mb=4096", "-timeout=10"]
    atheris.Setup(words, one, custom_mutator=mutated)
    atheris.Fuzz()


def findings(share: float = 1.0, seed: int = 0, names: list[str] | None = None) -> list[Finding]:
    """Fuzz the formats, each with this share of the files that are promised."""
    from benchmarks.targets import FORMATS

    with progress() as tell:
        found = []
        for name in names or FORMATS:
            count = max(1, int(share * FORMATS[name][2]))
            tell(f"{name}: {count:,} files")
            found.append(fuzz(name, count, seed))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("formats", metavar="FORMAT", nargs="*", help="all, if none is named")
    parser.add_argument("--short", action="store_true", help="a thousandth of the files")
    parser.add_argument("--share", metavar="X", type=float, default=1.0, help="part of the files")
    parser.add_argument("--seed", metavar="N", type=int, default=0)
    parser.add_argument("--guided", metavar="SECONDS", type=int, help="use atheris")
    options = parser.parse_args()
    if options.guided:
        guided(options.formats[0], options.guided)
    share = 0.001 if options.short else options.share
    return report(findings(share, options.seed, options.formats))


if __name__ == "__main__":
    raise SystemExit(main())
