"""What the commands of this folder share: their options' types, where results go, progress."""

import argparse
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return the type of an option that is a whole number from ``least`` to ``most``."""

    def number(text: str) -> int:
        if not (text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return number


def check_targets(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse before measuring what would fail after it."""
    for path in filter(None, [options.json and options.json.parent, options.charts]):
        if not path.is_dir():
            parser.error(f"there is no folder {path}")
    if options.charts and not importlib.util.find_spec("matplotlib"):
        parser.error("--charts needs matplotlib: pip install matplotlib")


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Yield what tells the reader where we are: one line that changes, or one line a step."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with console.status("starting") as status:
            yield lambda text: status.update(text)
    else:
        yield lambda text: console.print(text, markup=False)
