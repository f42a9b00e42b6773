"""How long the preparation of ink to 28 x 28 takes: ``python -m benchmarks.speed.preparation``.

All ink is made by code.
"""

import argparse
from collections.abc import Sequence

import numpy as np
from rich.console import Console

from benchmarks.command import new_parser, whole
from benchmarks.interleave import Version
from benchmarks.quality.handwriting import tremble, write
from benchmarks.quality.pages import on_canvas, photo_of
from benchmarks.timing import compare
from tinycnn.cli import run_command
from tinycnn.ink import Recognizer, bitmap_to_image, decode_picture, read_picture, strokes_to_image
from tinycnn.nn import Sequential
from tinycnn.train.folder import find_weights

TWENTY = "0123456789\n5041927836"
PHOTO = (4000, 3000)  # pixels
BRUSH = 16  # pixels of 280


def main(argv: Sequence[str] | None = None) -> int:
    """Time, and print."""
    options = _parser().parse_args(argv)
    recognizer = Recognizer.of(Sequential.load(find_weights(options.weights)))
    rng = np.random.default_rng(0)
    digits = [tremble(write(digit), rng) for digit in "0123456789"]
    canvases = [on_canvas(digit, BRUSH, rng) for digit in digits]
    photo = photo_of(tremble(write(TWENTY, gap=30), rng), rng, PHOTO)
    one_digit = {
        "from strokes": Version(lambda: [strokes_to_image(digit) for digit in digits]),
        "from a bitmap of 280 x 280": Version(lambda: [bitmap_to_image(c) for c in canvases]),
    }
    whole_photo = {
        "twenty digits": Version(lambda: read_picture(decode_picture(photo), recognizer))
    }
    console = Console(highlight=False)
    console.print(compare("a digit prepared", one_digit, options.rounds, len(digits)).table())
    console.print(compare("a photo of 12 megapixels", whole_photo, options.rounds, 1).table())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("speed.preparation", __doc__)
    parser.add_argument("--weights", default="default")
    parser.add_argument("--rounds", type=whole(1, 1000), default=10, help="of every measurement")
    return parser


if __name__ == "__main__":
    raise SystemExit(run_command(main))
