"""Drawing a session onto a surface: panel by panel, and only those in which something changed."""

import sys
import traceback
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial

import pygame

from apps.sketchpad import layout, panels, theme
from apps.sketchpad.canvas import Canvas, Hit, inside
from apps.sketchpad.ink_renderer import Paper
from apps.sketchpad.layout import Area, Layout
from apps.sketchpad.overlay import draw_help
from apps.sketchpad.paper_view import draw_paper
from apps.sketchpad.session import Session

Place = tuple[float, float]
Draw = Callable[[Canvas, Session], None]


@dataclass
class _Panel:
    """What was drawn last, and what could be clicked there."""

    key: Hashable = None
    hits: list[Hit] = field(default_factory=list)
    fault: str = ""
    """Why it could not be drawn."""


@dataclass(frozen=True)
class _Wanted:
    """A panel that is to be seen: where, what it depends on, and how it is drawn."""

    name: str
    area: Area
    key: Hashable
    draw: Draw


class View:
    """Draws a session; remembers what it drew, and what can be clicked."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.scale = 1.0
        self.layout = layout.arrange(*layout.USUAL)
        self._paper = Paper()
        self._seen = panels.Seen()
        self._panels: dict[str, _Panel] = {}
        self._general: Hashable = None
        self._told: set[str] = set()

    @property
    def faults(self) -> list[str]:
        """Why panels could not be drawn."""
        return [panel.fault for panel in self._panels.values() if panel.fault]

    @property
    def hits(self) -> list[Hit]:
        """What can be clicked, the topmost last."""
        return [hit for panel in self._panels.values() for hit in panel.hits]

    def hit_at(self, place: Place) -> Hit | None:
        """What a click at a place of the window, in logical pixels, would hit."""
        return next((hit for hit in reversed(self.hits) if inside(place, hit.area)), None)

    def fit(self, size: tuple[int, int], scale: float) -> None:
        """The window has ``size`` pixels, all to be drawn; what would not fit is shrunk."""
        self._general = None
        least = min(size[0] / layout.SMALLEST[0], size[1] / layout.SMALLEST[1])
        self.scale = min(scale, least)
        self.layout = self._arranged(size)

    def room(self) -> tuple[float, float]:
        """Width and height that the window has for the paper."""
        return self.layout.paper[2:]

    def on_paper(self, place: Place) -> Place:
        """A place of the window in paper units."""
        x, y, *_ = self.layout.paper
        zoom = layout.zoom_of(self.layout.paper, self.session.pad.size)
        return (place[0] - x) / zoom, (place[1] - y) / zoom

    def draw(self, surface: pygame.Surface, hurry: bool = False) -> list[pygame.Rect]:
        """Bring ``surface`` up to date, in a ``hurry`` all but the tab; returns what changed.

        No fault in a panel ends the window: it is told in its place, and on standard error.
        """
        screen = self.session.screen
        self.layout = self._arranged(surface.get_size())
        general = surface.get_size(), self.scale, screen.enlarged, screen.help
        fresh = self._general != general
        if fresh:
            self._general, self._panels = general, {}
            surface.fill(theme.DESK)
        changed = [
            self._panel(surface, wanted)
            for wanted in self._wanted(self.layout)
            if fresh or not (hurry and wanted.name == "inside")
        ]
        if screen.help and (fresh or any(changed)):
            whole = Canvas(surface, self.scale, screen.hover)
            self._drawn(self._panels.setdefault("help", _Panel()), whole, draw_help)
            fresh = True
        if fresh:
            return [surface.get_rect()]
        return [rect for rect in changed if rect is not None]

    def _wanted(self, places: Layout) -> list[_Wanted]:
        """All panels that are to be seen."""
        session, screen = self.session, self.session.screen
        pad, hover = session.pad, screen.hover
        on_paper = hover is not None and inside(hover, places.paper)
        engine = id(session.engine), bool(session.engine and session.engine.compiled)
        seen = id(session.answer), session.selected, id(pad.page), engine, session.late
        late = session.changes if screen.naive else 0
        mouse = None if on_paper else hover
        over_tab = hover if hover and inside(hover, places.inside) else None
        lively = session.changes, session.late, over_tab
        frozen = bool(screen.frozen)
        status = screen.note, screen.hint, screen.typed, frozen, seen
        shelf = id(pad.page), pad.brush, pad.can_undo, pad.can_redo, mouse
        wanted = [
            _Wanted("header", places.header, (engine, mouse), panels.draw_header),
            _Wanted("bar", places.bar, (screen.tab, mouse), panels.draw_bar),
            _Wanted("inside", places.inside, lively, partial(panels.draw_inside, seen=self._seen)),
            _Wanted("shelf", places.shelf, shelf, panels.draw_shelf),
            _Wanted("status", places.status, status, panels.draw_status),
        ]
        if not screen.enlarged:
            ink = pad.version, pad.rubber, pad.size, seen
            paper = partial(draw_paper, paper=self._paper)
            wanted += [
                _Wanted("paper", places.paper, ink, paper),
                _Wanted("reading", places.reading, (seen, mouse, late), panels.draw_reading),
            ]
        return wanted

    def _panel(self, surface: pygame.Surface, wanted: _Wanted) -> pygame.Rect | None:
        panel = self._panels.setdefault(wanted.name, _Panel())
        if panel.key == wanted.key:
            return None
        canvas = Canvas(surface, self.scale, self.session.screen.hover).part(wanted.area)
        canvas.surface.fill(theme.DESK)
        panel.key = wanted.key
        self._drawn(panel, canvas, wanted.draw)
        return canvas.surface.get_rect(topleft=canvas.surface.get_abs_offset())

    def _drawn(self, panel: _Panel, canvas: Canvas, draw: Draw) -> None:
        """Draw a panel, or say why that is impossible."""
        panel.fault = ""
        try:
            draw(canvas, self.session)
        except Exception as fault:
            panel.fault = f"this cannot be drawn ({type(fault).__name__}: {fault})"
            canvas.lines((theme.GAP, 0, canvas.width, canvas.height), panel.fault, theme.ORANGE)
            if panel.fault not in self._told:
                self._told.add(panel.fault)
                traceback.print_exception(fault, file=sys.stderr)
        panel.hits = canvas.hits

    def _arranged(self, size: tuple[int, int]) -> Layout:
        width, height = (length / self.scale for length in size)
        return layout.arrange(width, height, self.session.screen.enlarged)
