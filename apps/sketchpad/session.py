"""A session: a pad, the engine that reads it, and what is shown of both.

``commands`` changes a session; ``tick`` hands slow work to a worker, and takes in its results.
This module knows nothing of windows.
"""

import math
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import document
from apps.sketchpad.context import Context, Request, T
from apps.sketchpad.document import Sheet, Stroke
from apps.sketchpad.editor import Pad
from apps.sketchpad.engine import Engine, NaiveReading, PaperReading, Question
from apps.sketchpad.phrases import spelled
from apps.sketchpad.teacher import LEARN, TEACH, OpenFile, Teacher
from apps.sketchpad.worker import Inline
from tinycnn.errors import TinyCNNError

if TYPE_CHECKING:
    from apps.sketchpad.tabs.parts import Tab
    from tinycnn.ink import Digit, Drawing

KEPT_ANSWERS = 200  # to what tabs have asked
READ, LOAD, COMPILE, SHEET, ASK = "read", "load", "compile", "sheet", "ask"
PATIENCE = 0.15  # seconds after which the answer before is shown as an old one


@dataclass
class Screen:
    """What is shown, and how."""

    tab: int = 0
    naive: bool = False
    enlarged: bool = False
    help: bool = False
    frozen: Context | None = None
    hover: tuple[float, float] | None = None
    typed: str | None = None  # the name of a file, as far as it is typed; None: none is wanted
    hint: str = ""  # what a click would do where the mouse is
    note: str = ""  # shown in the status line until the next command


class Session:
    """A pad, an engine that reads it, and the tabs that look inside."""

    def __init__(
        self,
        worker: Inline,
        load: Callable[[], Engine],
        tabs: Sequence["Tab"] = (),
        *,
        folder: Path | None = None,
        corrections: OpenFile | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """``load`` makes the engine, on the worker.

        ``folder`` is where drawings are saved; ``corrections`` opens the file of corrections,
        without which none are kept.
        """
        self.folder, self.pad, self.screen = folder or Path(), Pad(), Screen()
        self.worker, self.load, self.tabs, self.clock = worker, load, list(tabs), clock
        self.engine: Engine | None = None
        self.answer: PaperReading | None = None
        self.changes = 0  # grows with everything that may look different now
        self.rng = np.random.default_rng(0)  # draws test digits
        self.chosen: frozenset[int] = frozenset()  # the strokes of the digit the user selected
        self._asked_version = -1
        self._awaited: dict[int, float] = {}  # versions that are being read, since when
        self._answers: OrderedDict[Request, Any] = OrderedDict()
        self._waiting: set[Request] = set()
        self.loads = self.mistakes = 0
        self.load_engine()
        self.teacher = Teacher(corrections, worker)
        self.tick()

    @property
    def text(self) -> str:
        """The text on the paper; empty until it has been read."""
        return "".join(piece for piece, _ in self.pieces) if self.up_to_date else ""

    @property
    def pieces(self) -> list[tuple[str, int | None]]:
        """The last reading as ``phrases.spelled`` returns it; labels go before answers."""
        return spelled(self.answer.reading, self.labels) if self.answer else []

    @property
    def labels(self) -> list[str | None]:
        """The user's label of each digit: a class, "" for no digit, None without a label."""
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
        """The index of the digit to look at: the chosen one, else the one written last."""
        if not self.answer or not self.answer.groups:
            return None
        groups = self.answer.groups
        chosen = document.overlapping(groups, self.chosen)
        if chosen is not None:
            return chosen
        newest = [math.inf if 0 in group else max(group, default=0) for group in groups]
        return newest.index(max(newest))  # number 0 is still being written

    @property
    def up_to_date(self) -> bool:
        """Whether the network that is loaded now has read everything on the paper."""
        versions = self.answer and self.answer.version, self._asked_version
        return not self._awaited and versions == (self.pad.version,) * 2

    @property
    def late(self) -> bool:
        """Whether a reading takes so long that the answer before must look old."""
        return any(self.clock() - asked > PATIENCE for asked in self._awaited.values())

    @property
    def sheet(self) -> Sheet | None:
        """The picture that lies on the paper, unless it is being drawn over."""
        return None if self.pad.live or self.pad.page.strokes else self.pad.page.sheet

    def question(self) -> Question:
        """Everything that is on the paper now."""
        pad = self.pad
        return Question(pad.version, pad.strokes(), pad.brush, pad.size, self.sheet)

    def tick(self) -> None:
        """Hand out work and take in results, until there are none; call it again and again."""
        while True:
            if self.engine and self._asked_version != self.pad.version:
                self._asked_version = self.pad.version
                self._awaited[self.pad.version] = self.clock()
                self.worker.submit(READ, self.pad.version, self.engine.read, self.question())
            if not self._collect():
                break
        if self.answer and self.answer.sheet is not self.sheet:
            self.answer = None  # the picture that was read is no longer there

    def load_engine(self) -> None:
        """Load the engine on the worker."""
        self.worker.submit(LOAD, None, lambda: self.load().compile_pen())

    def put(self, engine: Engine) -> None:
        """Read with this engine from now on."""
        self.loads += 1
        self.engine, self._asked_version = engine, -1

    def _collect(self) -> bool:
        """Take in all results; tells whether there were any."""
        results = self.worker.collect()
        for done in results:
            self.changes += 1
            if done.kind == READ:
                assert isinstance(done.key, int)
                self.answer = done.answer
                self._awaited = {v: at for v, at in self._awaited.items() if v > done.key}
            if done.kind == LEARN and self.engine:
                trial = self.teacher.adapted(done.answer, self.engine)
                if trial:
                    self.put(trial)
            if done.error is None:
                self._take(done.kind, done.key, done.answer)
            else:
                self._complain(done.error)
        return bool(results)

    def _take(self, kind: str, key: Any, answer: Any) -> None:
        """Take in one result."""
        if kind == LOAD:
            if self.loads:
                self.screen.note = f"loaded {answer.weights} again"
            self.teacher.forget()
            self.put(answer)
            self.worker.aside(COMPILE, answer.compile)  # meanwhile, NumPy answers
        elif kind == READ:
            self.screen.note = answer.fault or self.screen.note
        elif kind == SHEET:
            self._lay(answer)
        elif kind.startswith(TEACH) and isinstance(answer, str):
            self.screen.note = answer
        elif kind.startswith(TEACH):
            self.teacher.read(*answer)
        elif kind.startswith(ASK):
            self._waiting.discard(key)
            self._answers[key] = answer
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)

    def _lay(self, found: "Sheet | Drawing") -> None:
        """Lay a picture or a drawing on a new page."""
        if isinstance(found, Sheet):
            self.pad.show(found, self.text)
        else:
            lines = document.placed(found.strokes, self.pad.size)
            self.pad.write(lines, found.pen or self.pad.brush, self.text)

    def _complain(self, error: Exception) -> None:
        """A bug in a tab must not take the drawing with it, but must not hide either."""
        self.screen.note = str(error) or type(error).__name__
        if not isinstance(error, TinyCNNError):
            traceback.print_exception(error, file=sys.stderr)

    def context(self) -> Context:
        """The context of the shown tab; a frozen one stays as it was."""
        if self.screen.frozen is not None:
            return self.screen.frozen
        selected = self.selected
        digit = None if selected is None else self.digits[selected]
        naive = self.naive_reading() if self.screen.naive and digit else None
        read = naive or digit
        return Context(
            engine=self.engine,
            loads=self.loads,
            digit=digit,
            label=None if selected is None else self.labels[selected],
            image=read.image if read else None,
            probabilities=read.probabilities if read else None,
            naive=self.screen.naive,
            naive_reading=self.naive_reading,
            ask=self.ask,
            learning=self.teacher.learning,
        )

    def naive_reading(self) -> NaiveReading | None:
        """The reading of the drawing without preparation; None until there is one."""
        if self.engine is None or self.answer is None:
            return None
        key = ("naive", self.answer.version)
        return self.ask(key, self.engine.read_naively, self.question())

    def ask(self, key: Request, job: Callable[..., T], *arguments: Any) -> T | None:
        """See ``context.Ask``."""
        if key in self._answers:
            self._answers.move_to_end(key)
        elif key not in self._waiting:
            self._waiting = {k for k in self._waiting if k[0] != key[0]} | {key}
            self.worker.submit(f"{ASK} {key[0]}", key, job, *arguments)
            self._collect()  # a worker that works at once has done it
        return self._answers.get(key)
