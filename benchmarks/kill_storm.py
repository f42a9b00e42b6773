"""A kill storm: training is killed at every moment, goes on, and ends with the same bytes.

Real ``python -m tinycnn.train`` processes are killed with SIGKILL: while they start, at random
instants of training, and at the moment a file is being written; others get Ctrl-C or SIGTERM.
Then the run goes on, is killed again, and so forth to its end. And two processes at a time race
for one folder.

    python -m benchmarks.kill_storm [--short]
"""

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.command import progress
from benchmarks.findings import Finding, report
from benchmarks.tiny import command, make_data, start, train
from tinycnn.errors import TinyCNNError
from tinycnn.files import TEMPORARY_PREFIX
from tinycnn.nn import Sequential
from tinycnn.train import checkpoint
from tinycnn.train.folder import RunFolder

KILLS, SIGNALS, RACES = 100, 30, 50
STARTING = 3.0  # seconds in which a process imports and compiles, about
TRAINING = 1.0  # seconds of training, about
PATIENCE = 120.0  # seconds that anything may take
MANNERS = ("while it starts", "while it trains", *["while it writes"] * 6)  # half come too late


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


def wait_until_it_trains(process: subprocess.Popen, run: Path, progressed: bytes) -> None:
    """Return when the process has written a checkpoint of its own, or has ended.

    A new run writes its first one before it compiles, and the next after its first batch.
    """
    name = "checkpoint.safetensors" if progressed else "checkpoint.prev.safetensors"
    newest, end = run / name, time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        if newest.exists() and newest.read_bytes() != progressed:
            return
        time.sleep(0.01)


def checkpoint_bytes(run: Path) -> bytes:
    newest = run / "checkpoint.safetensors"
    return newest.read_bytes() if newest.exists() else b""


def wait_for_the_moment(
    process: subprocess.Popen, run: Path, manner: str, rng: np.random.Generator
) -> None:
    """Wait until it is time to kill a process in this manner."""
    if manner == MANNERS[0]:
        time.sleep(rng.uniform(0, STARTING))
        return
    wait_until_it_trains(process, run, checkpoint_bytes(run))
    time.sleep(rng.uniform(0, TRAINING / 2))
    end = time.monotonic() + TRAINING
    while manner == MANNERS[2] and process.poll() is None and time.monotonic() < end:
        if any(name.startswith(TEMPORARY_PREFIX) for name in os.listdir(run)):
            return


class Storm:
    """Runs that are disturbed again and again, and what they must end with."""

    def __init__(self, place: Path, seed: int = 0) -> None:
        self.place, self.rng = place, np.random.default_rng(seed)
        self.data = make_data(place / "data")
        self.expected = train(self.data, place / "undisturbed")
        self._runs = 0
        self._new_run()

    def _new_run(self) -> None:
        self._runs += 1
        self.run = self.place / f"run{self._runs}"
        self.run.mkdir()

    def begin(self) -> subprocess.Popen:
        """Start the present run, or go on with it."""
        return start(command(self.data, self.run))

    def finish(self, finding: Finding) -> None:
        """Let the present run come to its end undisturbed, compare, and begin another."""
        try:
            same = train(self.data, self.run) == self.expected
        except RuntimeError as error:
            finding.breaches.append(str(error))
        else:
            if not same:
                finding.breaches.append(f"{self.run.name} ended with other weights")
        self._new_run()

    def kill(self, finding: Finding) -> int:
        """Kill the run once; returns how many files were being written then."""
        process = self.begin()
        manner = MANNERS[finding.times % len(MANNERS)]
        wait_for_the_moment(process, self.run, manner, self.rng)
        process.kill()
        process.communicate()
        if process.returncode != -signal.SIGKILL:  # it was faster, and is complete
            self.finish(finding)
            return 0
        finding.times += 1
        finding.breaches += breaches_of(self.run)
        return len(list(self.run.glob(TEMPORARY_PREFIX + "*")))

    def interrupt(self, number: int, finding: Finding) -> float:
        """Ask the run to stop once; returns the seconds until it has."""
        process = self.begin()
        wait_until_it_trains(process, self.run, checkpoint_bytes(self.run))
        time.sleep(self.rng.uniform(0, TRAINING / 4))
        asked = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
        if process.returncode == 0:  # it was faster
            self.finish(finding)
            return 0.0
        finding.times += 1
        finding.breaches += breaches_of(self.run)
        if process.returncode != 128 + number:
            finding.breaches.append(f"exit code {process.returncode}")
        if "--resume" not in said or "Traceback" in said:
            finding.breaches.append(f"it said {said[-200:]!r}")
        return time.monotonic() - asked


def kill_storm(storm: Storm, kills: int) -> Finding:
    """SIGKILL, ``kills`` times."""
    finding = Finding("a killed run loses nothing and ends with the same bytes", "SIGKILL")
    writing = sum(storm.kill(finding) > 0 for _ in _until(finding, kills))
    storm.finish(finding)
    finding.note = f"{writing} times inside a write, {storm._runs - 1} runs"
    return finding


def signal_storm(storm: Storm, signals: int) -> Finding:
    """Ctrl-C and SIGTERM in turn."""
    finding = Finding("signals save, say how to go on, and exit 130 or 143", "Ctrl-C, SIGTERM")
    both = (signal.SIGINT, signal.SIGTERM)
    seconds = [storm.interrupt(both[finding.times % 2], finding) for _ in _until(finding, signals)]
    storm.finish(finding)
    late = sum(taken > 2 for taken in seconds)
    finding.note = f"slowest {max(seconds):.1f} s, {late} later than 2 s"
    return finding


def races(place: Path, count: int) -> Finding:
    """Two trainings begin at once in one folder."""
    finding = Finding("a run folder has one training, and its lock dies with it", "races of two")
    data, seconds, processor = make_data(place / "data"), [], []
    for number in range(count):
        run = place / f"race{number}"
        both = [start(command(data, run)) for _ in range(2)]
        began = time.monotonic()
        loser, used = _first_to_end(both)
        seconds.append(time.monotonic() - began)
        processor.append(used)
        (winner,) = (process for process in both if process is not loser)
        finding.times += 1
        if loser.returncode != 2 or winner.poll() is not None:
            finding.breaches.append(f"race {number}: exit {loser.returncode}")
        winner.kill()
        for process in both:
            process.communicate()
        try:
            RunFolder.create(run).release()
        except TinyCNNError as error:
            if "in use" in str(error):
                finding.breaches.append(f"race {number}: {error}")
    late = sum(taken > 1 for taken in seconds)
    finding.note = (
        f"losers out after {np.median(seconds):.2f} s, slowest {max(seconds):.2f} s, {late} later "
        f"than 1 s; at most {max(processor):.2f} s of processor time"
    )
    return finding


def _first_to_end(processes: list[subprocess.Popen]) -> tuple[subprocess.Popen, float]:
    """The process that ends first, and the seconds of processor time it has used."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for process in processes:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process, usage.ru_utime + usage.ru_stime
        time.sleep(0.002)
    raise TimeoutError(f"neither of two trainings ended in {PATIENCE} s")


def _until(finding: Finding, times: int) -> Iterator[None]:
    """Go round until it has been tried so often; what was too late does not count."""
    for _ in range(4 * times):
        if finding.times >= times:
            return
        yield


def findings(kills: int = KILLS, signals: int = SIGNALS, raced: int = RACES) -> Iterator[Finding]:
    """The storm, the signals, the races."""
    with tempfile.TemporaryDirectory() as place, progress() as tell:
        tell(f"{raced} races of two trainings for one folder")
        yield races(Path(place), raced)
        storm = Storm(Path(place))
        tell(f"{signals} signals")
        yield signal_storm(storm, signals)
        tell(f"{kills} kills")
        yield kill_storm(storm, kills)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_storm", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few of each")
    short = parser.parse_args().short
    return report(list(findings(4, 2, 2) if short else findings()))


if __name__ == "__main__":
    raise SystemExit(main())
