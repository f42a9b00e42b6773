"""The paper and the pen: commands come in, pages come out, and every change can be undone.

Knows nothing of windows, clocks or networks.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from apps.sketchpad import document as pages
from apps.sketchpad.document import Page, Past, Place, Sheet, Size, Stroke

BRUSHES = (6.0, 48.0)  # thinnest and thickest, paper units
BRUSH = 14.0
RUBBER = 16.0  # radius
STEPS_BACK = 2000  # that undo remembers


class Pad:
    """A page, a pen on it, and the way back."""

    def __init__(self, size: Size = (620.0, 560.0)) -> None:
        self.room = size
        self.page = Page()
        self.brush = BRUSH
        self.version = 0
        """Grows whenever there is other ink to be read."""
        self.live: list[list[Place]] = []
        """Lines of the stroke that is being drawn: several if it left the paper meanwhile."""
        self._reach: Place = 0.0, 0.0
        """How far to the right and down that stroke has come."""

        self._pen: Place | None = None
        self._rubber: Place | None = None
        self._before: Page | None = None
        self._back: list[Page] = []
        self._forth: list[Page] = []
        self._numbers = itertools.count(1)

    @property
    def size(self) -> Size:
        """The paper fills the room that the window has for it, but holds all that is written."""
        sides = (self.room, self.page.extent, self._reach)
        return max(side[0] for side in sides), max(side[1] for side in sides)

    # ------------------------------------------------------------------------------------ the pen

    @property
    def writing(self) -> bool:
        """Whether pen or rubber are on the paper."""
        return self._pen is not None or self._rubber is not None

    @property
    def rubber(self) -> Place | None:
        """Where the rubber is."""
        return self._rubber

    def down(self, x: float, y: float) -> None:
        """Put the pen on the paper; a picture that lies there makes room."""
        self.up()
        self._pen = _finite(x, y)
        if pages.is_on(self._pen, self.size):
            self.live = [[]]
            self._ink(self._pen)
            self.version += 1

    def move(self, x: float, y: float) -> None:
        """Move the pen; beside the paper it leaves no ink."""
        if self._pen is None:
            return
        before, place = self._pen, _finite(x, y)
        self._pen = place
        was_on, is_on = (pages.is_on(p, self.size) for p in (before, place))
        if before == place or not (was_on or is_on):
            return
        if not was_on:
            self.live.append([])
            self._ink(pages.crossing(place, before, self.size))
        self._ink(place if is_on else pages.crossing(before, place, self.size))
        self.version += 1

    def _ink(self, place: Place) -> None:
        """The pen leaves ink at a place."""
        self.live[-1].append(place)
        self._reach = max(self._reach[0], place[0]), max(self._reach[1], place[1])

    def up(self) -> None:
        """Lift the pen, or the rubber: what was done is one step for undo."""
        lines, self.live, self._pen, self._reach = self.live, [], None, (0.0, 0.0)
        if lines:
            new = [Stroke(next(self._numbers), _points(line), self.brush) for line in lines]
            self._turn(replace(self.page, sheet=None, strokes=(*self.page.strokes, *new)))
        if self._before is not None and self._before is not self.page:
            self._remember(self._before)
        self._rubber = self._before = None

    def rub(self, x: float, y: float) -> None:
        """Move the rubber to a place, or put it there; it takes away what it touches."""
        if self._rubber is None:
            self.up()
            self._before = self.page
        place = _finite(x, y)
        start, self._rubber = self._rubber or place, place
        kept = pages.erase(self.page.strokes, start, place, RUBBER)
        if len(kept) != len(self.page.strokes) or any(stroke.number < 0 for stroke in kept):
            owned = (s if s.number > 0 else replace(s, number=next(self._numbers)) for s in kept)
            self.page = replace(self.page, strokes=tuple(owned))
            self.version += 1

    def set_brush(self, width: float) -> None:
        """Choose the width of the line; it changes what is seen, not what is read."""
        thinnest, thickest = BRUSHES
        self.brush = min(max(float(width), thinnest), thickest)

    # ------------------------------------------------------------------------- steps back and forth

    def undo(self) -> None:
        """Take the last step back."""
        self.up()
        if self._back:
            self._forth.append(self.page)
            self._set(self._back.pop())

    def redo(self) -> None:
        """Do again what was taken back."""
        self.up()
        if self._forth:
            self._back.append(self.page)
            self._set(self._forth.pop())

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to be taken back."""
        return bool(self._back or self.live)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to be done again."""
        return bool(self._forth)

    # ------------------------------------------------------------------------------------- the page

    def clear(self, text: str = "") -> None:
        """Take a new page; the old one, on which ``text`` was read, can be taken up again."""
        self.up()
        if not self.page.empty:
            self._turn(Page(past=self._shelved(text)))

    def show(self, sheet: Sheet, text: str = "") -> None:
        """Lay a picture on a new page."""
        self.up()
        self._turn(Page(sheet=sheet, past=self._shelved(text)))

    def write(self, lines: Sequence[np.ndarray], brush: float, text: str = "") -> None:
        """A new page with finished strokes on it, as if they had been written one by one."""
        self.up()
        strokes = tuple(Stroke(next(self._numbers), line, brush) for line in lines)
        self._turn(Page(strokes=strokes, past=self._shelved(text)))

    def recall(self, number: int, text: str = "") -> None:
        """Take up a past page again; the present one goes to where past pages are."""
        self.up()
        if 0 <= number < len(self.page.past):
            wanted = self.page.past[number]
            rest = tuple(past for past in self._shelved(text) if past is not wanted)
            self._turn(replace(wanted.page, past=rest))

    def label(self, group: frozenset[int], label: str) -> None:
        """Say what a group of strokes is; the same once more takes it back."""
        self.up()
        labels = {g: self.page.labels[g] for g in pages.unlabeled(self.page.labels, group)}
        if self.page.labels.get(group) != label:
            labels[group] = label
        self._turn(replace(self.page, labels=labels), inked=False)

    def strokes(self) -> list[Stroke]:
        """All strokes, the one being drawn included."""
        live = [Stroke(0, _points(line), self.brush) for line in self.live]
        return [*self.page.strokes, *live]

    def _shelved(self, text: str) -> tuple[Past, ...]:
        """The past pages with the present one in front, unless that is empty."""
        if self.page.empty:
            return self.page.past
        return (Past(replace(self.page, past=()), text), *self.page.past)[: pages.PAST_PAGES]

    def _turn(self, page: Page, inked: bool = True) -> None:
        """Replace the page, as a step that can be taken back."""
        self._remember(self.page)
        self.page = page
        self.version += inked

    def _remember(self, page: Page) -> None:
        self._back = [*self._back[-STEPS_BACK:], page]
        self._forth = []

    def _set(self, page: Page) -> None:
        self.page = page
        self.version += 1


def _finite(x: float, y: float) -> Place:
    """A place, whatever a driver or a record says."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return 0.0, 0.0
    return min(max(float(x), -1e6), 1e6), min(max(float(y), -1e6), 1e6)


def _points(line: Sequence[Place]) -> np.ndarray:
    points = np.array(line, dtype=np.float64)
    points.setflags(write=False)
    return points
