"""Teaching: what people say digits are is kept, and a copy of the network learns from it.

Files are read and written by the worker, learning happens beside it; the drawing never waits.
The network that was loaded stays as it is, on the disk and here: one key brings it back.
"""

import shutil
import tempfile
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from apps.sketchpad.context import Lesson
from apps.sketchpad.document import Page
from apps.sketchpad.editor import Pad
from apps.sketchpad.engine import Answer, Engine, on_one_thread
from apps.sketchpad.worker import Worker

if TYPE_CHECKING:
    from tinycnn.adapt import Adaptation, Correction, CorrectionFile
    from tinycnn.nn import Sequential

TEACH, LEARN = "teach", "learn"
NAME = "adapted-%Y-%m-%d-%H%M%S.safetensors"
KEPT = "adapted.safetensors"
EXPORT = "corrections-%Y-%m-%d-%H%M%S"

OpenFile = Callable[[], "CorrectionFile"]


@dataclass(frozen=True, eq=False)
class Said:
    """What somebody said a digit is, and its strokes."""

    strokes: tuple[np.ndarray, ...]
    label: str
    answer: str | None
    pen: float

    def correction(self) -> "Correction":
        """The same for the file."""
        from tinycnn.adapt import Correction

        return Correction(self.strokes, self.label, self.answer, self.pen)


class Room(Protocol):
    """Where it is taught: what is needed of a room."""

    pad: Pad
    answer: Answer | None
    engine: Engine | None
    worker: Worker
    folder: Path

    def say(self, note: str) -> None:
        """Tell the person something."""

    def put(self, engine: Engine) -> None:
        """From now on this one reads."""


class Teacher:
    """Follows what is said in a session, and adapts its network when asked to."""

    def __init__(self, open_file: OpenFile) -> None:
        """``open_file`` gives the file of corrections; it is called by the worker only."""
        self.open_file = open_file
        self.lesson = Lesson()
        self.base: Engine | None = None
        """The network that was loaded, while an adapted one is tried."""

        self._said: dict[frozenset[int], Said] = {}
        self._labels: dict[frozenset[int], str] = {}
        self._jobs = 0

    def follow(self, room: Room) -> None:
        """Keep what has been said since the last time, and forget what was taken back."""
        page = room.pad.page
        if page.labels is self._labels:
            return
        self._labels = page.labels
        for group in [g for g in self._said if self._is_taken_back(g, page)]:
            self._submit(room, forget, self._said.pop(group))
        for group, label in page.labels.items():
            if label and group not in self._said and group <= _numbers(page):
                self._said[group] = _said(room, group, label)
                self._submit(room, keep, self._said[group])

    def take(self, room: Room, answer: Any) -> None:
        """What the worker has done."""
        from tinycnn.adapt import Adaptation

        if isinstance(answer, Adaptation):
            base = self.base or room.engine
            assert base is not None
            self.base = base
            self.lesson = replace(self.lesson, result=answer)
            room.put(_trial(answer, base))
        elif isinstance(answer, str):
            room.say(answer)
        else:
            corrections, fault = answer
            self.lesson = replace(self.lesson, corrections=tuple(corrections), fault=fault or "")

    def look_up(self, room: Room) -> None:
        """Read what has been kept."""
        self._submit(room, read)

    def adapt(self, room: Room) -> None:
        """Have a copy of the network learn from all corrections."""
        engine = self.base or room.engine
        if engine is None or not engine.compiled or self.lesson.busy:
            room.say("the network is not ready to learn yet")
            return
        self.lesson = replace(self.lesson, result=None, busy=True)
        room.worker.aside(LEARN, learn, self.open_file, engine.model)

    def rest(self) -> None:
        """Learning has ended, however it did."""
        self.lesson = replace(self.lesson, busy=False)

    def keep_result(self, room: Room, own: bool) -> None:
        """Write the adapted weights beside the corrections, or to a file of their ``own``."""
        result, base = self.lesson.result, self.base
        if result is None or base is None:
            room.say("there is nothing to keep; A adapts the network first")
            return
        folder = room.folder if own else None
        self._submit(room, save, result, base.weights, folder)

    def discard(self, room: Room) -> None:
        """Bring the loaded network back."""
        if self.base is not None:
            room.put(self.base)
            room.say("back to the network as it was loaded")
        self.forget()

    def forget(self) -> None:
        """Another network has been loaded: what was learned belongs to none."""
        self.base = None
        self.lesson = replace(self.lesson, result=None)

    def export(self, room: Room) -> None:
        """Write all corrections as a data set, and as strokes."""
        if room.engine is not None:
            target = room.folder / time.strftime(EXPORT)
            self._submit(room, export, room.engine.classes, target)

    def _is_taken_back(self, group: frozenset[int], page: Page) -> bool:
        """Whether the strokes are still there, but are not called so any more."""
        said = page.labels.get(group, "")
        return group <= _numbers(page) and said != self._said[group].label

    def _submit(self, room: Room, job: Callable, *arguments: Any) -> None:
        """Every job is a kind of its own, so that none takes the place of another."""
        self._jobs += 1
        room.worker.submit(f"{TEACH} {self._jobs}", None, job, self.open_file, *arguments)


Kept = tuple[list["Correction"], str | None]
"""All corrections, and what could not be read."""


def read(open_file: OpenFile) -> Kept:
    """What the file holds."""
    return open_file().read()


def keep(open_file: OpenFile, said: Said) -> Kept:
    """Add a correction to the file."""
    file = open_file()
    file.add(said.correction())
    return file.read()


def forget(open_file: OpenFile, said: Said) -> Kept:
    """Take a correction out of the file again."""
    file = open_file()
    file.remove(said.correction())
    return file.read()


def learn(open_file: OpenFile, model: "Sequential") -> "Adaptation":
    """Adapt a copy of ``model`` to all corrections; takes two seconds at most."""
    import copy

    from apps.sketchpad.digits import digits
    from tinycnn.adapt import adapt

    corrections, _ = open_file().read()
    with on_one_thread():  # batches are small, and others have something to do meanwhile
        return adapt(copy.deepcopy(model), corrections, digits())


def save(open_file: OpenFile, result: "Adaptation", base: Path, folder: Path | None) -> str:
    """Write the adapted weights, and say where they are."""
    from tinycnn.adapt import save_adapted

    beside = open_file().path.with_name(KEPT)
    path = beside if folder is None else folder / time.strftime(NAME)
    save_adapted(result, path, base)
    return f"wrote {path}; --weights {path} starts with it"


def export(open_file: OpenFile, classes: tuple[str, ...], folder: Path) -> str:
    """Write the corrections as IDX and as strokes, and say where they are."""
    from tinycnn.adapt import export

    corrections, _ = open_file().read()
    return f"wrote {export(corrections, classes, folder)} digits to {folder}"


def users_file() -> "CorrectionFile":
    """The corrections of this user."""
    from tinycnn.adapt import CorrectionFile

    return CorrectionFile()


def passing_file() -> OpenFile:
    """Corrections that last no longer than the session: for replays and tests."""
    folders: list[str] = []

    def open_file() -> "CorrectionFile":
        from tinycnn.adapt import CorrectionFile

        if not folders:
            folders.append(tempfile.mkdtemp(prefix="tinycnn-"))
            weakref.finalize(open_file, shutil.rmtree, folders[0], ignore_errors=True)
        return CorrectionFile(Path(folders[0]) / "drawings.jsonl")

    return open_file


def _trial(result: "Adaptation", base: Engine) -> Engine:
    """The adapted network as a engine; its kernels are those of the base."""
    trial = Engine(result.model, base.weights)
    trial.compiled = base.compiled
    return trial


def _numbers(page: Page) -> set[int]:
    return {stroke.number for stroke in page.strokes}


def _said(room: Room, group: frozenset[int], label: str) -> Said:
    strokes = [stroke for stroke in room.pad.page.strokes if stroke.number in group]
    answer = room.answer
    groups = list(answer.groups) if answer else []
    name = answer.reading.digits[groups.index(group)].name if answer and group in groups else None
    points = tuple(stroke.points for stroke in strokes)
    return Said(points, label, name, max(stroke.brush for stroke in strokes))
