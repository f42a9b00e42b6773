"""A real window on a virtual screen (Xvfb), with a mouse that moves (xdotool)."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import ImageGrab

from apps.sketchpad import layout, theme

SLOW = 90  # seconds: a busy machine that has to compile first
QUICK = 5
CROSSED_SEVEN = [[(150, 160), (290, 160), (200, 420)], [(170, 290), (270, 290)]]

needs_screen = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool"
)


@pytest.fixture(scope="module")
def screen():
    """The name of a screen as large as the window, so that the window is at (0, 0)."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with open(os.devnull, "wb") as nowhere:
        server = subprocess.Popen(command, pass_fds=[writer], stderr=nowhere)
    os.close(writer)
    with os.fdopen(reader) as answer:
        number = answer.readline().strip()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")


def environment(**changes):
    """That of this process without any screen, changed."""
    return {name: value for name, value in os.environ.items() if name not in SCREENS} | changes


def start(*arguments, **changes):
    return subprocess.Popen(
        [sys.executable, "-m", "apps.sketchpad", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**changes),
    )


@contextlib.contextmanager
def sketchpad(screen, folder, *arguments):
    """The program, once its window is open; what is done in it is recorded in ``record``."""
    record = folder / "record.jsonl"
    program = start("--record", record, *arguments, DISPLAY=screen)
    try:
        wait_for(lambda: record.exists() and '"room"' in record.read_text(), program)
        yield program, record
    finally:
        program.kill()
        program.communicate()


def wait_for(condition, program):
    deadline = time.perf_counter() + SLOW
    while not condition():
        assert program.poll() is None, program.communicate()
        assert time.perf_counter() < deadline, "it takes too long"
        time.sleep(0.05)


def xdotool(screen, *words):
    subprocess.run(["xdotool", *map(str, words)], env=environment(DISPLAY=screen), check=True)


def draw(screen, line):
    (x, y), *rest = line
    xdotool(screen, "mousemove", x, y, "mousedown", 1)
    for end in rest:
        for part in range(1, 31):
            place = [round(a + (b - a) * part / 30) for a, b in zip((x, y), end, strict=True)]
            xdotool(screen, "mousemove", *place)
        x, y = end
    xdotool(screen, "mouseup", 1)


@needs_screen
def test_a_seven_written_by_mouse_is_read_in_the_window(screen, tmp_path):
    saved = tmp_path / "saved"
    saved.mkdir()
    with sketchpad(screen, tmp_path, "--save-to", saved) as (program, record):
        for line in CROSSED_SEVEN:
            draw(screen, line)
        wait_for(lambda: record.read_text().count('"up"') == 2, program)

        def read():
            """Save until the answer is there: the first one may have to wait for the compiler."""
            xdotool(screen, "key", "s")
            time.sleep(0.3)
            return list(saved.glob("*.json"))

        wait_for(read, program)
        xdotool(screen, "key", "ctrl+q")
        _, errors = program.communicate(timeout=SLOW)
    assert (program.returncode, errors) == (0, "")
    reading = json.loads(sorted(saved.glob("*.json"))[-1].read_text())
    assert reading["text"] == "7"
    (digit,) = reading["digits"]
    x, y, width, height = digit["box"]
    assert (width, height) == pytest.approx((140, 260), abs=4)
    assert digit["confidence"] > 0.9


@needs_screen
def test_nothing_else_is_seen_between_the_panels(screen, tmp_path):
    """Looked at on the screen itself: what was drawn, but never sent there, is missing."""
    with sketchpad(screen, tmp_path) as (program, record):
        for key, count in ((None, 0), ("F1", 1), ("F1", 2)):
            if key:
                xdotool(screen, "key", key)
            wait_for(lambda count=count: record.read_text().count('"help"') == count, program)
            if count != 1:
                wait_for(lambda: gaps(screen) == {theme.DESK}, program)


def gaps(screen):
    """The colors between paper and panels, and above the network."""
    seen = np.asarray(ImageGrab.grab(xdisplay=screen).convert("RGB"))
    around = layout.arrange(*layout.USUAL)
    left, right = int(sum(around.paper[::2])) + 2, int(around.reading[0]) - 2
    top, bottom = int(around.paper[1]) + 2, int(around.strip[1]) - 2
    strips = seen[top:bottom, left:right], seen[bottom - 8 : bottom, 2:-2]
    return {tuple(color) for strip in strips for color in strip.reshape(-1, 3).tolist()}


@needs_screen
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "Ctrl-C"]
)
def test_signals_end_it_cleanly(number, code, screen, tmp_path):
    with sketchpad(screen, tmp_path) as (program, record):
        program.send_signal(number)
        _, errors = program.communicate(timeout=SLOW)
    assert program.returncode == code
    assert "Traceback" not in errors
    for line in record.read_text().splitlines():
        json.loads(line)


@pytest.mark.parametrize("display", [{}, {"DISPLAY": ":64999"}], ids=["none", "dead"])
def test_without_a_display_it_says_so_in_one_sentence(display):
    begun = time.perf_counter()
    program = start(**display)
    out, errors = program.communicate(timeout=SLOW)
    assert (program.returncode, out) == (3, "")
    assert errors.startswith("error: no display was found")
    assert len(errors.splitlines()) == 1
    assert time.perf_counter() - begun < QUICK
