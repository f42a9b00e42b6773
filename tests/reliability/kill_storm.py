"""A kill storm: training is killed at every moment, goes on, and ends with the same bytes.

Real ``python -m tinycnn.train`` processes are killed with SIGKILL: while they start, at random
instants of training, and at the moment a file is being written; others get Ctrl-C or SIGTERM.
Then the run goes on, is killed again, and so forth to its end. And two processes at a time race
for one folder.
"""

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.reliability.findings import Finding
from tests.reliability.small_runs import command, make_data, start, train
from tinycnn.errors import TinyCNNError
from tinycnn.files import TEMPORARY_PREFIX
from tinycnn.nn import Sequential
from tinycnn.train import checkpoint
from tinycnn.train.folder import RunFolder

KILLS, SIGNALS, RACES = 100, 30, 50
STARTING = 3.0  # seconds in which a process imports and compiles, about
TRAINING = 1.0  # seconds of training, about
PATIENCE = 120.0  # seconds that anything may take
MOMENTS = ("while it starts", "while it trains", *["while it writes"] * 6)  # half come too late


def breaches_of(folder: Path) -> Iterator[str]:
    """Which of the files in a run folder are not whole."""
    readers = {
        "config.json": lambda path: json.loads(path.read_bytes()),
        "result.json": lambda path: json.loads(path.read_bytes()),
        "metrics.jsonl": lambda path: [json.loads(line) for line in path.read_text().splitlines()],
        "weights.safetensors": Sequential.load,
        "checkpoint.safetensors": checkpoint.read,
        "checkpoint.prev.safetensors": checkpoint.read,
    }
    for name, read in readers.items():
        try:
            if (folder / name).exists():
                read(folder / name)
        except (TinyCNNError, ValueError) as error:
            yield f"{name} is torn: {error}"


class Storm:
    """Runs that are disturbed again and again, and the digest that they must end with."""

    def __init__(self, place: Path, finding: Finding, seed: int = 0) -> None:
        self.place, self.finding, self.rng = place, finding, np.random.default_rng(seed)
        self.data = make_data(place / "data")
        self.expected = train(self.data, place / "undisturbed")
        self.runs = 0
        self._new_run()

    def _new_run(self) -> None:
        self.runs += 1
        self.run = self.place / f"run{self.runs}"
        self.run.mkdir()

    def finish(self) -> None:
        """Let the present run come to its end undisturbed, compare, and begin another."""
        try:
            if train(self.data, self.run) != self.expected:
                self.finding.breaches.append(f"{self.run.name} ended with other weights")
        except RuntimeError as error:
            self.finding.breaches.append(str(error))
        self._new_run()

    def disturb(self, number: int, moment: str) -> tuple[float, str] | None:
        """Start or resume the run and send it a signal; None if it was complete before.

        Return the seconds until the process ended, and its last words.
        """
        process = start(command(self.data, self.run))
        self._wait(process, moment)
        sent = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
        if process.returncode == 0:
            self.finish()
            return None
        self.finding.times += 1
        self.finding.breaches += breaches_of(self.run)
        if process.returncode != (-number if number == signal.SIGKILL else 128 + number):
            self.finding.breaches.append(f"exit code {process.returncode}")
        return time.monotonic() - sent, said

    def _wait(self, process: subprocess.Popen, moment: str) -> None:
        if moment == MOMENTS[0]:
            time.sleep(self.rng.uniform(0, STARTING))
            return
        wait_until_it_trains(process, self.run)
        time.sleep(self.rng.uniform(0, TRAINING / 2))
        end = time.monotonic() + TRAINING
        while moment == MOMENTS[2] and process.poll() is None and time.monotonic() < end:
            if self.writing():
                return

    def writing(self) -> bool:
        """Whether there is a file in the run folder that is not complete."""
        return any(self.run.glob(TEMPORARY_PREFIX + "*"))

    def rounds(self, count: int) -> Iterator[int]:
        """Yield numbers until ``count`` signals have arrived in time."""
        for number in range(4 * count):
            if self.finding.times < count:
                yield number
        self.finish()


def wait_until_it_trains(process: subprocess.Popen, run: Path) -> None:
    """Return when the process has written a checkpoint of its own, or has ended.

    A new run writes its first one before it compiles, and the next after its first batch.
    """
    newest, end = run / "checkpoint.safetensors", time.monotonic() + PATIENCE
    before = newest.read_bytes() if newest.exists() else b""
    path = newest if before else run / "checkpoint.prev.safetensors"
    while process.poll() is None and time.monotonic() < end:
        if path.exists() and path.read_bytes() != before:
            return
        time.sleep(0.01)


def kill_storm(place: Path, kills: int) -> Finding:
    """SIGKILL, ``kills`` times."""
    finding = Finding("a killed run loses nothing and ends with the same bytes", "SIGKILL")
    storm, writing = Storm(place, finding), 0
    for number in storm.rounds(kills):
        if storm.disturb(signal.SIGKILL, MOMENTS[number % len(MOMENTS)]):
            writing += storm.writing()
    finding.note = f"{writing} times inside a write, {storm.runs - 1} runs"
    return finding


def signal_storm(place: Path, signals: int) -> Finding:
    """Ctrl-C and SIGTERM by turns."""
    finding = Finding("signals save, say how to go on, and exit 130 or 143", "Ctrl-C, SIGTERM")
    storm, seconds = Storm(place, finding), []
    for _ in storm.rounds(signals):
        number = (signal.SIGINT, signal.SIGTERM)[finding.times % 2]
        if done := storm.disturb(number, MOMENTS[1]):
            seconds.append(done[0])
            if "--resume" not in done[1] or "Traceback" in done[1]:
                finding.breaches.append(f"it said {done[1][-200:]!r}")
    finding.note = f"slowest {max(seconds):.1f} s, {sum(s > 2 for s in seconds)} later than 2 s"
    return finding


def races(place: Path, count: int) -> Finding:
    """Two trainings begin at once in one folder."""
    finding = Finding("a run folder has one training, and its lock dies with it", "races of two")
    data, seconds = make_data(place / "data"), []
    for number in range(count):
        run, began = place / f"race{number}", time.monotonic()
        both = [start(command(data, run)) for _ in range(2)]
        while all(process.poll() is None for process in both):
            time.sleep(0.002)
        seconds.append(time.monotonic() - began)
        codes = [process.poll() for process in both]
        for process in both:
            process.kill()
            process.communicate()
        finding.times += 1
        if sorted(codes, key=str) != [2, None]:
            finding.breaches.append(f"race {number}: exit {codes}")
        try:
            RunFolder.create(run).release()
        except TinyCNNError as error:
            if "in use" in str(error):
                finding.breaches.append(f"race {number}: {error}")
    finding.note = f"losers out after {np.median(seconds):.2f} s, slowest {max(seconds):.2f} s"
    return finding


def findings(
    tell: Callable[[str], None], kills: int = KILLS, signals: int = SIGNALS, raced: int = RACES
) -> Iterator[Finding]:
    """The races, the signals, the kills."""
    for storm, count in ((races, raced), (signal_storm, signals), (kill_storm, kills)):
        tell(f"{storm.__name__}: {count}")
        with tempfile.TemporaryDirectory() as place:
            yield storm(Path(place), count)
