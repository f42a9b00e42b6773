"""The pictures of the documentation: ``python -m docs.pictures``, from the project's folder.

Sessions of the sketchpad are played by ``apps.sketchpad --replay``: the film, and a picture of
every tab. For the page on reading every step is drawn of a drawing, of a photo on bad paper and of
two digits that touch.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from apps.sketchpad.__main__ import main as sketchpad
from apps.sketchpad.context import Command
from apps.sketchpad.record import Entry, record_text
from apps.sketchpad.tabs import tabs
from benchmarks.quality import handwriting
from benchmarks.quality.handwriting import tremble, write
from benchmarks.quality.pages import PHOTO_DIGIT, encoded, page_of, paint, photo_of, photograph
from tinycnn.cli import run_command
from tinycnn.errors import DataError
from tinycnn.files import write_bytes
from tinycnn.ink import Recognizer
from tinycnn.ink.results import draw_trace
from tinycnn.nn import Sequential
from tinycnn.predict.sources import read_items
from tinycnn.train.folder import find_weights

DOCS = Path(__file__).parent
DRAWN = (800, 600)  # pixels of the picture with the boxes
PEN = 420.0  # paper units a second
LIFT = 0.16  # seconds between strokes
STEP = 7.0  # paper units between two places of the pen

COLORS = 256  # of a picture of the window
Timed = tuple[float, Command]


def main(argv: Sequence[str] | None = None) -> int:
    """Write all pictures into this folder."""
    argparse.ArgumentParser(prog="python -m docs.pictures", description=__doc__).parse_args(argv)
    draw_sketchpad(DOCS)
    draw_steps(DOCS / "ink", Recognizer.of(Sequential.load(find_weights("default"))))
    return 0


def draw_sketchpad(folder: Path) -> None:
    """Play the film, which is a record; write a number in every tab; and a card."""
    play(folder / "sketchpad.jsonl", "--film", folder / "sketchpad.gif")
    session, passing = number_session(), folder / ".tab.jsonl"
    shots: dict[str, list[Timed]] = {"dark": [], "sum": [(9.0, ("look", 3, 3, 3, 20))]}
    for number, tab in enumerate(tabs()):
        shots[tab.title.lower()] = [*in_tab(number, tab.title)]
    for name, more in shots.items():
        write_record(passing, [*session, *more])
        shoot(passing, folder / f"sketchpad-{name}.png", *["--theme", "dark"] * (name == "dark"))
    passing.unlink()


def in_tab(number: int, title: str) -> Iterator[Timed]:
    """Show a tab, and let something happen in it."""
    yield 9.0, ("show", number)
    if title == "Teach":
        for digit, label in enumerate("34789"):
            yield 9.0, ("select", digit)
            yield 9.0, ("label", label)
        yield 9.0, ("adapt",)
    if title == "Learn":
        yield 9.0, ("course", "run")
        for _ in range(60):
            yield 9.0, ("hover", -1.0, -1.0)


def shoot(record: Path, path: Path, *arguments: str) -> None:
    """Play a record, and keep what is seen at the end in few colors."""
    play(record, *arguments, "--screenshot", path)
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    write_bytes(path, encoded(small, "PNG"))


def play(record: Path, *arguments: object) -> None:
    """Play a record without a window."""
    sketchpad(["--replay", str(record), "--headless", *map(str, arguments)])


def write_record(path: Path, session: Sequence[Timed]) -> None:
    """Save a session as one that was recorded."""
    path.write_text(record_text([Entry(at, command) for at, command in session]))


def number_session() -> list[Timed]:
    """A number on the paper, its 4 looked at."""
    session = [*written("34789", 0.0, (24, 110), 130, seed=5)]
    return [*session, (session[-1][0] + 0.35, ("select", 1))]


def written(
    text: str, start: float, at: tuple[float, float], height: float, seed: int
) -> Iterator[Timed]:
    """Digits written by hand: where the pen is when."""
    rng = np.random.default_rng(seed)
    now = start
    for stroke in handwriting.tremble(handwriting.write(text, 32.0, height), rng, height / 60):
        (x, y), *rest = (handwriting.resample(stroke, STEP) + at).round(1).tolist()
        yield now, ("down", x, y)
        for x, y in rest:
            now += STEP / PEN
            yield now, ("move", x, y)
        yield now, ("up",)
        now += LIFT


def draw_steps(folder: Path, recognizer: Recognizer) -> None:
    """Draw what ``predict --steps`` and ``--boxes`` show."""
    rng = np.random.default_rng(4)
    drawing = tremble(write("4", height=170, at=(90, 60)), rng, size=4)
    record = json.dumps({"strokes": [stroke.tolist() for stroke in drawing]})
    photo_rng = np.random.default_rng(5)
    photo = photo_of(tremble(write("27", gap=30), photo_rng), photo_rng)
    touching = page_of(
        [s / 100 for s in tremble(write("64", gap=-6), rng)], PHOTO_DIGIT, PHOTO_DIGIT / 10
    )
    inputs = {
        "drawing": record.encode(),
        "photo": photo,
        "touching": encoded(Image.fromarray(255 - touching), "PNG"),
    }
    for name, payload in inputs.items():
        rows = []
        for item in read_items(name, payload, recognizer):
            rows += item.trace()
            if not (boxes := item.framed()):
                raise DataError(f"{name}: {item.error}")
            if name == "photo":
                boxes.thumbnail(DRAWN)
                write_bytes(folder / f"{name}-boxes.jpg", encoded(boxes, "JPEG"))
        write_bytes(folder / f"{name}-steps.png", encoded(draw_trace(rows), "PNG"))
    pages = [
        (item.name, steps)
        for name, payload in people_hand_in(rng).items()
        for item in read_items(name, payload, recognizer)
        for _, steps in item.trace(1)
    ]
    write_bytes(folder / "pages-steps.png", encoded(draw_trace(pages).quantize(16), "PNG"))


def people_hand_in(rng: np.random.Generator) -> dict[str, bytes]:
    """A form, a ruled scan, a screenshot and an amount, by name."""
    form = Image.new("L", (390, 150), 255)
    for place, digit in enumerate("4072"):
        strokes = [stroke * 0.7 + (18, 20) for stroke in tremble(write(digit), rng)]
        form.paste(Image.fromarray(255 - paint(strokes, 6, (110, 85))), (20 + 85 * place, 20))
        ImageDraw.Draw(form).rectangle([20 + 85 * place, 20, 105 + 85 * place, 130], outline=0)
    strokes = [stroke / 100 for stroke in tremble(write("58", gap=40), rng)]
    screen = Image.fromarray(255 - np.pad(page_of(strokes, 100, 8), ((40, 30), (60, 60))))
    ImageDraw.Draw(screen).rectangle([0, 0, screen.width, 14], fill=90)
    ImageDraw.Draw(screen).line([screen.width - 3, 0, screen.width - 3, screen.height], fill=160)
    point = np.array([[90.0, 98.0], [92.0, 100.0]])
    amount = [*write("3"), point, *write("75", at=(120, 0))]
    ink = page_of([stroke / 100 for stroke in tremble(amount, rng)], 100, 8)
    return {
        "a form": encoded(form, "PNG"),
        "a ruled scan": photograph(page_of(strokes, 140, 10), rng, ruled=True),
        "a screenshot": encoded(screen, "PNG"),
        "an amount": encoded(Image.fromarray(255 - ink), "PNG"),
    }


if __name__ == "__main__":
    raise SystemExit(run_command(main))
