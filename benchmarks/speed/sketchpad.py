"""How fast the sketchpad and the page are: ``python -m benchmarks.speed.sketchpad --window``.

From the last movement of the pen to the bars; a frame while a number is written, the strip alive;
the same on a page with a thousand strokes; the time until the window is open; and, where Chromium
is installed, a movement of the pen on the web page. Where other programs use the machine, the
seconds of computing tell more than those of waiting.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.command import new_parser, new_table, progress, whole, write_json
from benchmarks.machine import busy_seconds, describe
from benchmarks.quality.handwriting import resample, write
from tinycnn.cli import run_command

PAGE = Path(__file__).parents[2] / "docs" / "web" / "tinycnn.html"
BROWSER, DRIVER = "chromium", "chromedriver"
SIZES = {(640, 480): 1.0, (1280, 800): 1.0, (3840, 2160): 2.0}  # of windows, and their scales
MANY = 1000  # strokes
PATIENCE = 60.0  # seconds
FLUID = 1000 / 60
MUSTS = {  # milliseconds, at most
    "bars_1": ("from the pen to the bars, one digit", 8.0),
    "bars_6": ("from the pen to the bars, six digits", 16.0),
    **{f"frame_{w}x{h}": (f"a frame at {w} x {h}, the strip alive", FLUID) for w, h in SIZES},
    "frame_many": (f"a frame with {MANY:,} strokes on the page", FLUID),
    "window": ("until the window is open", 500.0),
    "page": ("the web page: a movement of the pen", 30.0),
}
Measured = list[tuple[float, float]]
"""Seconds of waiting, and of computing."""

DRAW = """
const [lines, done] = arguments, paper = document.getElementById("paper");
const { left, top, height } = paper.getBoundingClientRect();
const busy = () => document.getElementById("answer").getAttribute("aria-busy") === "true";
const picture = () => new Promise(requestAnimationFrame);
paper.setPointerCapture = () => {};
const send = async (name, [x, y]) => {
  const place = { clientX: left + x * height, clientY: top + y * height };
  paper.dispatchEvent(new PointerEvent(name, { pointerId: 1, button: 0, ...place }));
  do await picture(); while (busy());
};
(async () => {
  for (const [first, ...rest] of lines) {
    await send("pointerdown", first);
    for (const place of rest) await send("pointermove", place);
    paper.dispatchEvent(new PointerEvent("pointerup", { pointerId: 1 }));
  }
})().then(done);
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and save the files asked for."""
    options = _parser().parse_args(argv)
    if not options.window:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
    busy, begun = busy_seconds(), time.process_time()
    with progress() as tell:
        results = speed(options.weights, options.repeats, options.window, tell)
    others = busy_seconds() - busy - (time.process_time() - begun)
    _print(Console(), results, others)
    write_json(options.json, {"machine": describe(), "speed": results})
    return 0


def speed(weights: str, repeats: int, window: bool, tell: Callable[[str], None]) -> Any:
    """What is measured of each must."""
    results: dict[str, Measured] = {}
    bench = Bench(weights)
    for digits in (1, 6):
        tell(MUSTS[f"bars_{digits}"][0])
        results[f"bars_{digits}"] = [bench.latency(digits) for _ in range(repeats)]
    for (width, height), scale in SIZES.items():
        tell(MUSTS[f"frame_{width}x{height}"][0])
        results[f"frame_{width}x{height}"] = frames(weights, (width, height), scale)
    tell(MUSTS["frame_many"][0])
    results["frame_many"] = frames(weights, (1280, 800), 1.0, MANY)
    if window:
        tell(MUSTS["window"][0])
        results["window"] = [start() for _ in range(5)]
    if shutil.which(BROWSER) and shutil.which(DRIVER) and importlib.util.find_spec("selenium"):
        tell(MUSTS["page"][0])
        results["page"] = page()
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
        surface = window.open_window((1280, 800))
        self.session = Session(Thread(window.ring), lambda: Engine.load(weights), tabs())
        self.app, self.pygame = App(self.session, surface), pygame
        self.shown = 0.0, 0.0  # when ink and answer were last shown: waiting, computing
        self._update = self.app.update
        self.app.update = self._watched_update  # type: ignore[method-assign]
        self._turn_until(lambda: bool(self.session.engine and self.session.engine.compiled))

    def latency(self, digits: int) -> tuple[float, float]:
        """Seconds from the last movement of the last digit to its bars, and of computing."""
        lines = write("7" * digits, gap=20.0, height=90.0, at=(20.0, 150.0))
        self.app.do(("clear",))
        for line in lines[:-1]:
            self._draw(line)
            self.app.do(("up",))
        self._draw(lines[-1][:-1])
        self._turn_until(lambda: self.session.up_to_date)
        time.sleep(0.02)
        version, (x, y, *_) = self.session.pad.version, self.app.view.layout.paper
        begun, computed = time.perf_counter(), time.process_time()
        place = round(lines[-1][-1][0] + x), round(lines[-1][-1][1] + y)
        self.app._drags = "move"
        self.pygame.event.post(self.pygame.event.Event(self.pygame.MOUSEMOTION, pos=place))
        self._turn_until(lambda: self.session.pad.version > version and self.session.up_to_date)
        self.app._drags = ""
        self.app.do(("up",))
        return self.shown[0] - begun, self.shown[1] - computed

    def _watched_update(self, hurry: int = 0) -> bool:
        changed = self._update(hurry)
        if changed and hurry > 1:
            self.shown = time.perf_counter(), time.process_time()
        return changed

    def _draw(self, line: np.ndarray) -> None:
        for name, place in zip(["down", *["move"] * len(line)], line.tolist(), strict=False):
            self.app.do((name, *place))

    def _turn_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.perf_counter() + PATIENCE
        while not condition() and time.perf_counter() < deadline:
            self.app.turn()


def frames(weights: str, size: tuple[int, int], scale: float, strokes: int = 0) -> Measured:
    """Seconds of the window's thread per frame, paper, answer and strip, while 742 is written."""
    import pygame

    from apps.sketchpad.app import App
    from apps.sketchpad.engine import Engine
    from apps.sketchpad.session import Session
    from apps.sketchpad.tabs import tabs
    from apps.sketchpad.worker import Inline

    session = Session(Inline(), lambda: Engine.load(weights), tabs())
    app, measured = App(session, pygame.Surface(size), scale), []
    rng = np.random.default_rng(0)
    places = rng.uniform((10, 300), (600, 500), (strokes, 2))
    for _ in range(3):
        session.tick()
    session.pad.write([place + rng.uniform(0, 20, (30, 2)) for place in places], 4.0)
    app.view.draw(app.surface)
    for line in write("742", gap=30.0, height=130.0, at=(60.0, 80.0)):
        for k, place in enumerate(resample(line, 6).tolist()):
            app.do(("move" if k else "down", *place))
            if not strokes:  # the worker's part, which takes long on a full page
                session.tick()
            app.view._strip.update(session, None)
            begun, computed = time.perf_counter(), time.thread_time()
            app.view.draw(app.surface, hurry=1)
            measured.append((time.perf_counter() - begun, time.thread_time() - computed))
        app.do(("up",))
    return measured


def start() -> tuple[float, float]:
    """From the start of the process until the window takes strokes."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record.jsonl"
        begun = time.perf_counter()
        command = [sys.executable, "-m", "apps.sketchpad", "--record", str(record)]
        program = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while not (record.exists() and '"room"' in record.read_text()):
            if program.poll() is not None or time.perf_counter() - begun > PATIENCE:
                break
            time.sleep(0.005)
        waited = time.perf_counter() - begun
        stat = Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()
        program.kill()
        program.wait()
    return waited, (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def page() -> Measured:
    """Seconds per movement of the pen, from the event to the last picture, six digits written."""
    from selenium import webdriver

    options, driver = webdriver.ChromeOptions(), webdriver.ChromeService(shutil.which(DRIVER))
    options.binary_location = shutil.which(BROWSER) or ""
    for flag in ("--headless", "--no-sandbox", "--disable-gpu"):
        options.add_argument(flag)
    measured = []
    with webdriver.Chrome(options, driver) as browser:
        browser.set_script_timeout(PATIENCE)
        browser.get(PAGE.as_uri())
        browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})

        def computed() -> float:
            found = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
            return next(one["value"] for one in found if one["name"] == "ThreadTime")

        for line in write("742031", gap=30.0, height=100.0, at=(20.0, 150.0)):
            points = (resample(line, 8) / 700).round(4).tolist()
            begun, used = time.perf_counter(), computed()
            browser.execute_async_script(DRAW, [points])
            count = len(points)
            measured.append(((time.perf_counter() - begun) / count, (computed() - used) / count))
    return measured


def _print(console: Console, results: dict[str, Measured], others: float) -> None:
    table = new_table("milliseconds", "must", "median", "of which computing", "n")
    for key, (name, must) in MUSTS.items():
        if key in results:
            wall, computing = 1000 * np.median(results[key], axis=0)
            n = f"{len(results[key]):,}"
            table.add_row(name, f"{must:.1f}", f"{wall:.1f}", f"{computing:.1f}", n)
    console.print(table)
    console.print(f"other programs used the machine for {max(others, 0):.0f} s meanwhile")


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("speed.sketchpad", "How fast is the sketchpad?")
    parser.add_argument("--weights", default="default", help="a weights file, a run folder, last")
    parser.add_argument("--repeats", type=whole(5, 10_000), default=100, help="of latencies")
    parser.add_argument("--window", action="store_true", help="in a window on this display")
    parser.add_argument("--json", metavar="OUT.json", type=Path, help="write the results")
    return parser


if __name__ == "__main__":
    raise SystemExit(run_command(main))
