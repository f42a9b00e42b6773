"""A session: a pad, the engine that reads it, and what of both is shown.

What can be done with it stands in ``commands``. Slow work is handed to a worker in ``tick``, and
so are its answers taken in. This module knows no window: what a session wants from one (a
clipboard, an end) it leaves in ``wishes``.
"""

import math
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import document as pages
from apps.sketchpad.context import Command, Look
from apps.sketchpad.document import Sheet, Stroke
from apps.sketchpad.editor import Pad
from apps.sketchpad.engine import Answer, Engine, Question
from apps.sketchpad.phrases import spelled
from apps.sketchpad.teacher import LEARN, TEACH, OpenFile, Teacher, passing_file
from apps.sketchpad.worker import Done, Worker
from tinycnn.errors import TinyCNNError

if TYPE_CHECKING:
    from apps.sketchpad.tabs import Tab
    from tinycnn.ink import Digit, Drawing

KEPT_ANSWERS = 200  # to what tabs have asked
READ, LOAD, COMPILE, SHEET = "read", "load", "compile", "sheet"
PATIENCE = 0.15  # seconds: an answer that is awaited for longer makes the one before an old one


@dataclass
class Screen:
    """What is shown, and how."""

    tab: int = 0
    naive: bool = False
    enlarged: bool = False
    help: bool = False
    frozen: Look | None = None
    hover: tuple[float, float] | None = None
    typed: str | None = None
    """The name of a file, as far as it is typed; None if nobody asks for one."""

    hint: str = ""
    """What a click would do where the mouse is."""

    note: str = ""
    """Said in the status line until the next command."""


class Session:
    """A pad, a engine that reads it, and the tabs to look inside."""

    def __init__(
        self,
        worker: Worker,
        load: Callable[[], Engine],
        tabs: Sequence["Tab"] = (),
        rng: np.random.Generator | None = None,
        folder: Path | None = None,
        corrections: OpenFile | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """``load`` makes the engine, on the worker; ``rng`` draws test digits.

        ``folder`` is where drawings are saved; ``corrections`` opens the file of what was said
        of them, which otherwise does not outlast the session.
        """
        self.teacher = Teacher(corrections or passing_file())
        self.folder, self.pad, self.screen = folder or Path(), Pad(), Screen()
        self.tabs, self.clock = list(tabs), clock
        self.engine: Engine | None = None
        self.answer: Answer | None = None
        self.wishes: list[Command] = []
        self.changes = 0
        """Grows with everything that may look different now."""
        self.worker, self.load = worker, load
        self.rng = rng or np.random.default_rng(0)
        self.chosen: frozenset[int] = frozenset()
        """The strokes of the digit that the person wants to look at."""
        self._asked_version = -1
        self._awaited: dict[int, float] = {}  # versions that are being read, since when
        self._answers: OrderedDict[Hashable, Any] = OrderedDict()
        self._waiting: set[Hashable] = set()
        self.loads = self.mistakes = 0
        self.worker.submit(LOAD, None, lambda: load().sharpen())
        self.teacher.look_up(self)

    # ------------------------------------------------------------------------------------ reading

    @property
    def text(self) -> str:
        """What stands on the paper; nothing until that has been read."""
        return "".join(piece for piece, _ in self.pieces) if self.up_to_date else ""

    @property
    def pieces(self) -> list[tuple[str, int | None]]:
        """What was read last, as ``words.spelled`` has it: what a person said goes first."""
        if self.answer is None:
            return []
        return spelled(self.answer.reading, self.labels)

    @property
    def labels(self) -> list[str | None]:
        """Of each digit, what the person says it is: a class, "" for no digit, None for nothing."""
        groups = self.answer.groups if self.answer else ()
        return [self.pad.page.labels.get(group) for group in groups]

    @property
    def unread(self) -> list[Stroke]:
        """The strokes that are no part of a digit, and are no dot or dash of the text either."""
        if self.answer is None or not self.up_to_date:
            return []
        known = frozenset().union(*self.answer.groups)
        marks = [stroke for stroke in self.pad.page.strokes if stroke.number not in known]
        if len(marks) <= sum(map(self.answer.reading.text.count, ".-")):
            return []
        return [mark for mark in marks if not self._is_between_digits(mark)] or marks

    def _is_between_digits(self, mark: Stroke) -> bool:
        """Whether digits of its line lie to its left and to its right; only there is it read."""
        x, y, width, height = mark.box
        line = (d.box for d in self.digits if abs(y + height / 2 - d.box[1]) < 2 * d.box[3])
        return len({box[0] < x + width / 2 for box in line}) == 2

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
        chosen = pages.overlapping(groups, self.chosen)
        if chosen is not None:
            return chosen
        newest = [math.inf if 0 in group else max(group, default=0) for group in groups]
        return newest.index(max(newest))  # number 0 is still being written

    @property
    def up_to_date(self) -> bool:
        """Whether what is on the paper has been read, by the network that reads now."""
        versions = self.answer and self.answer.version, self._asked_version
        return not self._awaited and versions == (self.pad.version,) * 2

    @property
    def late(self) -> bool:
        """Whether an answer is awaited for so long that the one before must look old."""
        return any(self.clock() - asked > PATIENCE for asked in self._awaited.values())

    @property
    def sheet(self) -> Sheet | None:
        """The picture that lies on the paper, unless it is being drawn over."""
        return None if self.pad.live or self.pad.page.strokes else self.pad.page.sheet

    def tick(self) -> None:
        """Hand out work and take in what has been done; to be called again and again."""
        if self.engine and self._asked_version != self.pad.version:
            self._asked_version = self.pad.version
            self._awaited[self.pad.version] = self.clock()
            self.worker.submit(READ, self.pad.version, self.engine.read, self.question())
        for done in self.worker.collect():
            self.changes += 1
            self._take(done)
        if self.answer and self.answer.sheet is not self.sheet:
            self.answer = None  # what was read lies no more where it was

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
            sheet=self.sheet,
        )

    def say(self, note: str) -> None:
        """Tell the person something, until the next command."""
        self.screen.note = note

    def put(self, engine: Engine) -> None:
        """From now on this one reads."""
        self.loads += 1
        self.engine, self._asked_version = engine, -1

    def _take(self, done: Done) -> None:
        if done.kind == LEARN:
            self.teacher.rest()
        if done.kind == READ:
            assert isinstance(done.key, int)
            self.answer = done.answer
            self._awaited = {v: at for v, at in self._awaited.items() if v > done.key}
        if done.error is not None:
            self._complain(done)
        elif done.kind == LOAD:
            if self.loads:
                self.screen.note = f"loaded {done.answer.weights} again"
            self.teacher.forget()
            self.put(done.answer)
            self.worker.aside(COMPILE, done.answer.compile)
        elif done.kind == READ:
            self.screen.note = done.answer.fault or self.screen.note
        elif done.kind == SHEET:
            self._lay(done.answer)
        elif done.kind == LEARN or done.kind.startswith(TEACH):
            self.teacher.take(self, done.answer)
        elif done.kind != COMPILE:
            self._waiting.discard(done.key)
            self._answers[done.key] = done.answer
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)

    def _lay(self, found: "Sheet | Drawing") -> None:
        """Lay what was found on a new page."""
        if isinstance(found, Sheet):
            self.pad.show(found, self.text)
        else:
            brush = found.pen or self.pad.brush
            self.pad.write(pages.placed(found.strokes, self.pad.size), brush, self.text)

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
        digit, label, selected = None, None, self.selected
        if selected is not None:
            digit, label = self.digits[selected], self.labels[selected]
        look = Look(
            engine=self.engine,
            digit=digit,
            image=digit.image if digit else None,
            naive=self.screen.naive,
            naive_way=self.naive_way,
            moment=(self.loads, digit.image.tobytes() if digit else b""),
            ask=self.ask,
            label=label,
            lesson=self.teacher.lesson,
        )
        naive = look.naive_way() if self.screen.naive and digit else None
        if naive is None:
            return look
        return replace(look, image=naive.image, moment=(self.loads, naive.image.tobytes()))

    def naive_way(self) -> Any:
        """What becomes of the drawing without preparation."""
        if self.engine is None or self.answer is None:
            return None
        return self.ask(("naive", self.answer.version), self.engine.naively, self.question())

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
