"""Playing again: a recorded session, or a file of strokes that is written as a hand would.

Everything takes the way through session and view that a person's drawing takes, only that nothing
is done in the background. So tests, pictures for the documentation and bug reports see what
people see.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad.commands import do
from apps.sketchpad.document import placed
from apps.sketchpad.engine import Engine
from apps.sketchpad.layout import USUAL
from apps.sketchpad.record import Entry, is_record, read_record
from apps.sketchpad.session import Session
from apps.sketchpad.tabs import tabs
from apps.sketchpad.worker import Inline
from tinycnn.errors import ImageError, TinyCNNError

if TYPE_CHECKING:
    from pygame import Surface


def replay(arguments: argparse.Namespace, load: Callable[[], Engine]) -> int:
    """Play a file, print what was read, take pictures; returns the exit code."""
    if arguments.headless:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
    from apps.sketchpad import window

    payload = _read(arguments)
    arguments.size, arguments.scale = arguments.size or USUAL, arguments.scale or 1.0
    surface = (window.open_nothing if arguments.headless else window.open_window)(arguments.size)
    with tempfile.TemporaryDirectory() as place:  # a stranger's session may save what it likes
        return _play(payload, arguments, Player(surface, arguments, load, Path(place)))


def _play(payload: bytes, arguments: argparse.Namespace, player: "Player") -> int:
    from apps.sketchpad import window

    text = payload[:100].decode(errors="replace")
    if is_record(text):
        entries = read_record(payload.decode(errors="replace"), str(arguments.replay))
        player.play(entries)
        print(json.dumps(_result(player.session)))
    else:
        for record in write_drawings(payload, player.session):
            print(json.dumps(record))
            player.show()
    player.show()
    if arguments.film:
        player.film.take(player.surface)
        player.film.save(arguments.film)
    if arguments.screenshot:
        window.save_png(player.surface, arguments.screenshot)
    return 0


class Player:
    """Gives the commands of a record; where somebody is looking, at the pace of the record."""

    def __init__(
        self,
        surface: "Surface",
        arguments: argparse.Namespace,
        load: Callable[[], Engine],
        folder: Path,
    ) -> None:
        """``folder`` is where the commands of the record save."""
        from apps.sketchpad.app import App
        from apps.sketchpad.gif import Film

        self.surface, self.seen = surface, not arguments.headless
        self.film = Film()
        self.filming = arguments.film is not None
        self.now = 0.0
        self.session = Session(Inline(), load, tabs(), folder=folder)
        self.app = App(self.session, surface, arguments.scale, clock=lambda: self.now)
        self.session.tick()

    def play(self, entries: Sequence[Entry]) -> None:
        """All commands, one after the other."""
        for entry in entries:
            while self.filming and self.film.due(entry.at):
                self.show()
                self.film.take(self.surface)
            if self.seen and entry.at > self.now:
                self.show()
                time.sleep(entry.at - self.now)
            self.now = entry.at
            self.app.do(entry.command)
            self.session.tick()
            if self.app.done:
                return

    def show(self) -> None:
        """Bring the window up to date."""
        self.session.tick()
        self.app.view.draw(self.surface)
        if self.seen:
            self.app.look_out()


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
