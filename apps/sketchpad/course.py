"""A course: a new network learns the bundled digits while one looks, some batches at a time.

It is the trainer of ``python -m tinycnn.train``, so every step is the one that the command takes.
"""

import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad.engine import Engine, on_one_thread
from apps.sketchpad.inspector import digits
from apps.sketchpad.worker import Inline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinycnn.nn import Sequential
    from tinycnn.train.trainer import Trainer

COURSE = "course"
EPOCHS = 4
STEPS = 4  # of training in one job
CHECKED = 200  # validation digits after every job
SHOWN = 12  # mistakes


@dataclass(frozen=True, eq=False)
class Report:
    """How a network does after some steps."""

    losses: list[float]  # of the steps of this job
    accuracy: float  # on validation digits
    filters: np.ndarray  # (KH,KW,F) of the first convolution, or no filters
    mistakes: list[tuple[np.ndarray, str]]  # images (28,28), and "read as, truth"
    model: "Sequential"  # a copy
    finished: bool


@dataclass
class Course:
    """The state of a course; ``go_on`` hands out the next steps, ``take`` takes their report."""

    worker: Inline
    rate: float = 0.05
    running: bool = False
    live: bool = False  # whether drawings are read with it
    losses: list[float] = field(default_factory=list)
    accuracies: list[tuple[int, float]] = field(default_factory=list)  # after so many steps
    report: Report | None = None
    _class: "Class | None" = None
    _busy: bool = False

    def run(self, running: bool | None = None) -> None:
        """Go on, or pause."""
        self.running = not self.running if running is None else running

    def step(self) -> None:
        """Take one step, and pause."""
        self.running = False
        self._submit(1)

    def restart(self) -> None:
        """Begin again with a network that knows nothing."""
        self._class, self.report = None, None
        self.losses, self.accuracies = [], []

    def go_on(self) -> None:
        """Hand out the next steps, unless it is paused."""
        if self.running:
            self._submit(STEPS)

    def take(self, report: Report | None, engine: Engine | None) -> Engine | None:
        """Take a report, None if the job failed; returns an engine if drawings are read with it."""
        self._busy = False
        self.running = self.running and report is not None and not report.finished
        if self._class is None or report is None:  # begun again meanwhile
            return None
        self.report = report
        self.losses += report.losses
        self.accuracies.append((len(self.losses), report.accuracy))
        return engine.like(report.model) if self.live and engine else None

    def _submit(self, steps: int) -> None:
        if not self._busy:
            self._class, self._busy = self._class or Class(), True
            self.worker.aside(COURSE, self._class.learn, steps, self.rate)


class Class:
    """The trainer with its data, used by one job at a time."""

    def __init__(self) -> None:
        self._trainer: Trainer | None = None
        self._batches: Iterator[tuple[np.ndarray, np.ndarray]] = iter(())

    def learn(self, steps: int, rate: float) -> Report:
        """Take some steps of training; returns how the network does then."""
        with on_one_thread():
            trainer = self._trainer = self._trainer or _new_trainer()
            trainer.recipe = replace(trainer.recipe, lr=rate)
            losses = []
            for _ in range(steps):
                images, labels = self._next(trainer)
                losses.append(trainer.step(images, labels))
            return _report(trainer, losses)

    def _next(self, trainer: "Trainer") -> tuple[np.ndarray, np.ndarray]:
        """The next batch; after the last of an epoch the first of the next one."""
        epoch, batch = divmod(trainer.optimizer.steps, len(trainer.batches))
        if batch == 0:
            self._batches = trainer.batches.of_epoch(epoch + 1)
        return next(self._batches)


def _new_trainer() -> "Trainer":
    from tinycnn.train.recipe import Recipe
    from tinycnn.train.trainer import Trainer

    data = digits()
    recipe = Recipe.for_data(len(data.train_images), epochs=EPOCHS, augment="none", average=0.0)
    return Trainer(replace(recipe, schedule="constant"), data)


def _report(trainer: "Trainer", losses: list[float]) -> Report:
    images, labels = (part[:CHECKED] for part in trainer.validation_part)
    answers = trainer.model.predict_proba(images).argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)[:SHOWN].tolist()
    convolution = next((z for z in trainer.model.arrays().values() if z.ndim == 4), None)
    filters = np.zeros((1, 1, 0)) if convolution is None else convolution[..., 0]
    return Report(
        losses,
        float((answers == labels).mean()),
        filters if convolution is None else filters.transpose(1, 2, 0).copy(),
        [(images[n], f"{answers[n]}, is {labels[n]}") for n in wrong],
        copy.deepcopy(trainer.model),
        trainer.optimizer.steps >= trainer.steps,
    )
