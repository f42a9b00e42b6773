"""Drawing a session onto a surface: panel by panel, and only those in which something changed."""

import sys
import traceback
from collections.abc import Callable, Hashable, Iterator
from functools import partial

import pygame

from apps.sketchpad import layout, panels, theme
from apps.sketchpad.canvas import Canvas, Hit, inside
from apps.sketchpad.document import Place
from apps.sketchpad.ink_renderer import Paper
from apps.sketchpad.layout import Area
from apps.sketchpad.paper_view import draw_paper
from apps.sketchpad.session import Session

Draw = Callable[[Canvas, Session], None]
Panel = tuple[str, Area, Hashable, Draw]
"""A name, a place, everything that the picture depends on, and the function that draws it."""


class View:
    """Draws a session; remembers the drawn panels, and the areas that can be clicked."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.scale = 1.0
        self.layout = layout.arrange(*layout.USUAL)
        self._paper = Paper()
        self._last_tab: dict[Hashable, pygame.Surface] = {}
        self._general: Hashable = None  # what all panels depend on
        self._keys: dict[str, Hashable] = {}  # of each panel, what it depended on when drawn
        self._hits: dict[str, list[Hit]] = {}
        self.faults: dict[str, str] = {}  # why panels could not be drawn
        self._reported: set[str] = set()

    @property
    def hits(self) -> list[Hit]:
        """Everything that can be clicked, the topmost last."""
        return [hit for hits in self._hits.values() for hit in hits]

    def hit_at(self, place: Place) -> Hit | None:
        """The topmost hit at a place of the window, in logical pixels."""
        return next((hit for hit in reversed(self.hits) if inside(place, hit.area)), None)

    def fit(self, size: tuple[int, int], scale: float) -> None:
        """Fill a window of ``size`` pixels; what would not fit at ``scale`` is shrunk."""
        self._general = None
        least = min(size[0] / layout.SMALLEST[0], size[1] / layout.SMALLEST[1])
        self.scale = min(scale, least)
        self._arrange(size)

    def on_paper(self, place: Place) -> Place:
        """A place of the window in paper units."""
        x, y, *_ = self.layout.paper
        zoom = layout.zoom_of(self.layout.paper, self.session.pad.size)
        return (place[0] - x) / zoom, (place[1] - y) / zoom

    def draw(self, surface: pygame.Surface, hurry: bool = False) -> list[pygame.Rect]:
        """Bring ``surface`` up to date, in a ``hurry`` all but the tab; returns what changed."""
        screen = self.session.screen
        self._arrange(surface.get_size())
        general = surface.get_size(), self.scale, screen.enlarged, screen.help
        fresh = self._general != general
        if fresh:
            self._general, self._keys, self._hits, self.faults = general, {}, {}, {}
            surface.fill(theme.DESK)
        changed = []
        for name, area, key, draw in self._panels():
            if self._keys.get(name) != key and (fresh or not (hurry and name == "tab")):
                self._keys[name] = key
                canvas = Canvas(surface, self.scale, screen.hover).part(area)
                canvas.surface.fill(theme.DESK)
                self._draw(name, canvas, draw)
                offset = canvas.surface.get_abs_offset()
                changed.append(canvas.surface.get_rect(topleft=offset))
        if screen.help and (fresh or changed):
            self._draw("help", Canvas(surface, self.scale, screen.hover), panels.draw_help)
            fresh = True
        return [surface.get_rect()] if fresh else changed

    def _panels(self) -> Iterator[Panel]:
        """All panels that are to be seen."""
        session, screen, places = self.session, self.session.screen, self.layout
        pad, hover = session.pad, screen.hover
        mouse = None if inside(hover, places.paper) else hover
        over_tab = hover if inside(hover, places.tab) else None
        engine = id(session.engine), bool(session.engine and session.engine.compiled)
        seen = id(session.answer), session.selected, id(pad.page), engine, session.late
        status = screen.note, screen.hint, screen.typed, bool(screen.frozen), seen
        shelf = id(pad.page), pad.brush, pad.can_undo, pad.can_redo, mouse
        tab = session.changes, session.late, over_tab
        draw_tab = partial(panels.draw_tab, last=self._last_tab)
        yield "header", places.header, (engine, mouse), panels.draw_header
        yield "bar", places.bar, (screen.tab, mouse), panels.draw_bar
        yield "tab", places.tab, tab, draw_tab
        yield "shelf", places.shelf, shelf, panels.draw_shelf
        yield "status", places.status, status, panels.draw_status
        if not screen.enlarged:
            ink = pad.version, pad.eraser, pad.size, seen
            yield "paper", places.paper, ink, partial(draw_paper, paper=self._paper)
            reading = seen, mouse, session.changes if screen.naive else 0
            yield "reading", places.reading, reading, panels.draw_reading

    def _draw(self, name: str, canvas: Canvas, draw: Draw) -> None:
        """Draw a panel; a fault is reported in its place and on stderr, and ends nothing."""
        self.faults.pop(name, None)
        try:
            draw(canvas, self.session)
        except Exception as error:  # noqa: BLE001 - the other panels go on
            fault = f"this cannot be drawn ({type(error).__name__}: {error})"
            self.faults[name] = fault
            canvas.lines((theme.GAP, 0, canvas.width, canvas.height), fault, theme.ORANGE)
            if fault not in self._reported:
                self._reported.add(fault)
                traceback.print_exception(error, file=sys.stderr)
        self._hits[name] = canvas.hits

    def _arrange(self, size: tuple[int, int]) -> None:
        width, height = (length / self.scale for length in size)
        self.layout = layout.arrange(width, height, self.session.screen.enlarged)
