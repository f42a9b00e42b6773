"""The command ``python -m apps.sketchpad``, which opens a window to draw digits in."""

import argparse
import importlib.util
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.cli import Parser, add_network, run_command
from tinycnn.errors import EnvironmentFault, TinyCNNError
from tinycnn.files import refuse_to_overwrite
from tinycnn.train.folder import DEFAULT, find_weights

if TYPE_CHECKING:
    from apps.sketchpad.engine import Engine

EXAMPLES = """\
examples:
  python -m apps.sketchpad                                 draw
  python -m apps.sketchpad --weights last                  with the network of the last training
  python -m apps.sketchpad --record mine.jsonl             keep what is done
  python -m apps.sketchpad --replay mine.jsonl --headless --screenshot mine.png
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, open the window, draw; returns the exit code."""
    arguments = _parser().parse_args(argv)
    if (arguments.headless or arguments.film) and not arguments.replay:
        raise TinyCNNError("--headless and --film need a --replay FILE")
    if arguments.record and arguments.replay:
        raise TinyCNNError("--record keeps what you do in the window, not a --replay")
    if importlib.util.find_spec("pygame") is None:
        raise EnvironmentFault("the sketchpad needs pygame: pip install 'tinycnn[sketchpad]'")
    weights = find_weights(arguments.weights)
    outputs = arguments.record, arguments.screenshot, arguments.film
    refuse_to_overwrite(outputs, [arguments.replay, weights])
    load = _loader(arguments.weights)
    if arguments.replay:
        from apps.sketchpad.replay import run
    else:
        from apps.sketchpad.app import run
    return run(arguments, load)


def _loader(weights: str) -> "Callable[[], Engine]":
    """The function that makes the engine; a named file is read now, to be refused now."""

    def load() -> "Engine":
        from apps.sketchpad.engine import Engine

        return Engine.load(weights)

    loaded = [] if weights == DEFAULT else [load()]
    return lambda: loaded.pop() if loaded else load()


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m apps.sketchpad",
        description="Draw digits, and see what the network sees. F1 shows all keys.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--weights", metavar="WEIGHTS", default=DEFAULT, help="a weights file, a run folder, last")
    add_network(parser)
    add("--size", metavar="WxH", type=_size, help="of the window")
    add("--scale", metavar="S", type=float, help="everything larger, 0.7 to 3")
    add("--theme", choices=("system", "light", "dark"), default="system", help="of the window")
    add("--record", metavar="FILE", type=Path, help="write all that is done")
    add("--replay", metavar="FILE", type=Path, help="do what was recorded, or write a stroke file")
    add("--headless", action="store_true", help="replay without a window")
    add("--screenshot", metavar="PNG", type=Path, help="write what is shown at the end")
    add("--film", metavar="GIF", type=_film, help="write a replay as an animated picture")
    add("--save-to", metavar="DIR", type=Path, default=Path(), help="where S saves drawings")
    return parser


def _film(text: str) -> Path:
    if Path(text).suffix not in (".gif", ".webp"):
        raise argparse.ArgumentTypeError(f"{text} does not end in .gif or .webp")
    return Path(text)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{3,4})x(\d{3,4})", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is no size such as 1280x800")
    return int(found[1]), int(found[2])


if __name__ == "__main__":
    sys.exit(run_command(main))
