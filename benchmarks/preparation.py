"""How long the way from ink to 28 x 28 takes, and what it looks like.

``python -m benchmarks.preparation`` times it; ``--pictures DIR`` draws every step for a drawing,
for a photo on bad paper and for two digits that touch. All ink is made by code.
"""

import argparse
import io
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console

from benchmarks.command import whole
from benchmarks.handwriting import tremble, write
from benchmarks.pages import on_canvas, page_of, photograph
from benchmarks.tables import new_table
from tinycnn.cli import Parser, run_command
from tinycnn.errors import DataError
from tinycnn.files import write_bytes
from tinycnn.ink import (
    Recognizer,
    Steps,
    bitmap_to_image,
    decode_picture,
    read_picture,
    strokes_to_image,
)
from tinycnn.nn import Sequential
from tinycnn.predict.sources import answers
from tinycnn.train.folder import find_weights

TWENTY = "0123456789\n5041927836"
PHOTO = (4000, 3000)  # pixels
SMALL_PHOTO = (1200, 900)  # pixels: so large are the grain and the rules that are enlarged
DRAWN = (800, 600)  # pixels of the picture with the boxes
DIGIT = 100  # pixels of it, height of a digit
BRUSH = 16  # pixels of 280


def main(argv: Sequence[str] | None = None) -> int:
    """Time, print, and draw what was asked for."""
    options = _parser().parse_args(argv)
    recognizer = Recognizer.of(Sequential.load(find_weights(options.weights)))
    if options.pictures:
        if not options.pictures.is_dir():
            raise DataError(f"there is no folder {options.pictures}")
        _draw_steps(options.pictures, recognizer)
    milliseconds = _times(recognizer, options.rounds)
    table = new_table("preparation", "median", "fastest", "slowest")
    for name, times in milliseconds.items():
        figures = statistics.median(times), min(times), max(times)
        table.add_row(name, *(f"{figure:,.2f} ms" for figure in figures))
    Console().print(table)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m benchmarks.preparation", description=__doc__)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--rounds", type=whole(1, 1000), default=10, help="of every measurement")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw the steps into it")
    return parser


def _times(recognizer: Recognizer, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every round, after one that does not count."""
    rng = np.random.default_rng(0)
    digits = [tremble(write(digit), rng) for digit in "0123456789"]
    canvases = [on_canvas(digit, BRUSH, rng) for digit in digits]
    photo = photo_of(TWENTY, rng, PHOTO)
    return {
        "a digit, from strokes": _timed(strokes_to_image, digits, rounds),
        "a digit, from a bitmap of 280 x 280": _timed(bitmap_to_image, canvases, rounds),
        "a photo of 12 megapixels, twenty digits read": _timed(
            lambda payload: read_picture(decode_picture(payload), recognizer), [photo], rounds
        ),
    }


def _timed(work: Callable[[Any], Any], inputs: Sequence[Any], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        for one in inputs:
            work(one)
        times.append(1000 * (time.perf_counter() - started) / len(inputs))
    return times[1:]


def photo_of(text: str, rng: np.random.Generator, size: tuple[int, int]) -> bytes:
    """A JPEG of digits on ruled paper, enlarged to ``size`` from a smaller photo."""
    ink = page_of([s / 100 for s in tremble(write(text, gap=30), rng)], DIGIT, DIGIT / 10)
    W, H = SMALL_PHOTO
    page = np.zeros((H, W), np.uint8)
    top, left = (H - ink.shape[0]) // 2, (W - ink.shape[1]) // 2
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    small = Image.open(io.BytesIO(photograph(page, rng, ruled=True)))
    return _encoded(small.resize(size, Image.Resampling.BICUBIC), "JPEG")


def _draw_steps(folder: Path, recognizer: Recognizer) -> None:
    """The pictures of the page about reading: what ``predict --steps`` and ``--boxes`` show."""
    rng = np.random.default_rng(4)
    drawing = tremble(write("4", height=170, at=(90, 60)), rng, size=4)
    record = json.dumps({"strokes": [stroke.tolist() for stroke in drawing]})
    photo = photo_of("27", np.random.default_rng(5), SMALL_PHOTO)
    touching = page_of([s / 100 for s in tremble(write("64", gap=-6), rng)], DIGIT, DIGIT / 10)
    inputs = {
        "drawing": record.encode(),
        "photo": photo,
        "touching": _encoded(Image.fromarray(255 - touching), "PNG"),
    }
    for name, payload in inputs.items():
        steps = Steps()
        for answer in answers(name, payload, recognizer, steps):
            if answer.framed is None:
                raise DataError(f"{name}: {answer.error}")
            if name == "photo":
                boxes = answer.framed()
                boxes.thumbnail(DRAWN)
                write_bytes(folder / f"{name}-boxes.jpg", _encoded(boxes, "JPEG"))
        write_bytes(folder / f"{name}-steps.png", _encoded(steps.picture(), "PNG"))


def _encoded(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


if __name__ == "__main__":
    raise SystemExit(run_command(main))
