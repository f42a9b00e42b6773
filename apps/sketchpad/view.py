"""Drawing a session onto a surface: panel by panel, and only those in which something changed."""

import math
import sys
import traceback
from collections.abc import Callable, Hashable, Iterator
from functools import partial

import pygame

from apps.sketchpad import layout, overlays, panels, theme, toolbar
from apps.sketchpad.canvas import Canvas, Hit, inside
from apps.sketchpad.document import Place
from apps.sketchpad.ink_renderer import Paper
from apps.sketchpad.layout import Area
from apps.sketchpad.paper_view import area_of, draw_paper
from apps.sketchpad.session import Session
from apps.sketchpad.strip import Strip

Draw = Callable[[Canvas, Session], None]
Arrange = Callable[..., layout.Layout]
SLOW = ("tab", "strip")  # panels that may be drawn after the others
Panel = tuple[str, Area, Hashable, Draw]
"""A name, a place, everything that the picture depends on, and the function that draws it."""


class View:
    """Draws a session; remembers the drawn panels, and the areas that can be clicked."""

    def __init__(self, session: Session, arrange: Arrange = layout.arrange) -> None:
        self.session, self._arranged = session, arrange
        self.scale = 1.0
        self.layout = arrange(*layout.USUAL)
        self._paper = Paper()
        self._last_tab: dict[Hashable, pygame.Surface] = {}
        self._general: Hashable = None  # what all panels depend on
        self._keys: dict[str, Hashable] = {}  # of each panel, what it depended on when drawn
        self._hits: dict[str, list[Hit]] = {}
        self.faults: dict[str, str] = {}  # why panels could not be drawn
        self._base = pygame.Surface((1, 1))
        self._above: list[tuple[str, Area, Hashable]] = []  # overlays that are shown
        self._strip = Strip()

    @property
    def hits(self) -> list[Hit]:
        """Everything that can be clicked, the topmost last."""
        return [hit for hits in self._hits.values() for hit in hits]

    def hit_at(self, place: Place) -> Hit | None:
        """The topmost hit at a place of the window, in logical pixels."""
        return next((hit for hit in reversed(self.hits) if inside(place, hit.area)), None)

    def next_place(self, place: Place | None, right: int, down: int) -> Place:
        """The middle of the nearest hit in a direction; ``place`` if there is none."""
        x, y = place = place or (0.0, 0.0)

        def distance(to: Place) -> float:
            along = (to[0] - x) * right + (to[1] - y) * down
            across = abs((to[0] - x) * down) + abs((to[1] - y) * right)
            return along + 3 * across if along > 0 else math.inf

        hits = [hit for hit in self.hits if hit.command != overlays.BEHIND]
        seen = [hit.middle for hit in hits if self.hit_at(hit.middle) is hit]
        return min((p for p in seen if distance(p) < math.inf), key=distance, default=place)

    def fit(self, size: tuple[int, int], scale: float) -> None:
        """Fill a window of ``size`` pixels; what would not fit at ``scale`` is shrunk."""
        self._general = None
        least = layout.NARROWEST if layout.is_tall(*size) else layout.SMALLEST
        self.scale = min(scale, size[0] / least[0], size[1] / least[1])
        self._arrange(size)

    def on_paper(self, place: Place) -> Place:
        """A place of the window in paper units."""
        x, y, *_ = self.layout.paper
        zoom = layout.zoom_of(self.layout.paper, self.session.pad.size)
        return (place[0] - x) / zoom, (place[1] - y) / zoom

    def draw(self, surface: pygame.Surface, hurry: int = 0) -> list[pygame.Rect]:
        """Bring ``surface`` up to date, all but the first ``hurry`` of ``SLOW``; returns where.

        Panels are drawn on a surface of their own, and copied; overlays lie on the copy only.
        """
        theme.use(self.session.screen.dark)
        self._arrange(surface.get_size())
        whole, changed = surface.get_rect(), self._draw_panels(surface.get_size(), hurry)
        above = list(self._overlays())
        keys = [panel[:3] for panel in above]
        if not changed and keys == self._above:
            return []
        if keys or self._above or whole in changed:
            changed = [whole]
        for rect in changed:
            surface.blit(self._base, rect, rect)
        for name, _, _ in self._above:
            self._hits.pop(name, None)
            self.faults.pop(name, None)
        for name, area, _, draw in above:
            self._draw(name, surface, area, draw)
        self._above = keys
        return changed

    def _draw_panels(self, size: tuple[int, int], hurry: int) -> list[pygame.Rect]:
        screen, changed = self.session.screen, []
        general = size, self.scale, screen.enlarged, screen.dark, screen.developer
        if self._general != general:
            self._general, self._keys, self._hits, self.faults = general, {}, {}, {}
            self._base = pygame.Surface(size)
            self._base.fill(theme.DESK)
            changed = [self._base.get_rect()]
        for name, area, key, draw in self._panels():
            later = name in SLOW[:hurry] and name in self._keys
            if area[3] and self._keys.get(name) != key and not later:  # it has a place
                self._keys[name] = key
                changed.append(self._draw(name, self._base, area, draw))
        return changed

    def _panels(self) -> Iterator[Panel]:
        session, screen, places = self.session, self.session.screen, self.layout
        pad, hover = session.pad, screen.hover

        def mouse(area: Area) -> Place | None:
            return hover if inside(hover, area) else None

        engine = id(session.engine), bool(session.engine and session.engine.compiled)
        seen = id(session.answer), session.selected, id(pad.page), engine, session.late
        look = pad.brush, pad.tool, pad.single
        tools = pad.can_undo, pad.can_redo, look, mouse(places.toolbar)
        yield "toolbar", places.toolbar, tools, toolbar.draw_toolbar
        bar = screen.tab, mouse(places.bar)
        yield "bar", places.bar, bar, partial(panels.draw_bar, compact=places.compact)
        strip = self._strip.update(session, mouse(places.strip))
        yield "strip", places.strip, strip, self._strip.draw
        answer = self._strip.answer_area(places.strip)
        under = self._keys.get("strip")  # as it is drawn: the answer lies on it
        yield "answer", answer, (under, seen), self._strip.draw_answer
        foot = screen.note, seen, pad.size, pad.cursor, mouse(places.foot), screen.developer
        yield "foot", places.foot, foot, panels.draw_foot
        if screen.enlarged or not places.compact:
            tab = session.changes, session.late, mouse(places.tab)
            yield "tab", places.tab, tab, partial(panels.draw_tab, last=self._last_tab)
        if not screen.enlarged:
            game = session.game and (session.game.task, session.game.clock, session.game.said)
            ink = pad.version, pad.eraser, pad.size, pad.cursor, seen, game
            yield "paper", places.paper, ink, partial(draw_paper, paper=self._paper)
            reading = seen, mouse(places.reading)
            yield "reading", places.reading, reading, panels.draw_reading

    def _overlays(self) -> Iterator[Panel]:
        session, screen = self.session, self.session.screen
        width, height = (length / self.scale for length in self._base.get_size())
        whole = (0.0, 0.0, width, height)
        hover = screen.hover
        if screen.popup in overlays.MODAL:
            state = screen.popup, screen.typed, hover, screen.tab
            yield "popup", whole, state, overlays.MODAL[screen.popup]
        elif screen.popup == "label" and session.selected is not None and not screen.enlarged:
            zoom = layout.zoom_of(self.layout.paper, session.pad.size)
            box = area_of(session.digits[session.selected].box, session, zoom)
            area = overlays.beside(box, self.layout.paper, whole, session)
            yield "popup", area, (session.selected, hover), overlays.draw_label
        if screen.popup in ("", "sum") and self._strip.asked is not None:
            area = self._strip.sum_area(whole, self.layout.strip)
            yield "sum", area, self._strip.asked, self._strip.draw_sum
        hit = self.hit_at(hover) if hover else None
        if hit and screen.keyed and hit.command != overlays.BEHIND and not session.pad.writing:
            yield "pointed", hit.area, hit.area, overlays.draw_pointed
        under = screen.popup and hit not in self._hits.get("popup", ())
        if hit and hit.hint and screen.tips and not (under or session.pad.writing):
            area = overlays.tip_area(Canvas(self._base, self.scale), hit, whole)
            yield "tip", area, hit.hint, partial(overlays.draw_tip, words=hit.hint)

    def _draw(self, name: str, surface: pygame.Surface, area: Area, draw: Draw) -> pygame.Rect:
        """Draw a panel; a fault is reported in its place and on stderr, and ends nothing."""
        screen = self.session.screen
        canvas = Canvas(surface, self.scale, screen.hover)
        canvas.jargon, canvas.still = screen.developer, self._arranged is layout.card
        canvas = canvas.part(area)
        if surface is self._base:
            canvas.surface.fill(theme.DESK)
        before = self.faults.pop(name, None)
        try:
            draw(canvas, self.session)
        except Exception as error:  # noqa: BLE001 - the other panels go on
            fault = f"this cannot be drawn ({type(error).__name__}: {error})"
            self.faults[name] = fault
            canvas.lines((theme.GAP, 0, canvas.width, canvas.height), fault, theme.ORANGE)
            if fault != before:
                traceback.print_exception(error, file=sys.stderr)
        self._hits.pop(name, None)
        self._hits[name] = canvas.hits
        return canvas.surface.get_rect(topleft=canvas.surface.get_abs_offset())

    def _arrange(self, size: tuple[int, int]) -> None:
        width, height = (length / self.scale for length in size)
        self.layout = self._arranged(width, height, self.session.screen.enlarged)
