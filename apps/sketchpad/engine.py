"""The engine: a network from a weights file, which reads the paper on a worker.

It imports the library, for which the window must not wait: so it is itself imported by the worker.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from apps.sketchpad.document import Sheet, Stroke
from apps.sketchpad.inspector import Inspector
from tinycnn.errors import ImageError
from tinycnn.ink import (
    Picture,
    Reading,
    Recognizer,
    read_images,
    read_picture,
    read_strokes,
    strokes_to_image,
)
from tinycnn.ink.bitmaps import signed_distance
from tinycnn.ink.reading import PredictionCache
from tinycnn.ink.results import EMPTY
from tinycnn.nn import Sequential, get_threads, reference, set_threads
from tinycnn.train.folder import find_weights


@dataclass(frozen=True, eq=False)
class PaperReading:
    """The reading of the paper."""

    reading: Reading
    version: int  # of the pad that was read
    groups: tuple[frozenset[int], ...]  # of each digit, the numbers of its strokes
    seconds: float
    fault: str = ""  # why nothing could be read
    sheet: Sheet | None = None  # the picture in which it was read


class Engine:
    """A network that reads: at first with NumPy, once kernels are compiled with them."""

    def __init__(self, model: Sequential, weights: Path) -> None:
        self.model, self.weights = model, weights
        self.recognizer = Recognizer.of(model)
        self.classes = self.recognizer.classes
        self.compiled = False
        self._plain = Recognizer.of(model.on(reference))
        self._cache = PredictionCache()

    @classmethod
    def load(cls, weights: str) -> "Engine":
        """Load a weights file, a run folder, ``last`` or ``default``; raises TinyCNNError."""
        path = find_weights(weights)
        return cls(Sequential.load(path), path)

    def like(self, model: Sequential) -> "Engine":
        """An engine with another model of the same shape, so that nothing need be compiled."""
        made = Engine(model, self.weights)
        made.compiled = self.compiled
        return made

    @property
    def about(self) -> str:
        """The preset or file name, the size of the network, and its accuracy if that is known."""
        training = self.model.description.get("training") or {}
        preset = training.get("recipe", {}).get("preset") or self.weights.stem
        words = f"{preset}, {self.model.parameter_count():,} parameters"
        if "adapted" in self.model.description:
            return f"{words}, adapted"
        if isinstance(right := training.get("validation_accuracy"), float):
            words += f"   {training.get('dataset', '')} {100 * right:.2f} % (validation)"
        return words

    def compile_pen(self) -> "Engine":
        """Compile the kernel that prepares drawings, so that reading need not wait for the rest."""
        strokes_to_image([np.zeros((1, 2))])
        return self

    def compile(self) -> None:
        """Compile all kernels: seconds the first time, an instant when they are cached.

        Until the last one is ready, none is used: threads run one kernel at a time, and one that
        is being compiled would block them for seconds.
        """
        signed_distance(np.zeros((2, 2)))  # prepares pictures
        self.recognizer(np.zeros((1, 28, 28), np.uint8))
        self.inspector.warm_up()
        self.compiled = True

    @cached_property
    def inspector(self) -> Inspector:
        """The inspector of the network; to be used once it is ``compiled``."""
        return Inspector(self.model, self.classes)

    def read(
        self,
        version: int,
        strokes: Sequence[Stroke],
        brush: float,
        sheet: Sheet | None = None,
        single: bool = False,
    ) -> PaperReading:
        """Read the paper, a number or a ``single`` digit; ``version`` is that of the pad."""
        start, fault = time.perf_counter(), ""
        try:
            with on_one_thread():
                reading = self._reading(strokes, brush, sheet and sheet.source, single)
        except ImageError as error:
            reading, fault = EMPTY, str(error)
        numbers = [stroke.number for stroke in strokes]
        groups = [frozenset(numbers[i] for i in d.fragments if numbers) for d in reading.digits]
        seconds = time.perf_counter() - start
        return PaperReading(reading, version, tuple(groups), seconds, fault, sheet)

    def _reading(
        self, strokes: Sequence[Stroke], pen: float, source: object, single: bool
    ) -> Reading:
        if isinstance(source, Picture):
            return read_picture(source, self.asked, single=single)
        if isinstance(source, np.ndarray):
            return read_images(source[None], self.asked)[0]
        lines = [stroke.points for stroke in strokes]
        return read_strokes(lines, self.asked, pen, self._cache, single=single)

    @property
    def asked(self) -> Recognizer:
        """The recognizer that answers soonest."""
        return self.recognizer if self.compiled else self._plain


@contextlib.contextmanager
def on_one_thread() -> Iterator[None]:
    """For a few images, waking other threads takes longer than doing their work."""
    before = get_threads()
    set_threads(1)
    try:
        yield
    finally:
        set_threads(before)
