"""The window: events become commands, and everything that changed is shown."""

import argparse
import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pygame

from apps.sketchpad import commands, files, keyboard, record, share, tabs, teacher, window, worker
from apps.sketchpad.canvas import Hit, inside
from apps.sketchpad.context import Command
from apps.sketchpad.document import Place
from apps.sketchpad.record import SAFE, Entry, read_record
from apps.sketchpad.session import DARK, NOTE, SHEET, Session
from apps.sketchpad.view import View
from tinycnn.errors import TinyCNNError
from tinycnn.signals import StopSignals

if TYPE_CHECKING:
    from apps.sketchpad.engine import Engine

FRAME = 1 / 120  # seconds between frames while drawing, at least
LEISURE = 0.12  # seconds between drawings of the tab while the pen is down
PATIENCE = 0.5  # seconds that the tab waits at most
STILL = 5.0  # logical pixels: a press that moves no further is a click
SWITCH = 0.0005  # seconds after which a thread that computes must let the window run
# by a key that is held down:
REPEATED = ("undo", "redo", "brush_step", "next", "zoom", "step", "point", "look_on", "dialog")
HOVERS = 0.1  # seconds between records of where the mouse is
LEFT, RIGHT = 1, 3
HAND, CROSS = pygame.SYSTEM_CURSOR_HAND, pygame.SYSTEM_CURSOR_CROSSHAIR
ARROW = pygame.SYSTEM_CURSOR_ARROW


def run(arguments: argparse.Namespace, load: Callable[[], "Engine"]) -> int:
    """Open a window, and run until it is closed; returns the exit code."""
    surface = window.open_window(arguments.size)
    scale, reader = arguments.scale or window.fitting_scale(), worker.Thread(window.ring)
    folder, file = arguments.save_to, teacher.users_file
    session = Session(reader, load, tabs.tabs(), folder=folder, corrections=file)
    with StopSignals(), record.recorder(arguments.record) as note:
        try:
            app = App(session, surface, scale, note=note, theme=arguments.theme)
            app.run()
            if arguments.screenshot:
                window.save_png(app.surface, arguments.screenshot)
        finally:
            pygame.display.quit()  # although the process may take longer to end
    return 0


class App:
    """A session in a window."""

    def __init__(
        self,
        session: Session,
        surface: pygame.Surface,
        scale: float = 1.0,
        clock: Callable[[], float] = time.perf_counter,
        note: Callable[[Command], None] = lambda command: None,
        theme: str = "light",
    ) -> None:
        """``note`` is called with every command, to record it; ``theme`` may be "system"."""
        self.session, self.surface, self.clock, self.note = session, surface, clock, note
        self.view, self.scale = View(session), min(max(scale, 0.7), 3.0)
        self.effects: dict[str, Callable[..., None]] = {
            "copy": window.copy,
            "paste": self._paste,
            "play": self._play,
            "point": self._point_at_next,
            "click": self._click,
            "share": self._share,
            "quit": lambda: setattr(self, "done", True),
            "zoom": self._zoom,
        }
        self.done, self._pointer, self.theme = False, ARROW, theme
        session.screen.dark = theme == "dark"
        self._held: set[int] = set()  # keys
        self._drags = ""  # what the next movement of the mouse does to the paper: "move", "rub"
        self._pressed: tuple[Place, Hit] | None = None  # a click if it stays, else a stroke
        self._script: deque[Entry] = deque()  # of a replay that is being played
        self._shown_at = self._tab_shown_at = self._hovered_at = 0.0
        self._fit()
        self._ask_theme()

    def run(self) -> None:
        """Run until the window is closed."""
        sys.setswitchinterval(SWITCH)
        while not self.done:
            self.turn()

    def turn(self) -> None:
        """Wait for events, and show what they changed; the tab waits until all is read."""
        self._wait()
        writing, now = self.session.pad.writing, self.clock()
        for hurry in (2, 1):  # ink and answer do not wait for the strip
            if self.update(hurry):
                self._shown_at = self.clock()
        leisure = not writing or now - self._tab_shown_at > LEISURE
        if (leisure and self.session.up_to_date) or now - self._tab_shown_at > PATIENCE:
            self._tab_shown_at = now
            self.update()

    def _wait(self) -> None:
        """Take in events until a frame is due that has something to show, or a result comes."""
        happened = False
        while True:
            writing = self.session.pad.writing
            due = self._shown_at + FRAME - self.clock()
            rest = PATIENCE if self.session.up_to_date and not writing else LEISURE
            game, moment = self.session.game, self.session.moment
            moves = moment is not None or self._script or (game and not game.over)
            rest = FRAME if moves else rest
            patience = max(due, 0.001) if happened else rest
            events = [pygame.event.wait(int(1000 * patience)), *pygame.event.get()]
            for event in events:
                self.handle(event)
            self._follow_script()
            self.session.tick()  # reading may begin before the frame is due
            kinds = {event.type for event in events}
            happened |= kinds != {pygame.NOEVENT}
            early = happened and self.session.pad.writing and self.clock() < self._shown_at + FRAME
            if window.RING in kinds or not early:
                return

    def update(self, hurry: int = 0) -> bool:
        """Draw what has changed, see ``View.draw``; tells whether anything had."""
        changed = self.view.draw(self.surface, hurry)
        if changed:
            pygame.display.update(changed)
        return bool(changed)

    def do(self, command: Command) -> None:
        """Record a command, do it, and carry out its effect."""
        if command[0] not in commands.POINTING:
            self.note(command)
        effect = commands.do(self.session, command)
        if effect is not None:
            self.effects[effect[0]](*effect[1:])
        if command[0] == "hover":
            self._point(self.session.screen.hover)

    def _point_at_next(self, right: int, down: int) -> None:
        place = self.view.next_place(self.session.screen.hover, right, down)
        self.do(("hover", *place, True))

    def _click(self) -> None:
        place = self.session.screen.hover
        if place and self.view.hit_at(place):
            self._press(place, LEFT)
            self._release()

    def _point(self, place: Place | None) -> None:
        hit = self.view.hit_at(place) if place else None
        pen = place is not None and self._on_paper(place)
        pointer = HAND if hit else CROSS if pen else ARROW
        if pointer != self._pointer:
            self._pointer = pointer
            with contextlib.suppress(pygame.error):  # not every screen has pointers
                pygame.mouse.set_cursor(pointer)

    def handle(self, event: pygame.event.Event) -> None:  # noqa: C901 - one case for each kind
        """Turn one event into commands."""
        match event.type:
            case pygame.MOUSEBUTTONDOWN:
                self._press(self._place(event), event.button)
            case pygame.MOUSEMOTION:
                self._motion(self._place(event))
            case pygame.MOUSEBUTTONUP:
                self._release()
            case pygame.MOUSEWHEEL:
                self.do(("brush_step", event.y))
            case pygame.KEYDOWN:
                self._key(event)
                self._held.add(event.key)
            case pygame.KEYUP:
                self._held.discard(event.key)
            case pygame.DROPFILE:
                self.do(("open", event.file))
            case pygame.VIDEORESIZE | pygame.WINDOWEXPOSED:
                self.surface = pygame.display.get_surface() or self.surface
                self._fit()
            case pygame.WINDOWFOCUSGAINED:
                self._ask_theme()
            case pygame.WINDOWLEAVE:
                self.do(("hover", -1.0, -1.0))
            case pygame.QUIT:
                self.do(("quit",))

    def _place(self, event: pygame.event.Event) -> Place:
        return event.pos[0] / self.view.scale, event.pos[1] / self.view.scale

    def _on_paper(self, place: Place) -> bool:
        return not self.session.screen.enlarged and inside(place, self.view.layout.paper)

    def _press(self, place: Place, button: int) -> None:
        hit, on_paper = self.view.hit_at(place), self._on_paper(place)
        erases = button == RIGHT or (hit is None and self.session.pad.tool == "eraser")
        if button not in (LEFT, RIGHT):
            return
        if erases or hit is None:
            if on_paper:
                self._touch(place, *(("rub", "rub") if erases else ("down", "move")))
        elif hit.slides or (on_paper and hit.command[0] == "ask"):
            self._pressed = place, hit
            self._motion(place)
        else:
            self.do(hit.command)

    def _touch(self, place: Place, first: str, then: str) -> None:
        self._drags = then
        self.do((first, *self.view.on_paper(place)))

    def _motion(self, place: Place) -> None:
        (start, hit) = self._pressed or (place, None)
        if hit is not None and hit.slides:
            x, _, width, _ = hit.area
            self.do((*hit.command, min(max((place[0] - x) / width, 0.0), 1.0)))
            return
        if abs(place[0] - start[0]) + abs(place[1] - start[1]) > STILL:
            self._pressed = None
            self._touch(start, "down", "move")
        if self._drags:
            self.do((self._drags, *self.view.on_paper(place)))
        else:
            self._hover(place)

    def _hover(self, place: Place) -> None:
        if self.clock() - self._hovered_at > HOVERS:  # a record need not have every step
            self._hovered_at = self.clock()
            self.note(("hover", *place))
        commands.do(self.session, ("hover", *place))
        self._point(place)

    def _release(self) -> None:
        (_, hit), drags = self._pressed or (None, None), self._drags
        self._pressed, self._drags = None, ""
        if hit is not None and not hit.slides:
            self.do(hit.command)
        elif drags:
            self.do(("up",))

    def _key(self, event: pygame.event.Event) -> None:
        command = keyboard.command_of(event, self.session, self.view.layout.compact)
        if event.key in self._held and (command is None or command[0] not in REPEATED):
            return  # held down for long, or the machine is busy: once is enough
        if command is not None:
            self.do(command)

    def _paste(self) -> None:
        screen = self.session.screen
        if screen.popup == "open":
            self.do(("dialog", screen.typed + window.paste()))
        else:
            self.session.worker.submit(SHEET, None, files.pasted)

    def _play(self, path: str) -> None:
        """Play the record of another user; only what is done on the paper."""
        text = Path(path).expanduser().read_text(encoding="utf-8", errors="replace")
        now = self.clock()
        try:
            entries = read_record(text, path)
        except TinyCNNError as error:
            self.session.screen.note = str(error)
            return
        self.do(("clear",))
        safe = (entry for entry in entries if entry.command[0] in SAFE)
        self._script = deque(entry._replace(at=entry.at + now) for entry in safe)

    def _follow_script(self) -> None:
        while self._script and self._script[0].at <= self.clock():
            self.do(self._script.popleft().command)

    def _share(self, path: Path) -> None:
        session = self.session
        assert session.engine is not None
        given = list(session.log), session.pad, session.engine, session.screen.dark, path
        session.worker.aside(NOTE, share.make, *given)

    def _ask_theme(self) -> None:
        if self.theme == "system":
            self.session.worker.aside(DARK, window.is_dark)

    def _zoom(self, step: int) -> None:
        if step > 0 and self.scale > self.view.scale:
            return  # the window has no room for more
        self.scale = min(max(round(self.scale + 0.1 * step, 1), 0.7), 3.0)
        self._fit()

    def _fit(self) -> None:
        self.view.fit(self.surface.get_size(), self.scale)
        self.do(("room", *self.view.layout.paper[2:]))
