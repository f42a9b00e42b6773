"""Playing again: a recorded session, or a file of strokes that is written as by hand.

All commands go through session and view like a user's, only nothing is done in the background.
So tests, pictures for the documentation and bug reports show exactly what users see.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pygame

from apps.sketchpad import window
from apps.sketchpad.app import App
from apps.sketchpad.commands import do
from apps.sketchpad.document import placed
from apps.sketchpad.layout import USUAL
from apps.sketchpad.record import Entry, is_record, read_record
from apps.sketchpad.session import Session
from apps.sketchpad.share import Film
from apps.sketchpad.tabs import tabs
from apps.sketchpad.worker import Inline
from tinycnn.errors import ImageError, TinyCNNError

if TYPE_CHECKING:
    from apps.sketchpad.engine import Engine

UNSAFE = "copy", "paste", "play", "share", "quit"  # a record must not touch the user's things


def run(arguments: argparse.Namespace, load: Callable[[], "Engine"]) -> int:
    """Play a file, print what was read, take pictures; return 1 if a drawing cannot be read."""
    from tinycnn.ink import read_file

    if arguments.headless:
        os.environ["SDL_VIDEODRIVER"] = "dummy"
    try:
        payload = read_file(arguments.replay)
    except ImageError as error:
        raise TinyCNNError(f"{arguments.replay}: {error}") from error
    code = 0
    with tempfile.TemporaryDirectory() as folder:  # a record from others may save anything
        player = Player(arguments, load, Path(folder))
        if is_record(payload[:100].decode(errors="replace")):
            player.play(read_record(payload.decode(errors="replace"), str(arguments.replay)))
            print(json.dumps(_result(player.session)))
        else:
            for record in write_drawings(payload, player.session):
                print(json.dumps(record))
                player.show()
                code |= "error" in record
        player.show()
        if player.film:
            player.film.add(player.app.surface)
            player.film.save(arguments.film)
        if arguments.screenshot:
            window.save_png(player.app.surface, arguments.screenshot)
    return code


class Player:
    """Gives the commands of a record; in a window that is seen, at the pace of the record."""

    def __init__(
        self, arguments: argparse.Namespace, load: Callable[[], "Engine"], folder: Path
    ) -> None:
        """``folder`` is where the commands of the record save, and corrections are kept."""
        from tinycnn.adapt import CorrectionFile

        self.seen, size = not arguments.headless, arguments.size or USUAL
        surface = window.open_window(size) if self.seen else pygame.Surface(size)
        self.film = Film() if arguments.film else None
        self.now = 0.0
        corrections = partial(CorrectionFile, folder / "drawings.jsonl")
        self.session = Session(Inline(), load, tabs(), folder=folder, corrections=corrections)
        theme, scale = arguments.theme, arguments.scale or 1.0
        theme = "light" if theme == "system" else theme  # the same picture everywhere
        self.app = App(self.session, surface, scale, clock=lambda: self.now, theme=theme)
        self.session.clock = self.app.clock
        for name in UNSAFE:
            self.app.effects[name] = lambda *arguments: None

    def play(self, entries: list[Entry]) -> None:
        """Do all commands, one after the other."""
        for entry in entries:
            while self.film and self.film.seconds <= entry.at:
                self.now = self.film.seconds  # plays and games go on between commands
                self.show()
                self.film.add(self.app.surface)
            if self.seen and entry.at > self.now:
                self.show()
                time.sleep(entry.at - self.now)
            self.now = entry.at
            self.app.do(entry.command)
            self.session.tick()
            if self.app.done:
                return

    def show(self) -> None:
        """Bring the window up to date, and see whether the user closes it."""
        self.app.view.draw(self.app.surface)
        if self.seen:
            pygame.display.flip()
            self.app.done |= any(event.type == pygame.QUIT for event in pygame.event.get())


def write_drawings(payload: bytes, session: Session) -> Iterator[dict[str, Any]]:
    """Write every drawing of a stroke file by hand, one page each; yields the readings."""
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
            for name, place in zip(
                ["down", *["move"] * (len(line) - 1)], line.tolist(), strict=True
            ):
                do(session, (name, *place))
            do(session, ("up",))
            session.tick()
        yield {**record, **_result(session)}


def _result(session: Session) -> dict[str, Any]:
    from tinycnn.ink.results import as_record

    if session.answer is None:
        reason = session.screen.note or "the network did not load"
        raise TinyCNNError(f"nothing could be read: {reason}")
    return as_record(session.answer.reading)
