"""A session: a pad, the engine that reads it, and what is shown of both.

``commands`` changes a session; ``tick`` hands slow work to a worker, and takes in its results.
This module knows nothing of windows.
"""

import contextlib
import math
import os
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import document
from apps.sketchpad.context import Command, Context, Request
from apps.sketchpad.course import COURSE, Course
from apps.sketchpad.document import Sheet
from apps.sketchpad.editor import Pad
from apps.sketchpad.phrases import spelled
from apps.sketchpad.record import SAFE, Entry
from apps.sketchpad.teacher import LEARN, TEACH, OpenFile, Teacher
from apps.sketchpad.worker import Inline
from tinycnn.errors import TinyCNNError

if TYPE_CHECKING:
    from apps.sketchpad.engine import Engine, PaperReading
    from apps.sketchpad.games import Game
    from apps.sketchpad.tabs.parts import Tab
    from tinycnn.ink import Digit, Drawing
    from tinycnn.ink.results import Mark

KEPT_ANSWERS = 200  # to what tabs have asked
READ, LOAD, COMPILE, SHEET, ASK = "read", "load", "compile", "sheet", "ask"
NOTE, DARK = "note", "dark"
PLAY = 10.0  # seconds that a play of the network takes
FOLLOW = 1.0  # seconds between looks at the weights file: a training may go on
LONGEST_LOG = 20_000  # commands
PATIENCE = 0.15  # seconds after which the answer before is shown as an old one


@dataclass
class Screen:
    """What is shown, and how."""

    tab: int = 0
    enlarged: bool = False
    dark: bool = False
    developer: bool = False  # shows names of functions, and times
    popup: str = ""  # what lies over the window: help, label, open, games
    hover: tuple[float, float] | None = None
    keyed: bool = False  # whether keys point there, and no mouse
    asked: tuple[int, ...] = ()  # the layer and place of a number whose sum is shown
    typed: str = ""  # the name of a file to open, as far as it is typed
    tips: bool = False  # whether the mouse moved since the last command
    note: str = ""  # shown in the status line until the next command


class Session:
    """A pad, an engine that reads it, and the tabs that look inside."""

    engine: "Engine | None" = None
    answer: "PaperReading | None" = None
    game: "Game | None" = None
    played: float | None = None  # when the play of the network began
    changes = 0  # grows with everything that may look different now
    loads = mistakes = 0
    _asked_version, _looked = -1, 0.0

    def __init__(
        self,
        worker: Inline,
        load: Callable[[], "Engine"],
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
        self.worker, self.tabs, self.clock = worker, list(tabs), clock
        self.rng = np.random.default_rng(0)  # draws test digits
        self._awaited: dict[int, float] = {}  # versions that are being read, since when
        self._answers: OrderedDict[Request, Any] = OrderedDict()
        self._waiting: set[Request] = set()
        self.log: list[Entry] = []  # all commands since the page, or the game, was begun
        self.course = Course(worker)
        self._stamp: tuple[Path, float] | None = None  # of the weights file that was loaded
        self.load_engine(load)
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
    def unread(self) -> "list[Mark]":
        """The ink that was left out of the text."""
        reading = self.answer and self.up_to_date and self.answer.reading
        return [mark for mark in reading.marks if not mark.read] if reading else []

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
        chosen = document.overlapping(groups, self.pad.chosen)
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

    def tick(self) -> None:
        """Hand out work and take in results, until there are none; call it again and again."""
        self._follow()
        self.course.go_on()
        while True:
            if self.engine and self._asked_version != self.pad.version:
                pad, self._asked_version = self.pad, self.pad.version
                self._awaited[pad.version] = self.clock()
                paper = pad.version, pad.strokes(), pad.brush, self.sheet, pad.single
                self.worker.submit(READ, pad.version, self.engine.read, *paper)
            if not self._collect():
                break
        if self.answer and self.answer.sheet is not self.sheet:
            self.answer = None  # the picture that was read is no longer there
        if self.game:
            self.game.follow(self.clock(), self.pad, self.text, self.digits)

    def load_engine(self, load: Callable[[], "Engine"]) -> None:
        """Load an engine on the worker."""
        self.worker.submit(LOAD, None, lambda: load().compile_pen())

    def _follow(self) -> None:
        """Load the weights again when the file has changed."""
        if self.engine is None or self.clock() - self._looked < FOLLOW:
            return
        self._looked, path = self.clock(), self.engine.weights
        self.changes += self.course.follow(path)
        with contextlib.suppress(OSError):
            stamp = path, os.path.getmtime(path)
            if self._stamp and self._stamp[0] == path and self._stamp != stamp:
                self.load_engine(partial(type(self.engine).load, os.fspath(path)))
            self._stamp = stamp

    @property
    def moment(self) -> float | None:
        """How far the play of the network has come, 0 to 1; None without one."""
        if self.played is None or not 0 <= self.clock() - self.played < PLAY:
            return None
        return (self.clock() - self.played) / PLAY

    def note(self, command: Command) -> None:
        """Keep a command for a replay of this page, or of this game."""
        if command[0] == "game" or (command[0] == "clear" and self.game is None):
            self.log = []
        if len(self.log) < LONGEST_LOG and command[0] in (*SAFE, "label"):
            self.log.append(Entry(self.clock(), command))

    def put(self, engine: "Engine") -> None:
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
                self.screen.note = (done.answer and done.answer.fault) or self.screen.note
                self._awaited = {v: at for v, at in self._awaited.items() if v > done.key}
            if done.error is None or done.kind in (LEARN, COURSE):
                self._take(done.kind, done.key, done.answer)
            if done.error:
                self._complain(done.error)
        return bool(results)

    def _take(self, kind: str, key: Any, answer: Any) -> None:
        if kind.startswith(ASK):
            self._waiting.discard(key)
            self._answers[key] = answer
            while len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)
        elif isinstance(answer, str):
            self.screen.note = answer
        elif kind.startswith(TEACH):
            self.teacher.read(*answer)
        elif kind == LOAD:
            self._loaded(answer)
        elif kind == SHEET:
            self._lay(answer)
        elif kind == DARK:
            self.screen.dark = answer
        elif kind in (COURSE, LEARN):
            takes = self.course.take if kind == COURSE else self.teacher.adapted
            trial = takes(answer, self.engine)
            if trial:
                self.teacher.base = self.teacher.base or self.engine
                self.put(trial)

    def _loaded(self, engine: "Engine") -> None:
        if self.loads:
            self.screen.note = f"loaded {engine.weights}"
        self.teacher.forget()
        self.put(engine)
        self.worker.aside(COMPILE, engine.compile)  # meanwhile, NumPy answers

    def _lay(self, found: "Sheet | Drawing") -> None:
        if isinstance(found, Sheet):
            self.pad.show(found)
        else:
            lines = document.placed(found.strokes, self.pad.size)
            self.pad.write(lines, found.pen or self.pad.brush)

    def _complain(self, error: Exception) -> None:
        self.screen.note = str(error) or type(error).__name__
        if not isinstance(error, TinyCNNError):
            traceback.print_exception(error, file=sys.stderr)

    def context(self) -> Context:
        """What the shown tab draws."""
        selected = self.selected
        digit = None if selected is None else self.digits[selected]
        return Context(
            engine=self.engine,
            loads=self.loads,
            digit=digit,
            label=None if selected is None else self.labels[selected],
            image=digit.image if digit else None,
            probabilities=digit.probabilities if digit else None,
            ask=self.ask,
            teacher=self.teacher,
            course=self.course,
        )

    def ask(self, key: Request, job: Callable[..., Any], *arguments: Any) -> Any:
        """See ``context.Ask``."""
        if key in self._answers:
            self._answers.move_to_end(key)
        elif key not in self._waiting:
            self._waiting = {k for k in self._waiting if k[0] != key[0]} | {key}
            self.worker.submit(f"{ASK} {key[0]}", key, job, *arguments)
            self._collect()  # a worker that works at once has done it
        return self._answers.get(key)
