"""The teacher keeps the user's corrections, and has a copy of the network learn from them.

The worker reads and writes files, and learning happens beside it, so drawing never waits. The
network that was loaded stays as it is, on the disk and here: one key brings it back.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.sketchpad.document import Page
from apps.sketchpad.worker import Inline
from tinycnn.errors import TinyCNNError
from tinycnn.files import unused

if TYPE_CHECKING:
    from apps.sketchpad.engine import Engine, PaperReading
    from tinycnn.adapt import Adaptation, Correction, CorrectionFile
    from tinycnn.nn import Sequential

TEACH, LEARN = "teach", "learn"
NAME, SUFFIX = "adapted-%Y-%m-%d-%H%M%S", ".safetensors"
EXPORT = "corrections-%Y-%m-%d-%H%M%S"

OpenFile = Callable[[], "CorrectionFile"]


class Teacher:
    """Follows the labels of a session, and adapts its network when asked to."""

    def __init__(self, open_file: OpenFile | None, worker: Inline) -> None:
        """``open_file`` gives the file of corrections, on the worker; None: nothing is kept."""
        self.open_file, self.worker = open_file, worker
        self.corrections: tuple[Correction, ...] = ()
        self.fault = ""  # why some of them could not be read
        self.result: Adaptation | None = None
        self.busy = False  # whether a network is being adapted now
        self.base: Engine | None = None  # the engine as loaded, while an adapted one is tried
        self._kept: dict[frozenset[int], Correction] = {}
        self._labels: dict[frozenset[int], str] = {}
        self._jobs = 0
        self._submit(lambda open_file: open_file().read())

    def follow(self, page: Page, answer: "PaperReading | None") -> None:
        """Keep the corrections that are new on a page, and delete those that were undone."""
        if page.labels is self._labels:
            return
        self._labels = page.labels
        numbers = {stroke.number for stroke in page.strokes}
        for group in [group for group in self._kept if group <= numbers]:
            if page.labels.get(group, "") != self._kept[group].label:
                self._submit(_change, False, self._kept.pop(group))
        for group, label in page.labels.items():
            if label and group not in self._kept and group <= numbers:
                self._kept[group] = _correction(page, group, label, answer)
                self._submit(_change, True, self._kept[group])

    def adapt(self, engine: "Engine | None") -> None:
        """Have a copy of the network learn from all corrections; raises TinyCNNError."""
        base = self.base or engine
        if not (self.open_file and base and base.compiled) or self.busy:
            raise TinyCNNError("the network is not ready to learn yet")
        self.result, self.busy = None, True
        self.worker.aside(LEARN, _adapt, self.open_file, base.model)

    def adapted(self, result: "Adaptation | None", engine: "Engine | None") -> "Engine | None":
        """The engine to try, once learning has ended; None if it failed."""
        self.result, self.busy = result, False
        return engine.like(result.model) if result and engine else None

    def read(self, corrections: "list[Correction]", fault: str | None) -> None:
        """The file of corrections has been read."""
        self.corrections, self.fault = tuple(corrections), fault or ""

    def keep(self, folder: Path) -> None:
        """Write the adapted weights to ``folder``."""
        if self.result is None or self.base is None:
            raise TinyCNNError("there is nothing to keep; A adapts the network first")
        self._submit(_save, self.result, folder)

    def forget(self) -> "Engine | None":
        """Drop the adapted network; returns the engine as it was loaded, if there was another."""
        base, self.base = self.base, None
        self.result = None
        return base

    def export(self, engine: "Engine | None", folder: Path) -> None:
        """Write all corrections as a data set for the classes of a network, and as strokes."""
        if engine is not None:
            self._submit(_export, engine.classes, unused(folder, EXPORT))

    def _submit(self, job: Callable[..., Any], *arguments: Any) -> None:
        """Have a job done with the file; each has its own kind, so that none replaces another."""
        if self.open_file:
            self._jobs += 1
            self.worker.submit(f"{TEACH} {self._jobs}", None, job, self.open_file, *arguments)


def users_file() -> "CorrectionFile":
    """The corrections of this user."""
    from tinycnn.adapt import CorrectionFile

    return CorrectionFile()


def _correction(
    page: Page, group: frozenset[int], label: str, answer: "PaperReading | None"
) -> "Correction":
    from tinycnn.adapt import Correction

    strokes = [stroke for stroke in page.strokes if stroke.number in group]
    groups = list(answer.groups) if answer else []
    name = answer.reading.digits[groups.index(group)].name if answer and group in groups else None
    pen = max(stroke.brush for stroke in strokes)
    return Correction(tuple(stroke.points for stroke in strokes), label, name, pen)


def _change(open_file: OpenFile, added: bool, correction: "Correction") -> Any:
    """Add or remove one; returns all of the file, and why some cannot be read."""
    file = open_file()
    (file.add if added else file.remove)(correction)
    return file.read()


def _adapt(open_file: OpenFile, model: "Sequential") -> "Adaptation":
    """Adapt a copy of ``model`` to all corrections; takes two seconds at most."""
    from apps.sketchpad.engine import on_one_thread
    from apps.sketchpad.inspector import digits
    from tinycnn.adapt import adapt

    corrections, _ = open_file().read()
    with on_one_thread():  # batches are small, and reading goes on meanwhile
        return adapt(copy.deepcopy(model), corrections, digits())


def _save(_open_file: OpenFile, result: "Adaptation", folder: Path) -> str:
    path = unused(folder, NAME, SUFFIX).with_suffix(SUFFIX)
    result.model.save(path)
    return f"wrote {path}: open it, or give it to --weights, to read with it again"


def _export(open_file: OpenFile, classes: tuple[str, ...], folder: Path) -> str:
    from tinycnn.adapt import export

    corrections, _ = open_file().read()
    return f"wrote {export(corrections, classes, folder)} digits to {folder}"
