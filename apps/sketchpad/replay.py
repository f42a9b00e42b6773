"""Playing again: a recorded session, or a file of strokes that is written as a hand would.

Everything takes the way through session and view that a person's drawing takes, only at once:
nothing is done in the background. So tests, pictures for the documentation and bug reports see
what people see.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from apps.sketchpad.brain import Brain
from apps.sketchpad.commands import do
from apps.sketchpad.page import placed
from apps.sketchpad.record import is_record, read_record
from apps.sketchpad.session import Session
from apps.sketchpad.tabs import tabs
from apps.sketchpad.worker import Inline
from tinycnn.errors import ImageError, TinyCNNError


def replay(arguments: argparse.Namespace, load: Callable[[], Brain]) -> int:
    """Play a file, print what was read, take a picture; returns the exit code."""
    if arguments.headless:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
    from apps.sketchpad import window
    from apps.sketchpad.app import App

    payload = _read(arguments)
    surface = (window.open_nothing if arguments.headless else window.open_window)(arguments.size)
    seconds = 0.0
    session = Session(Inline(), load, tabs())
    app = App(session, surface, arguments.scale, clock=lambda: seconds)
    session.tick()
    if is_record(payload[:1000].decode(errors="replace")):
        for entry in read_record(payload.decode(errors="replace"), str(arguments.replay)):
            seconds = entry.at
            app.do(entry.command)
            session.tick()
        print(json.dumps(_result(session)))
    else:
        for record in write_drawings(payload, session):
            print(json.dumps(record))
    if not arguments.headless:
        app.turn()
    if arguments.screenshot:
        app.view.draw(surface)
        window.save_png(surface, arguments.screenshot)
    return 0


def write_drawings(payload: bytes, session: Session) -> Iterator[dict[str, Any]]:
    """Write every drawing of a stroke file by hand, one page each; yields what is read."""
    from tinycnn.ink import read_drawings

    for index, drawing in enumerate(read_drawings(payload)):
        record: dict[str, Any] = {"index": index}
        if isinstance(drawing, ImageError):
            yield {**record, "error": str(drawing)}
            continue
        if drawing.label is not None:
            record["label"] = drawing.label
        do(session, ("clear",))
        for line in placed(drawing.strokes, session.pad.size):
            write_line(line, session)
        yield {**record, **_result(session)}


def write_line(line: np.ndarray, session: Session) -> None:
    """Press, move and lift the pen along a line (n,2)."""
    (x, y), *rest = line.tolist()
    do(session, ("down", x, y))
    for x, y in rest:
        do(session, ("move", x, y))
    do(session, ("up",))
    session.tick()


def _result(session: Session) -> dict[str, Any]:
    from tinycnn.ink import as_record

    session.tick()
    if session.answer is None:
        raise TinyCNNError("nothing could be read: the network did not load")
    return as_record(session.answer.reading)


def _read(arguments: argparse.Namespace) -> bytes:
    from tinycnn.ink import read_file

    try:
        return read_file(arguments.replay)
    except ImageError as error:
        raise TinyCNNError(f"{arguments.replay}: {error}") from error
