"""Who reads: a network from a weights file, its name, and what is known of how good it is.

Everything here is slow enough for a worker. The library is imported when it is first needed,
for the window must not wait for it.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad.document import Sheet, Size

if TYPE_CHECKING:
    from apps.sketchpad.inspector import Inspector
    from tinycnn.ink import Reading, Recognizer
    from tinycnn.nn import Sequential


@dataclass(frozen=True, eq=False)
class Question:
    """What is on the paper, to be read."""

    version: int
    """Of the pad: the answer is compared with it."""

    lines: Sequence[np.ndarray]
    """All strokes, polylines (n,2) in paper units."""

    numbers: tuple[int, ...]
    """Whose lines they are: the strokes' numbers."""

    brush: float
    paper: Size
    sheet: Sheet | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """What was read, and what it took."""

    reading: "Reading"
    version: int
    groups: tuple[frozenset[int], ...]
    """Of each digit, the numbers of its strokes."""

    seconds: float
    fault: str = ""
    """Why nothing could be read."""

    sheet: Sheet | None = None
    """The picture in which it was read."""


@dataclass(frozen=True, eq=False)
class Naive:
    """What becomes of a drawing without preparation."""

    image: np.ndarray
    """uint8 (28,28): the whole paper made smaller."""

    probabilities: np.ndarray
    """(K,): what the network thinks of that."""


class Engine:
    """A network that is ready to be asked: at once by the reference, later by kernels."""

    def __init__(self, model: "Sequential", weights: Path) -> None:
        from tinycnn.ink import PredictionCache, Recognizer
        from tinycnn.nn import reference

        self.model, self.weights = model, weights
        self.recognizer = Recognizer.of(model)
        self.classes = self.recognizer.classes
        self.compiled = False
        self._plain = Recognizer.of(model.on(reference))
        self._cache = PredictionCache()

    @classmethod
    def load(cls, weights: str) -> "Engine":
        """Load a weights file, a run folder, ``last`` or ``default``; raises TinyCNNError."""
        from tinycnn.nn import Sequential
        from tinycnn.train.folder import find_weights

        path = find_weights(weights)
        return cls(Sequential.load(path), path)

    @property
    def name(self) -> str:
        """What people call this network."""
        training = self.model.description.get("training") or {}
        preset = training.get("recipe", {}).get("preset") or self.weights.stem
        adapted = ", adapted" if "adapted" in self.model.description else ""
        return f"{preset}, {self.model.parameter_count():,} parameters{adapted}"

    @property
    def accuracy(self) -> str:
        """How good it was on MNIST, as far as its file says."""
        training = self.model.description.get("training") or {}
        accuracy = training.get("validation_accuracy")
        if not isinstance(accuracy, float) or "adapted" in self.model.description:
            return ""
        return f"{training.get('dataset', '')} {100 * accuracy:.2f} % (validation)"

    def sharpen(self) -> "Engine":
        """Have the pen ready with which drawings are prepared.

        The compiler does one thing at a time: later, reading would wait until all is compiled.
        """
        from tinycnn.ink import strokes_to_image

        strokes_to_image([np.zeros((1, 2))])
        return self

    def compile(self) -> None:
        """Have all kernels ready: seconds the first time, an instant ever after.

        Until the last one is, none is used: kernels take turns, and one that is being compiled
        has its turn for seconds.
        """
        from tinycnn.ink.rasterize import signed_distance

        signed_distance(np.zeros((2, 2)))  # with which pictures are prepared
        self.recognizer(np.zeros((1, 28, 28), np.uint8))
        self.inspector.warm_up()
        self.compiled = True

    @cached_property
    def inspector(self) -> "Inspector":
        """The network taken apart; to be looked into once it is ``compiled``."""
        from apps.sketchpad.inspector import Inspector

        return Inspector(self.model, self.classes)

    def read(self, question: Question) -> Answer:
        """Read what is on the paper."""
        from tinycnn.errors import ImageError
        from tinycnn.ink.reading import EMPTY

        start, fault = time.perf_counter(), ""
        try:
            with on_one_thread():
                reading = self._reading(question)
        except ImageError as error:
            reading, fault = EMPTY, str(error)
        numbers = question.numbers
        groups = [frozenset(numbers[i] for i in d.fragments if numbers) for d in reading.digits]
        seconds = time.perf_counter() - start
        return Answer(reading, question.version, tuple(groups), seconds, fault, question.sheet)

    def naively(self, question: Question) -> Naive:
        """Make the whole paper, or picture, smaller, and hope."""
        from tinycnn.ink import paper_to_image, shrink

        if question.sheet is not None:
            image = shrink(255 - question.sheet.shade)
        else:
            image = paper_to_image(question.lines, question.brush, question.paper)
        return Naive(image, self.asked(image[None]).probabilities[0])

    @property
    def asked(self) -> "Recognizer":
        """The recognizer that answers soonest."""
        return self.recognizer if self.compiled else self._plain

    def _reading(self, question: Question) -> "Reading":
        from tinycnn.ink import Picture, read_images, read_picture, read_strokes

        recognizer = self.asked
        source = question.sheet.source if question.sheet else None
        if isinstance(source, Picture):
            return read_picture(source, recognizer)
        if isinstance(source, np.ndarray):
            return read_images(source[None], recognizer)[0]
        return read_strokes(question.lines, recognizer, question.brush, self._cache)


@contextlib.contextmanager
def on_one_thread() -> Iterator[None]:
    """For a few images, waking other threads takes longer than doing their work."""
    from tinycnn.nn import get_threads, set_threads

    before = get_threads()
    set_threads(1)
    try:
        yield
    finally:
        set_threads(before)
