"""What the benchmarks' commands share: option types, where results go, progress, tables."""

import argparse
import importlib.util
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tinycnn.cli import Parser
from tinycnn.files import write_bytes


def new_parser(name: str, description: str | None, examples: str | None = None) -> Parser:
    """Return the parser of ``python -m benchmarks.NAME``."""
    return Parser(prog=f"python -m benchmarks.{name}", description=description, epilog=examples)


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return the type of an option that is a whole number from ``least`` to ``most``."""

    def number(text: str) -> int:
        if not (text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return number


def names_of(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Return the type of an option that is a list of some of the ``known`` names."""

    def names(text: str) -> list[str]:
        if unknown := set(text.split(",")) - set(known):
            raise argparse.ArgumentTypeError(
                f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(known)}"
            )
        return text.split(",")

    return names


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add --json and --charts; ``check_targets`` refuses what could not be written."""
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file")
    parser.add_argument("--charts", type=Path, metavar="DIR", help="draw SVG charts into it")


def check_targets(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse before measuring what would fail after it."""
    charts = getattr(options, "charts", None)
    for path in filter(None, [options.json and options.json.parent, charts]):
        if not path.is_dir():
            parser.error(f"there is no folder {path}")
    if charts and not importlib.util.find_spec("matplotlib"):
        parser.error("--charts needs matplotlib: pip install matplotlib")


def write_json(path: Path | None, figures: dict[str, Any]) -> None:
    """Write the results, if a file was asked for."""
    if path:
        write_bytes(path, json.dumps(figures, indent=1).encode() + b"\n")


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows the present step: in one line that changes, or on a new line."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with console.status("starting") as status:
            yield lambda text: status.update(text)
    else:
        yield lambda text: console.print(text, markup=False)


def new_table(*columns: str, words: int = 2) -> Table:
    """Return an empty table whose first columns hold ``words`` and whose others hold figures."""
    table = Table(caption_justify="left", title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < words else "right")
    return table


def many(count: int, word: str) -> str:
    """Return "1 core", "2 cores"."""
    return f"{count} {word}" + ("" if count == 1 else "s")
