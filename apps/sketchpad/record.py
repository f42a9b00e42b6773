"""Sessions as files: one command a line, with the second at which it was given.

{"sketchpad": 1, "size": [620, 636]}
{"at": 0.412, "do": ["down", 100.0, 80.5]}
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from apps.sketchpad.context import Command
from tinycnn.errors import DataError, EnvironmentFault

FORMAT = 1
LONGEST = 86_400.0  # seconds
SAFE = (  # what the replay of another user may do, and what a replay to share has
    *("down", "move", "up", "rub", "brush_part", "brush_step", "tool", "undo", "redo"),
    *("clear", "single", "select", "next", "show", "tab", "look", "play", "game"),
)
FIRST = {"sketchpad": FORMAT}


class Entry(NamedTuple):
    """A command and when it was given, in seconds from the start."""

    at: float
    command: Command


@contextlib.contextmanager
def recorder(
    path: Path | None, clock: Callable[[], float] = time.perf_counter
) -> Iterator[Callable[[Command], None]]:
    """In the ``with``, a function to be told every command; without a path it keeps nothing."""
    if path is None:
        yield lambda command: None
        return
    start = clock()
    try:
        file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed below
    except OSError as fault:
        raise EnvironmentFault(f"cannot write {path}: {fault.strerror}") from fault
    with file:
        print(json.dumps(FIRST), file=file)

        def note(command: Command) -> None:
            line = {"at": round(clock() - start, 4), "do": list(command)}
            print(json.dumps(line), file=file, flush=command[0] != "move")

        yield note


def record_text(entries: Sequence[Entry]) -> str:
    """A session as a file, its first command at 0 seconds."""
    start = entries[0].at if entries else 0.0
    lines = [FIRST, *({"at": round(at - start, 4), "do": list(do)} for at, do in entries)]
    return "".join(json.dumps(line) + "\n" for line in lines)


def read_record(text: str, name: str) -> list[Entry]:
    """The commands of a recorded session; raises DataError."""
    entries = []
    for number, line in enumerate(text.splitlines()[1:], start=2):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            command, at = record["do"], float(record.get("at", 0.0))
            named = isinstance(command, list) and command and isinstance(command[0], str)
            sound = named and 0 <= at <= LONGEST
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            sound = False
        if not sound:
            raise DataError(f"{name}, line {number}, is no recorded command")
        entries.append(Entry(at, tuple(command)))
    return entries


def is_record(text: str) -> bool:
    """Whether a file is a recorded session, and not one of strokes."""
    try:
        first = json.loads(text.partition("\n")[0])
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and first.get("sketchpad") == FORMAT
