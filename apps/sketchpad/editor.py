"""The editor: pen and eraser change the page, and every change can be undone."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from apps.sketchpad.document import Page, Place, Sheet, Size, Stroke, crossing, erase, is_on

BRUSHES = (6.0, 48.0)  # thinnest and thickest, paper units
BRUSH = 14.0
ERASER = 16.0  # radius
UNDO_STEPS = 2000  # that are kept


class Pad:
    """A page and a pen on it."""

    def __init__(self, size: Size = (620.0, 560.0)) -> None:
        self.room = size  # of the window for the paper
        self.page = Page()
        self.brush = BRUSH
        self.single = False  # whether all ink is to be read as one digit
        self.tool = "pen"  # or "eraser": what the left button does
        self.chosen: frozenset[int] = frozenset()  # the strokes of the selected digit
        self.cursor: Place | None = None  # where the pen is that keys move
        self.version = 0  # grows whenever there is other ink to be read
        self.live: list[list[Place]] = []  # the stroke being drawn; lines, if it left the paper
        self.eraser: Place | None = None  # its place while it is used
        self._reach: Place = 0.0, 0.0  # how far to the right and down the live stroke reaches
        self._pen: Place | None = None
        self._before: Page | None = None  # the page when the eraser was put down
        self._undo: list[Page] = []
        self._redo: list[Page] = []
        self._numbers = itertools.count(1)

    @property
    def size(self) -> Size:
        """The paper fills the room that the window has for it, but holds all that is written."""
        sides = (self.room, self.page.extent, self._reach)
        return max(side[0] for side in sides), max(side[1] for side in sides)

    @property
    def writing(self) -> bool:
        """Whether pen or eraser are on the paper."""
        return self._pen is not None or self.eraser is not None

    def strokes(self) -> list[Stroke]:
        """All strokes, the one being drawn included: its number is 0."""
        return [*self.page.strokes, *(self._stroke(0, line) for line in self.live)]

    def down(self, x: float, y: float) -> None:
        """Put the pen on the paper; a picture that lies there, and a selection, make room."""
        self.up()
        self.chosen = frozenset()
        self._pen = _finite(x, y)
        if is_on(self._pen, self.size):
            self.live = [[]]
            self._ink(self._pen)
            self.version += 1

    def move(self, x: float, y: float) -> None:
        """Move the pen; beside the paper it leaves no ink."""
        if self._pen is None:
            return
        before, place = self._pen, _finite(x, y)
        self._pen = place
        was_on, on = bool(self.live) and is_on(before, self.size), is_on(place, self.size)
        if before == place or not (was_on or on):
            return
        if not was_on:
            self.live.append([])
            self._ink(crossing(place, before, self.size))
        self._ink(place if on else crossing(before, place, self.size))
        self.version += 1

    def step(self, x: float, y: float) -> None:
        """Move the pen that keys move, which begins in the middle of the paper."""
        width, height = self.size
        at = self.cursor or (width / 2, height / 2)
        self.cursor = min(max(at[0] + x, 0.0), width), min(max(at[1] + y, 0.0), height)
        self.move(*self.cursor)

    def press(self) -> None:
        """Put the pen that keys move on the paper, or lift it."""
        if self._pen is None:
            self.step(0, 0)
            self.down(*(self.cursor or (0.0, 0.0)))
        else:
            self.up()

    def _ink(self, place: Place) -> None:
        self.live[-1].append(place)
        self._reach = max(self._reach[0], place[0]), max(self._reach[1], place[1])

    def up(self) -> None:
        """Lift the pen, or the eraser: all that it did is one step for undo."""
        lines, self.live, self._pen, self._reach = self.live, [], None, (0.0, 0.0)
        if lines:
            new = [self._stroke(next(self._numbers), line) for line in lines]
            self._turn(replace(self.page, sheet=None, strokes=(*self.page.strokes, *new)))
        if self._before is not None and self._before is not self.page:
            self._remember(self._before)
        self.eraser = self._before = None

    def rub(self, x: float, y: float) -> None:
        """Move the eraser to a place, or put it there; it erases whatever it touches."""
        if self.eraser is None:
            self.up()
            self._before = self.page
        place = _finite(x, y)
        start, self.eraser = self.eraser or place, place
        kept = erase(self.page.strokes, start, place, ERASER)
        if len(kept) != len(self.page.strokes) or any(stroke.number < 0 for stroke in kept):
            owned = (s if s.number > 0 else replace(s, number=next(self._numbers)) for s in kept)
            self.page = replace(self.page, strokes=tuple(owned))
            self.version += 1

    def set_brush(self, width: float) -> None:
        """Choose the width of the line; it changes the display, not the image that is read."""
        thinnest, thickest = BRUSHES
        self.brush = min(max(float(width), thinnest), thickest)

    def take_as_one(self) -> None:
        """Read all ink as one digit from now on, or as a number again."""
        self.single = not self.single
        self.version += 1

    def undo(self) -> None:
        """Take the last step back."""
        self.up()
        self._exchange(self._undo, self._redo)

    def redo(self) -> None:
        """Repeat the last step that was undone."""
        self.up()
        self._exchange(self._redo, self._undo)

    def _exchange(self, source: list[Page], target: list[Page]) -> None:
        if source:
            target.append(self.page)
            self.page = source.pop()
            self.version += 1

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to be taken back."""
        return bool(self._undo or self.live)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to be done again."""
        return bool(self._redo)

    def clear(self) -> None:
        """Take a new page; undo brings the old one back."""
        self.up()
        if not self.page.empty:
            self._turn(Page())

    def show(self, sheet: Sheet) -> None:
        """Lay a picture on a new page."""
        self.up()
        self._turn(Page(sheet=sheet))

    def write(self, lines: Sequence[np.ndarray], brush: float) -> None:
        """Take a new page with finished strokes on it."""
        self.up()
        strokes = tuple(Stroke(next(self._numbers), line, brush) for line in lines)
        self._turn(Page(strokes=strokes))

    def label(self, group: frozenset[int], label: str) -> None:
        """Label a group of strokes, "" is no digit; the same label again is taken back."""
        self.up()
        labels = {other: name for other, name in self.page.labels.items() if not other & group}
        if self.page.labels.get(group) != label:
            labels[group] = label
        self._turn(replace(self.page, labels=labels), inked=False)

    def _stroke(self, number: int, line: Sequence[Place]) -> Stroke:
        points = np.array(line, dtype=np.float64)
        points.setflags(write=False)
        return Stroke(number, points, self.brush)

    def _turn(self, page: Page, inked: bool = True) -> None:
        self._remember(self.page)
        self.page = page
        self.version += inked

    def _remember(self, page: Page) -> None:
        self._undo = [*self._undo[-UNDO_STEPS:], page]
        self._redo = []


def _finite(x: float, y: float) -> Place:
    """A place, even if a driver or a record gives none."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return 0.0, 0.0
    return min(max(float(x), -1e6), 1e6), min(max(float(y), -1e6), 1e6)
