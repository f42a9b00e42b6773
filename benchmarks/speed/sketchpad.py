"""How fast the sketchpad is: ``python -m benchmarks.speed.sketchpad --window``.

From the last movement of the pen to the bars on the screen, frames per second while lines are
drawn, the same on a page with a thousand strokes, and the time until the window is open. Where
other programs use the machine too, the seconds of computing tell more than those of waiting.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.command import new_parser, new_table, progress, whole, write_json
from benchmarks.machine import busy_seconds, describe
from tinycnn.cli import run_command

SIZE = (1280, 800)
HZ = 250  # movements of the mouse a second
PAUSE = 0.25  # seconds: a longer gap between frames is rest, not slowness
SECONDS = 5.0  # of drawing
MANY = 1000  # strokes
PATIENCE = 60.0  # seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and save the files asked for."""
    options = _parser().parse_args(argv)
    if not options.window:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
    busy, begun = busy_seconds(), time.process_time()
    with progress() as tell:
        results = speed(options.weights, options.repeats, tell)
        if options.window:
            tell("the time until the window is open")
            results["window_s"] = [start_seconds() for _ in range(5)]
    others = busy_seconds() - busy - (time.process_time() - begun)
    _print(Console(), results, others)
    write_json(options.json, {"machine": describe(), "speed": results})
    return 0


def speed(weights: str, repeats: int, tell) -> dict[str, list[float]]:
    """Seconds from the pen to the bars, and between frames."""
    bench = Bench(weights)
    results = {}
    for digits in (1, 6):
        tell(f"from the pen to the bars, {digits} digits on the page")
        measured = [bench.latency(digits) for _ in range(repeats)]
        results[f"bars_{digits}_s"] = [wall for wall, _ in measured]
        results[f"bars_{digits}_cpu_s"] = [cpu for _, cpu in measured]
    tell("frames while drawing")
    bench.fill(1)
    results["frame_s"] = bench.frames()
    tell(f"frames on a page with {MANY:,} strokes")
    bench.fill(MANY)
    results["frame_many_s"] = bench.frames()
    return results


class Bench:
    """An app with its worker, and events that draw in it."""

    def __init__(self, weights: str) -> None:
        import pygame

        from apps.sketchpad import window
        from apps.sketchpad.app import SWITCH, App
        from apps.sketchpad.engine import Engine
        from apps.sketchpad.session import Session
        from apps.sketchpad.tabs import tabs
        from apps.sketchpad.worker import Thread

        sys.setswitchinterval(SWITCH)
        surface = window.open_window(SIZE)
        self.pygame = pygame
        self.session = Session(Thread(window.ring), lambda: Engine.load(weights), tabs())
        self.app = App(self.session, surface)
        self.shown = self.computed = 0.0  # when ink and answer were last shown
        self.gaps: list[float] = []  # seconds between frames
        self._update = self.app.update
        self.app.update = self._watched_update  # type: ignore[method-assign]
        self._turn_until(lambda: bool(self.session.engine and self.session.engine.compiled))

    def latency(self, digits: int) -> tuple[float, float]:
        """Seconds from the last movement of the last digit to its bars, and of computing."""
        self.app.do(("clear",))
        step = (self.session.pad.size[0] - 20) / max(digits, 4)
        for number in range(digits - 1):
            self._seven(10 + number * step, step)
        self._seven(10 + (digits - 1) * step, step, lift=False)
        self._turn_until(lambda: self.session.up_to_date)
        time.sleep(0.02)
        self.app._drags = "move"
        version, (x, y) = self.session.pad.version, self.session.pad.live[-1][-1]
        left, top, *_ = self.app.view.layout.paper
        start, begun = time.perf_counter(), time.process_time()
        self._post(self.pygame.MOUSEMOTION, x + left + 0.1 * step, y + top)
        self._turn_until(lambda: self.session.pad.version > version and self.session.up_to_date)
        self.app._drags = ""
        self.app.do(("up",))
        return self.shown - start, self.computed - begun

    def frames(self) -> list[float]:
        """Seconds between frames while loops are drawn."""
        self.gaps.clear()
        self._post(self.pygame.MOUSEBUTTONDOWN, 330, 400)
        stop = time.perf_counter() + SECONDS
        feeder = threading.Thread(target=self._loops, args=(stop,))
        feeder.start()
        while time.perf_counter() < stop:
            self.app.turn()
        feeder.join()
        self._post(self.pygame.MOUSEBUTTONUP, 330, 400)
        self.app.turn()
        return list(self.gaps)

    def fill(self, count: int) -> None:
        """A page with so many strokes."""
        rng = np.random.default_rng(0)
        self.app.do(("clear",))
        places = rng.uniform((10, 10), (600, 600), (count, 2))
        self.session.pad.write([place + rng.uniform(0, 20, (30, 2)) for place in places], 4.0)
        self._turn_until(lambda: True)

    def _loops(self, stop: float) -> None:
        turn = 0.0
        while time.perf_counter() < stop:
            turn += 2 * np.pi / HZ
            self._post(self.pygame.MOUSEMOTION, 330 + 200 * np.sin(turn), 380 + 200 * np.cos(turn))
            time.sleep(1 / HZ)

    def _seven(self, x: float, step: float, lift: bool = True) -> None:
        """A crossed 7; without lifting the pen its bar is not finished yet."""
        width = 0.7 * step
        for line in (
            [(x, 240), (x + width, 240), (x + 0.4 * width, 240 + 2 * width)],
            [(x + 0.2 * width, 240 + width), (x + 0.7 * width, 240 + width)],
        ):
            points = np.concatenate([np.linspace(a, b, 25) for a, b in pairwise(line)])
            self.app.do(("down", *points[0].tolist()))
            for place in points[1:].tolist():
                self.app.do(("move", *place))
            if lift or len(line) == 3:
                self.app.do(("up",))

    def _post(self, kind: int, x: float, y: float) -> None:
        event = self.pygame.event.Event(kind, pos=(round(x), round(y)), button=1)
        self.pygame.event.post(event)

    def _watched_update(self, hurry: bool) -> bool:
        writing, changed = self.session.pad.writing, self._update(hurry)
        if changed and hurry:
            now = time.perf_counter()
            if writing and now - self.shown < PAUSE:
                self.gaps.append(now - self.shown)
            self.shown, self.computed = now, time.process_time()
        return changed

    def _turn_until(self, condition) -> None:
        deadline = time.perf_counter() + PATIENCE
        while True:
            self.app.turn()
            if condition() or time.perf_counter() > deadline:
                return


def start_seconds() -> float:
    """From the start of the process until the window takes strokes."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.jsonl"
        begun = time.perf_counter()
        command = [sys.executable, "-m", "apps.sketchpad", "--record", str(record)]
        program = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while not (record.exists() and '"room"' in record.read_text()):
                if program.poll() is not None or time.perf_counter() - begun > PATIENCE:
                    return float("nan")
                time.sleep(0.005)
            return time.perf_counter() - begun
        finally:
            program.terminate()
            program.wait()


def _print(console: Console, results: dict[str, list[float]], others: float) -> None:
    table = new_table("milliseconds", "median", "99 of 100 below", "n")
    names = {
        "bars_1_s": "from the pen to the bars, one digit",
        "bars_1_cpu_s": "    of which computing",
        "bars_6_s": "from the pen to the bars, six digits",
        "bars_6_cpu_s": "    of which computing",
        "frame_s": "between frames while drawing",
        "frame_many_s": f"between frames, {MANY:,} strokes on the page",
        "window_s": "until the window is open",
    }
    for key, values in results.items():
        low, high = np.percentile(values, (50, 99)) * 1000
        table.add_row(names[key], f"{low:.1f}", f"{high:.1f}", f"{len(values):,}")
    console.print(table)
    console.print(f"other programs used the machine for {max(others, 0):.0f} s meanwhile")


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("speed.sketchpad", "How fast is the sketchpad?")
    parser.add_argument("--weights", default="default", help="a weights file, a run folder, last")
    parser.add_argument("--repeats", type=whole(5, 10_000), default=200, help="of latencies")
    parser.add_argument("--window", action="store_true", help="in a window on this display")
    parser.add_argument("--json", metavar="OUT.json", type=Path, help="write the results")
    return parser


if __name__ == "__main__":
    raise SystemExit(run_command(main))
