"""A session: commands come in one after the other, from a person or from a record.

Everything that can be done is a command, a tuple of JSON values, and nothing changes without
one; so a session that was recorded can be played again. This module knows no window: what it
wants from one (a clipboard, an end) it leaves in ``wishes``.
"""

import math
import sys
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import page as pages
from apps.sketchpad.brain import Answer, Brain, Question
from apps.sketchpad.look import Command, Look
from apps.sketchpad.state import BRUSHES, Pad
from apps.sketchpad.worker import Done, Worker
from tinycnn.errors import TinyCNNError

if TYPE_CHECKING:
    from apps.sketchpad.tabs import Tab
    from tinycnn.ink import Digit

KEPT_ANSWERS = 200  # to what tabs have asked
READ, LOAD, COMPILE = "read", "load", "compile"


@dataclass
class Screen:
    """What is shown, and how."""

    tab: int = 0
    naive: bool = False
    enlarged: bool = False
    help: bool = False
    frozen: Look | None = None
    hover: tuple[float, float] | None = None
    note: str = ""
    """Said in the status line until the next command."""


class Session:
    """A pad, a brain that reads it, and the tabs to look inside."""

    def __init__(
        self,
        worker: Worker,
        load: Callable[[], Brain],
        tabs: Sequence["Tab"] = (),
        rng: np.random.Generator | None = None,
    ) -> None:
        """``load`` makes the brain, on the worker; ``rng`` draws test digits."""
        self.pad = Pad()
        self.screen = Screen()
        self.tabs = list(tabs)
        self.brain: Brain | None = None
        self.answer: Answer | None = None
        self.wishes: list[Command] = []
        self.changes = 0
        """Grows with everything that may look different now."""
        self.worker, self.load = worker, load
        self.rng = rng or np.random.default_rng(0)
        self._chosen: frozenset[int] = frozenset()
        self._asked_version = -1
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._waiting: set[Hashable] = set()
        self._loads = 0
        self.worker.submit(LOAD, None, load)

    # ----------------------------------------------------------------------------------- commands

    def do(self, command: Command) -> None:
        """Do one command; a name that is unknown is refused with TinyCNNError."""
        name, *arguments = command
        action = getattr(self, f"_do_{name}", None)
        if action is None:
            raise TinyCNNError(f"there is no command {name!r} in the sketchpad")
        self.changes += 1
        if name not in ("move", "hover", "rub"):
            self.screen.note = ""
        action(*arguments)

    def _do_down(self, x: float, y: float) -> None:
        self._chosen = frozenset()
        self.pad.down(x, y)

    def _do_move(self, x: float, y: float) -> None:
        self.pad.move(x, y)

    def _do_up(self) -> None:
        self.pad.up()

    def _do_rub(self, x: float, y: float) -> None:
        self.pad.rub(x, y)

    def _do_brush(self, width: float) -> None:
        self.pad.set_brush(width)

    def _do_brush_part(self, part: float) -> None:
        """The same on a scale from 0 to 1."""
        thin, thick = BRUSHES
        self.pad.set_brush(thin + part * (thick - thin))

    def _do_brush_step(self, step: int) -> None:
        self.pad.set_brush(self.pad.brush + 2 * step)

    def _do_undo(self) -> None:
        self.pad.undo()

    def _do_redo(self) -> None:
        self.pad.redo()

    def _do_clear(self) -> None:
        self.pad.clear(self.text)

    def _do_recall(self, number: int) -> None:
        self.pad.recall(number, self.text)

    def _do_room(self, width: float, height: float) -> None:
        self.pad.room = width, height

    def _do_select(self, number: int) -> None:
        if self.answer and 0 <= number < len(self.answer.groups):
            self._chosen = self.answer.groups[number]

    def _do_next(self, step: int) -> None:
        if self.answer and self.answer.groups:
            self._do_select(((self.selected or 0) + step) % len(self.answer.groups))

    def _do_label(self, name: str) -> None:
        """The selected digit is a ``name``; "" if it is no digit at all."""
        if self.answer is None or self.selected is None or self.pad.page.sheet:
            self.screen.note = "write a digit first, then say what it is"
        elif self.brain and name and name not in self.brain.classes:
            self.screen.note = f"this network has no class {name}"
        else:
            self.pad.label(self.answer.groups[self.selected], name)

    def _do_show(self, tab: int) -> None:
        self.screen.tab = min(max(tab, 0), max(len(self.tabs) - 1, 0))

    def _do_tab(self, *words: Any) -> None:
        if self.tabs:
            self.tabs[self.screen.tab].act(words, self.look())

    def _do_naive(self) -> None:
        self.screen.naive = not self.screen.naive

    def _do_enlarge(self) -> None:
        self.screen.enlarged = not self.screen.enlarged

    def _do_help(self) -> None:
        self.screen.help = not self.screen.help

    def _do_freeze(self) -> None:
        self.screen.frozen = None if self.screen.frozen else self.look()

    def _do_hover(self, x: float, y: float) -> None:
        self.screen.hover = x, y

    def _do_copy(self) -> None:
        self.wishes.append(("copy", self.text))
        self.screen.note = f"copied: {self.text}" if self.text else "there is nothing to copy"

    def _do_quit(self) -> None:
        self.wishes.append(("quit",))

    # ------------------------------------------------------------------------------------ reading

    @property
    def text(self) -> str:
        """What stands on the paper, as far as it is read."""
        return self.answer.reading.text if self.answer else ""

    @property
    def digits(self) -> "Sequence[Digit]":
        """The digits that were read, in reading order."""
        return self.answer.reading.digits if self.answer else ()

    @property
    def selected(self) -> int | None:
        """Which digit is looked at: the chosen one, else the one that was written last."""
        if not self.answer or not self.answer.groups:
            return None
        groups = self.answer.groups
        chosen = pages.overlapping(groups, self._chosen)
        if chosen is not None:
            return chosen
        newest = [math.inf if 0 in group else max(group, default=0) for group in groups]
        return newest.index(max(newest))  # number 0 is still being written

    @property
    def up_to_date(self) -> bool:
        """Whether what is on the paper has been read."""
        return self.answer is not None and self.answer.version == self.pad.version

    def tick(self) -> None:
        """Hand out work and take in what has been done; to be called again and again."""
        if self.brain and self._asked_version != self.pad.version:
            self._asked_version = self.pad.version
            self.worker.submit(READ, self.pad.version, self.brain.read, self.question())
        for done in self.worker.collect():
            self.changes += 1
            self._take(done)

    def question(self) -> Question:
        """What is on the paper now."""
        pad = self.pad
        strokes = pad.strokes()
        return Question(
            version=pad.version,
            lines=[stroke.points for stroke in strokes],
            numbers=tuple(stroke.number for stroke in strokes),
            brush=pad.brush,
            paper=pad.size,
            sheet=None if strokes else pad.page.sheet,
        )

    def _take(self, done: Done) -> None:
        if done.error is not None:
            self._complain(done)
        elif done.kind == LOAD:
            self._loads += 1
            self.brain, self._asked_version = done.answer, -1
            self.worker.aside(COMPILE, self.brain.compile)
        elif done.kind == READ:
            self.answer = done.answer
            self.screen.note = done.answer.fault or self.screen.note
        elif done.kind != COMPILE:
            self._waiting.discard(done.key)
            self._answers[done.key] = done.answer
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)

    def _complain(self, done: Done) -> None:
        """A bug in a tab must not take the drawing with it, but must not hide either."""
        self.screen.note = str(done.error) or type(done.error).__name__
        if not isinstance(done.error, TinyCNNError):
            traceback.print_exception(done.error, file=sys.stderr)

    # ---------------------------------------------------------------------------------- the tabs

    def look(self) -> Look:
        """What there is to see for a tab; a frozen one stays as it was."""
        if self.screen.frozen is not None:
            return self.screen.frozen
        digit, group = None, frozenset[int]()
        if self.answer is not None and self.selected is not None:
            digit = self.digits[self.selected]
            group = self.answer.groups[self.selected]
        look = Look(
            brain=self.brain,
            digit=digit,
            image=digit.image if digit else None,
            naive=self.screen.naive,
            naive_way=self.naive_way,
            moment=(self._loads, digit.image.tobytes() if digit else b""),
            ask=self.ask,
            label=self.pad.page.labels.get(group),
        )
        naive = look.naive_way() if self.screen.naive and digit else None
        if naive is None:
            return look
        return replace(look, image=naive.image, moment=(self._loads, naive.image.tobytes()))

    def naive_way(self) -> Any:
        """What becomes of the drawing without preparation."""
        if self.brain is None or self.answer is None:
            return None
        return self.ask(("naive", self.answer.version), self.brain.naively, self.question())

    def ask(self, key: Hashable, job: Callable[..., Any], *arguments: Any) -> Any:
        """See ``look.Ask``."""
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        kind = str(key[0]) if isinstance(key, tuple) and key else str(key)
        if key not in self._waiting:
            self._waiting = {k for k in self._waiting if not _is_kind(k, kind)} | {key}
            self.worker.submit(f"ask {kind}", key, job, *arguments)
            for done in self.worker.collect():  # somebody who works at once has done it
                self._take(done)
        return self._answers.get(key)


def _is_kind(key: Hashable, kind: str) -> bool:
    return isinstance(key, tuple) and bool(key) and str(key[0]) == kind
