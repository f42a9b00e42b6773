"""A kill storm: training is killed at every moment, goes on, and ends with the same bytes.

Real ``python -m tinycnn.train`` processes are killed with SIGKILL: while they start, at random
instants of training, and at the moment a file is being written; others get Ctrl-C or SIGTERM.
Then the run goes on, is killed again, and so forth to its end. And two processes at a time race
for one folder.
"""

import contextlib
import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.reliability.findings import Finding
from tests.reliability.small_runs import finish, make_data, start
from tinycnn.errors import TinyCNNError
from tinycnn.files import OUR_TEMPORARIES
from tinycnn.nn import Sequential
from tinycnn.train import checkpoint
from tinycnn.train.folder import RunFolder

KILLS, SIGNALS, RACES = 100, 30, 50
STARTING = 3.0  # seconds in which a process imports and compiles, about
TRAINING = 1.0  # seconds of training, about
PATIENCE = 120.0  # seconds that anything may take
ALONE = ("--threads", "1")

READERS: dict[str, Callable[[Path], object]] = {
    "config.json": lambda path: json.loads(path.read_bytes()),
    "result.json": lambda path: json.loads(path.read_bytes()),
    "metrics.jsonl": lambda path: [json.loads(line) for line in path.read_text().splitlines()],
    "weights.safetensors": Sequential.load,
    "checkpoint.safetensors": checkpoint.read,
    "checkpoint.prev.safetensors": checkpoint.read,
}


def breaches_of(folder: Path) -> Iterator[str]:
    """Which of the files in a run folder are not whole."""
    for name, read in READERS.items():
        try:
            if (folder / name).exists():
                read(folder / name)
        except (TinyCNNError, ValueError) as error:
            yield f"{name} is torn: {error}"


def is_writing(run: Path) -> bool:
    return any(run.glob(OUR_TEMPORARIES))


def wait_until_it_trains(process: subprocess.Popen, run: Path) -> None:
    """Return when it has written checkpoints after the one there is, or its first; or has ended."""
    end, seen = time.monotonic() + PATIENCE, set[int]()
    while process.poll() is None and time.monotonic() < end and len(seen) < 3:
        with contextlib.suppress(FileNotFoundError):
            seen.add((run / "checkpoint.safetensors").stat().st_mtime_ns)
        time.sleep(0.01)


class Storm:
    """Runs that are disturbed again and again, and must end with the bytes of one that is not."""

    def __init__(self, place: Path, finding: Finding) -> None:
        self.place, self.finding, self.rng = place, finding, np.random.default_rng(0)
        self.data, self.runs, self.words = make_data(place / "data"), 0, ""
        self.run = place / "undisturbed"
        self.expected = finish(start(self.data, self.run, *ALONE), self.run)
        self._begin_another()

    def _begin_another(self) -> None:
        self.runs += 1
        self.run = self.place / f"run{self.runs}"
        self.run.mkdir()

    def finish(self) -> None:
        """Let the present run come to its end undisturbed, compare, and begin another."""
        try:
            if finish(start(self.data, self.run, *ALONE), self.run) != self.expected:
                self.finding.breaches.append(f"{self.run.name} ended with other weights")
        except RuntimeError as error:
            self.finding.breaches.append(str(error))
        self._begin_another()

    def disturb(self, number: int, wait: Callable[[subprocess.Popen], None]) -> float | None:
        """Start or resume the run and send it a signal; None if it was complete before.

        Return the seconds until the process ended; its last words are in ``words``.
        """
        process = start(self.data, self.run, *ALONE)
        wait(process)
        sent = time.monotonic()
        process.send_signal(number)
        _, self.words = process.communicate(timeout=PATIENCE)
        if process.returncode == 0:
            self.finish()
            return None
        self.finding.times += 1
        self.finding.breaches += breaches_of(self.run)
        if process.returncode != (-number if number == signal.SIGKILL else 128 + number):
            self.finding.breaches.append(f"exit code {process.returncode}")
        return time.monotonic() - sent

    def starts(self, process: subprocess.Popen) -> None:
        time.sleep(self.rng.uniform(0, STARTING))

    def trains(self, process: subprocess.Popen) -> None:
        """Wait until it trains, and somewhat longer."""
        wait_until_it_trains(process, self.run)
        time.sleep(self.rng.uniform(0, TRAINING / 2))

    def writes(self, process: subprocess.Popen) -> None:
        """Wait until it writes a file."""
        self.trains(process)
        end = time.monotonic() + TRAINING
        while not is_writing(self.run) and process.poll() is None and time.monotonic() < end:
            time.sleep(0)


def kill_storm(place: Path, kills: int) -> Finding:
    finding = Finding("a killed run loses nothing and ends with the same bytes", "SIGKILL")
    storm, writing = Storm(place, finding), 0
    moments = (storm.starts, storm.trains, *[storm.writes] * 6)  # half of these come too late
    for number in range(4 * kills):
        if finding.times < kills and storm.disturb(signal.SIGKILL, moments[number % 8]):
            writing += is_writing(storm.run)
    storm.finish()
    finding.note = f"{writing} times inside a write, {storm.runs - 1} runs"
    return finding


def signal_storm(place: Path, signals: int) -> Finding:
    finding = Finding("signals save, say how to go on, and exit 130 or 143", "Ctrl-C, SIGTERM")
    storm, seconds = Storm(place, finding), [0.0]
    while finding.times < signals:
        number = (signal.SIGINT, signal.SIGTERM)[finding.times % 2]
        if took := storm.disturb(number, storm.trains):
            seconds.append(took)
            if "--resume" not in storm.words or "Traceback" in storm.words:
                finding.breaches.append(f"it said {storm.words[-200:]!r}")
    storm.finish()
    finding.note = f"slowest {max(seconds):.1f} s, {sum(s > 2 for s in seconds)} later than 2 s"
    return finding


def races(place: Path, count: int) -> Finding:
    """Two trainings begin at once in one folder; the lock of the winner dies with it."""
    finding = Finding("a run folder has one training, and its lock dies with it", "races of two")
    data = make_data(place / "data")
    for finding.times in range(1, count + 1):
        run = place / f"race{finding.times}"
        both = [start(data, run, *ALONE) for _ in range(2)]
        while all(process.poll() is None for process in both):
            time.sleep(0.002)
        codes = [process.poll() for process in both]
        for process in both:
            process.kill()
            process.communicate()
        if sorted(codes, key=str) != [2, None]:
            finding.breaches.append(f"race {finding.times}: exit {codes}")
        try:
            RunFolder.create(run).release()
        except TinyCNNError as error:
            if "in use" in str(error):
                finding.breaches.append(f"race {finding.times}: {error}")
    return finding


def findings(
    tell: Callable[[str], None], kills: int = KILLS, signals: int = SIGNALS, raced: int = RACES
) -> Iterator[Finding]:
    for storm, count in ((races, raced), (signal_storm, signals), (kill_storm, kills)):
        tell(f"{storm.__name__}: {count}")
        with tempfile.TemporaryDirectory() as place:
            yield storm(Path(place), count)
