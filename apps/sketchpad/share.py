"""To share: a card with the drawing, what it was read as, and the network; and it as a film."""

import copy
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pygame
from PIL import Image

from apps.sketchpad import layout
from apps.sketchpad.commands import do
from apps.sketchpad.editor import Pad
from apps.sketchpad.record import Entry
from apps.sketchpad.session import Session
from apps.sketchpad.view import View
from apps.sketchpad.window import save_png
from apps.sketchpad.worker import Inline
from tinycnn.files import write_bytes

if TYPE_CHECKING:
    from apps.sketchpad.engine import Engine

CARD = (1200, 675)  # pixels
NOTE = "drawn by hand, read by tinycnn: a neural network in plain Python"
LONGEST = 24.0  # seconds of a film; a longer session is played faster
PAUSE = 0.4  # seconds that nothing happens, at most
FRAMES = 10  # per second of the film
PART = 0.625  # of the window's size
COLORS = 64
LAST = 2.5  # seconds that the last frame stays


def make(entries: Sequence[Entry], pad: Pad, engine: "Engine", dark: bool, path: Path) -> str:
    """Play a session that ended with ``pad`` again on a card; write PATH.png and PATH.gif."""
    page, now = pad.page, [0.0]
    reader = engine.like(copy.deepcopy(engine.model))
    session = Session(Inline(), lambda: reader, clock=lambda: now[0])
    session.pad.room, session.screen.dark = pad.room, dark
    view, surface, film = View(session, layout.card), pygame.Surface(CARD), Film()
    view.fit(CARD, 1.0)

    def show() -> None:
        session.tick()
        session.screen.note = NOTE
        view.draw(surface)
        film.add(surface)

    ats = [at for at, _ in entries]
    gaps = np.minimum(np.diff(ats, prepend=ats[:1]), PAUSE)
    faster = max(gaps.sum() / LONGEST, 1.0)
    for (_, command), seconds in zip(entries, np.cumsum(gaps), strict=True):
        while film.seconds <= seconds / faster:
            show()
        now[0] = float(seconds)
        do(session, command)
    if page.sheet or not session.pad.page.strokes:  # what a file, or undo, laid there
        session.pad.page = page
        session.pad.version += 1
    show()
    film.save(path.with_suffix(".gif"))
    save_png(surface, path.with_suffix(".png"))
    return f"wrote {path.name}, as .png, .gif, .json and a replay, to {path.parent.resolve()}"


class Film:
    """A replay as an animated picture: few colors, and only what changes from frame to frame."""

    def __init__(self) -> None:
        self.seconds = 0.0  # how long it is
        self._frames: list[Image.Image] = []
        self._milliseconds: list[int] = []

    def add(self, surface: pygame.Surface) -> None:
        """Add a frame; one that equals the last lets that one stay longer."""
        self.seconds += 1 / FRAMES
        pixels = np.ascontiguousarray(pygame.surfarray.array3d(surface).swapaxes(0, 1))
        image = Image.fromarray(pixels)
        width, height = (round(length * PART) for length in image.size)
        small = image.resize((width, height), Image.Resampling.LANCZOS)
        if self._frames and small.tobytes() == self._frames[-1].tobytes():
            self._milliseconds[-1] += round(1000 / FRAMES)
            return
        self._frames.append(small)
        self._milliseconds.append(round(1000 / FRAMES))

    def save(self, path: Path) -> None:
        """Write a GIF, or another format that the name ends in and Pillow can animate."""
        self._milliseconds[-1] += round(1000 * LAST)
        palette = self._frames[-1].quantize(COLORS)
        frames = [f.quantize(palette=palette, dither=Image.Dither.NONE) for f in self._frames]
        buffer, kind = io.BytesIO(), path.suffix.lstrip(".")
        more = {"save_all": True, "append_images": frames[1:], "duration": self._milliseconds}
        frames[0].save(buffer, kind, loop=0, **more)
        write_bytes(path, buffer.getvalue())
