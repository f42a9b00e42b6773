"""The window: events become commands, and what changed is shown."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import pygame

from apps.sketchpad import window
from apps.sketchpad.canvas import Hit, Place, inside
from apps.sketchpad.commands import do
from apps.sketchpad.context import Command
from apps.sketchpad.keys import BY_NAME
from apps.sketchpad.session import Session
from apps.sketchpad.view import View

FRAME = 1 / 120  # seconds between frames while drawing, at least
LEISURE = 0.12  # seconds between drawings of the tab while the pen is down
PATIENCE = 0.5  # seconds that the tab waits at most
STILL = 5.0  # logical pixels: a press that moves no further is a click
SWITCH = 0.0005  # seconds after which a thread that computes lets the window have its turn
REPEATED = ("undo", "redo", "brush_step", "tab", "next", "zoom")  # by a key that is held down
HOVERS = 0.1  # seconds between records of where the mouse is
LEFT, RIGHT = 1, 3


@dataclass
class Mouse:
    """What the mouse is doing."""

    drawing: bool = False
    rubbing: bool = False
    slides: Hit | None = None
    pressed: tuple[Place, Hit] | None = None
    """A press on something on the paper: a click if the mouse stays, a stroke if it moves."""


class App:
    """A session in a window."""

    def __init__(
        self,
        session: Session,
        surface: pygame.Surface,
        scale: float = 1.0,
        clock: Callable[[], float] = time.perf_counter,
        note: Callable[[Command], None] = lambda command: None,
    ) -> None:
        """``note`` is told every command, to record it."""
        self.session, self.surface, self.clock, self.note = session, surface, clock, note
        self.view = View(session)
        self.scale = scale
        self.done = False
        self.mouse = Mouse()
        self._pointer = "arrow"
        self._windowed: tuple[int, int] | None = None  # the size to come back to from full screen
        self._held: set[int] = set()
        self._shown_at = self._looked_at = self._hovered_at = 0.0
        self._fit()

    def run(self) -> None:
        """Until the window is closed."""
        sys.setswitchinterval(SWITCH)
        while not self.done:
            self.turn()

    def turn(self) -> None:
        """Wait for something to happen, do it, show it."""
        self._wait()
        self._fulfill()
        self._show()

    def look_out(self) -> None:
        """During a replay: show everything, and see whether somebody closes the window."""
        pygame.display.flip()
        self.done |= any(event.type == pygame.QUIT for event in pygame.event.get())

    def _show(self) -> None:
        """Ink and answer come first; the tab follows when there is nothing to be read."""
        writing, now = self.session.pad.writing, self.clock()
        if self.update(hurry=True):
            self._shown_at = self.clock()
        leisure = not writing or now - self._looked_at > LEISURE
        if (leisure and self.session.up_to_date) or now - self._looked_at > PATIENCE:
            self._looked_at = now
            self.update(hurry=False)

    def update(self, hurry: bool) -> bool:
        """Draw what has changed, in a ``hurry`` all but the tab; tells whether anything had."""
        changed = self.view.draw(self.surface, hurry)
        if changed:
            pygame.display.update(changed)
        return bool(changed)

    def do(self, command: Command) -> None:
        """Do a command and have it noted."""
        self.note(command)
        if command[0] in ("zoom", "fullscreen", "photograph"):
            getattr(self, f"_{command[0]}")(*command[1:])
        else:
            do(self.session, command)
        if command[0] == "hover":
            self._point(self.session.screen.hover)

    def _point(self, place: Place | None) -> None:
        """Say what a click would do where the mouse is, and let the pointer show it."""
        hit = self.view.hit_at(place) if place else None
        self.session.screen.hint = hit.hint if hit else ""
        on_paper = place is not None and inside(place, self.view.layout.paper)
        drawn_on = on_paper and not self.session.screen.enlarged
        shape = "hand" if hit else "cross" if drawn_on else "arrow"
        if shape != self._pointer:
            self._pointer = shape
            window.point(shape)

    def _wait(self) -> None:
        """Take in events until a frame is due that has something to show, or an answer comes."""
        happened = False
        while True:
            writing = self.session.pad.writing
            due = self._shown_at + FRAME - self.clock()
            rest = PATIENCE if self.session.up_to_date and not writing else LEISURE
            patience = max(due, 0.001) if happened else rest
            events = [pygame.event.wait(int(1000 * patience)), *pygame.event.get()]
            for event in events:
                self.handle(event)
            self.session.tick()  # reading may begin before the frame is due
            kinds = {event.type for event in events}
            happened |= kinds != {pygame.NOEVENT}
            early = happened and self.session.pad.writing and self.clock() < self._shown_at + FRAME
            if window.RING in kinds or not early:
                return

    def _fulfill(self) -> None:
        """What the session wants from a window."""
        for name, *arguments in self.session.wishes:
            if name == "quit":
                self.done = True
            elif name == "copy":
                window.copy(*arguments)
        self.session.wishes.clear()

    # ------------------------------------------------------------------------------------- events

    def handle(self, event: pygame.event.Event) -> None:
        """One event of pygame's."""
        match event.type:
            case pygame.MOUSEBUTTONDOWN:
                self._press(self._place(event.pos), event.button)
            case pygame.MOUSEMOTION:
                self._motion(self._place(event.pos))
            case pygame.MOUSEBUTTONUP:
                self._release(event.button)
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
            case pygame.WINDOWLEAVE:
                self.do(("hover", -1.0, -1.0))
            case pygame.QUIT:
                self.do(("quit",))

    def _place(self, position: tuple[int, int]) -> Place:
        return position[0] / self.view.scale, position[1] / self.view.scale

    def _press(self, place: Place, button: int) -> None:
        hit = self.view.hit_at(place)
        on_paper = not self.session.screen.enlarged and inside(place, self.view.layout.paper)
        if self.session.screen.help:
            self.do(("help",))
        elif button == RIGHT or (button == LEFT and on_paper and self._rubber_key()):
            if on_paper:
                self.mouse.rubbing = True
                self.do(("rub", *self.view.on_paper(place)))
        elif button != LEFT:
            return
        elif hit is not None and on_paper:
            self.mouse.pressed = place, hit
        elif hit is not None and hit.slides:
            self.mouse.slides = hit
            self._slide(place)
        elif hit is not None:
            self.do(hit.command)
        elif on_paper:
            self._draw_from(place)

    def _draw_from(self, place: Place) -> None:
        self.mouse.drawing = True
        self.do(("down", *self.view.on_paper(place)))

    def _motion(self, place: Place) -> None:
        mouse = self.mouse
        if mouse.pressed is not None:
            start, _ = mouse.pressed
            if abs(place[0] - start[0]) + abs(place[1] - start[1]) > STILL:
                mouse.pressed = None
                self._draw_from(start)
        if mouse.drawing:
            self.do(("move", *self.view.on_paper(place)))
        elif mouse.rubbing:
            self.do(("rub", *self.view.on_paper(place)))
        elif mouse.slides:
            self._slide(place)
        else:
            self._hover(place)

    def _slide(self, place: Place) -> None:
        assert self.mouse.slides is not None
        x, _, width, _ = self.mouse.slides.area
        part = min(max((place[0] - x) / width, 0.0), 1.0)
        self.do((*self.mouse.slides.command, part))

    def _hover(self, place: Place) -> None:
        if self.clock() - self._hovered_at > HOVERS:  # a record need not know every step
            self._hovered_at = self.clock()
            self.note(("hover", *place))
        do(self.session, ("hover", *place))
        self._point(place)

    def _release(self, button: int) -> None:
        mouse, self.mouse = self.mouse, Mouse()
        if mouse.pressed is not None:
            self.do(mouse.pressed[1].command)
        elif mouse.drawing or mouse.rubbing:
            self.do(("up",))

    def _rubber_key(self) -> bool:
        return bool(pygame.key.get_pressed()[pygame.K_e])

    def _key(self, event: pygame.event.Event) -> None:
        """Keys of the shown tab come first, then those of the table, then classes."""
        control, shift = (event.mod & which for which in (pygame.KMOD_CTRL, pygame.KMOD_SHIFT))
        name = pygame.key.name(event.key)
        if self.session.screen.typed is not None:
            self._type(event, name)
            return
        full = ("ctrl+" if control else "") + ("shift+" if shift else "") + name
        tab = self.session.tabs[self.session.screen.tab].keys if self.session.tabs else {}
        number = int(name[1:]) - 2 if name[:1] == "f" and name[1:].isdecimal() else -1
        command = tab[full][0] if full in tab else BY_NAME.get(full)
        if event.key in self._held and (command is None or command[0] not in REPEATED):
            return  # held down for long, or the machine is busy: once is enough
        if command is not None:
            self.do(command)
        elif 0 <= number < len(self.session.tabs):
            self.do(("show", number))
        elif event.unicode.isdecimal() and not control:
            self._label(event.unicode)

    def _type(self, event: pygame.event.Event, name: str) -> None:
        """A key while the name of a file is being typed."""
        if name in ("return", "escape", "enter"):
            self.do(("typed", name != "escape"))
        elif name == "backspace":
            self.do(("untype",))
        elif name == "v" and event.mod & pygame.KMOD_CTRL:
            self.do(("type", window.paste()))
        elif event.unicode.isprintable() and event.unicode:
            self.do(("type", event.unicode))

    def _label(self, digit: str) -> None:
        """A digit means the class of that name, or of that number."""
        classes = self.session.engine.classes if self.session.engine else ()
        if digit not in classes and int(digit) < len(classes):
            digit = classes[int(digit)]
        self.do(("label", digit))

    # ------------------------------------------------------------------------------- the window

    def _zoom(self, step: int) -> None:
        if step > 0 and self.scale > self.view.scale:
            return  # the window has no room for more
        self.scale = min(max(round(self.scale + 0.1 * step, 1), 0.7), 3.0)
        self._fit()

    def _fullscreen(self) -> None:
        size, self._windowed = self._windowed, None if self._windowed else self.surface.get_size()
        self.surface = window.resized(self.surface, size)
        self._fit()

    def _photograph(self) -> None:
        self.session.screen.note = f"wrote {window.photograph(self.surface)}"

    def _fit(self) -> None:
        """The window has another size, or things in it have."""
        self.view.fit(self.surface.get_size(), self.scale)
        self.do(("room", *self.view.room()))
