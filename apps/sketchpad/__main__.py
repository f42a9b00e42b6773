"""The command to the sketchpad: ``python -m apps.sketchpad`` opens a window to draw digits in."""

import argparse
import importlib.util
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.cli import Parser, run_command
from tinycnn.errors import EnvironmentFault, TinyCNNError

if TYPE_CHECKING:
    from apps.sketchpad.engine import Engine

EXAMPLES = """\
examples:
  python -m apps.sketchpad                                 draw
  python -m apps.sketchpad --weights last                  with the network of the last training
  python -m apps.sketchpad --record mine.jsonl             keep what is done
  python -m apps.sketchpad --replay mine.jsonl --headless --screenshot mine.png
"""

DEFAULT = "default"


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, open the window, draw; returns the exit code."""
    arguments = _parser().parse_args(argv)
    if (arguments.headless or arguments.film) and not arguments.replay:
        raise TinyCNNError("--headless and --film want something to play: give a --replay FILE")
    if importlib.util.find_spec("pygame") is None:
        raise EnvironmentFault("the sketchpad needs pygame: pip install 'tinycnn[sketchpad]'")
    load = _loader(arguments.weights)
    if arguments.replay:
        from apps.sketchpad.replay import replay

        return replay(arguments, load)
    return _draw(arguments, load)


def _draw(arguments: argparse.Namespace, load: "Callable[[], Engine]") -> int:
    """A person at the window."""
    from apps.sketchpad import window
    from apps.sketchpad.app import App
    from apps.sketchpad.record import recorder
    from apps.sketchpad.session import Session
    from apps.sketchpad.tabs import tabs
    from apps.sketchpad.teacher import users_file
    from apps.sketchpad.worker import Thread
    from tinycnn.signals import StopSignals

    surface = window.open_window(arguments.size)
    scale = arguments.scale or window.fitting_scale()
    session = Session(
        Thread(window.ring), load, tabs(), folder=arguments.save_to, corrections=users_file
    )
    with StopSignals(), recorder(arguments.record) as note, window.closing():
        app = App(session, surface, scale, note=note)
        app.run()
        if arguments.screenshot:
            window.save_png(app.surface, arguments.screenshot)
    return 0


def _loader(weights: str) -> "Callable[[], Engine]":
    """What makes the engine; a file that somebody named is read now, to be refused now."""
    from apps.sketchpad.engine import Engine

    if weights == DEFAULT:
        return lambda: Engine.load(DEFAULT)
    engine = Engine.load(weights)
    loaded = [engine]
    return lambda: loaded.pop() if loaded else Engine.load(weights)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m apps.sketchpad",
        description="Draw digits, and see what the network sees. F1 shows all keys.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--weights", metavar="WEIGHTS", default=DEFAULT, help="a weights file, a run folder, last"
    )
    parser.add_argument("--size", metavar="WxH", type=_size, help="of the window")
    parser.add_argument("--scale", metavar="S", type=_scale, help="everything larger, 0.7 to 3")
    parser.add_argument("--record", metavar="FILE", type=Path, help="write all that is done")
    parser.add_argument(
        "--replay", metavar="FILE", type=Path, help="do what was recorded, or write a stroke file"
    )
    parser.add_argument("--headless", action="store_true", help="replay without a window")
    parser.add_argument(
        "--screenshot", metavar="PNG", type=Path, help="write what is shown at the end"
    )
    parser.add_argument(
        "--film", metavar="GIF", type=_film, help="write a replay as an animated picture"
    )
    parser.add_argument(
        "--save-to", metavar="DIR", type=Path, default=Path(), help="where S saves drawings"
    )
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


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0.7 <= scale <= 3:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0.7 to 3")
    return scale


if __name__ == "__main__":
    sys.exit(run_command(main))
