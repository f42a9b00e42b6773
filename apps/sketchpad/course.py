"""A new network learns the bundled digits while one looks; see ``tinycnn.train.watched``."""

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from apps.sketchpad.worker import Inline

if TYPE_CHECKING:
    from apps.sketchpad.engine import Engine
    from tinycnn.train.watched import Report, WatchedTraining

    Trainings = list[WatchedTraining]
    """One, once it has begun."""

    Taken = tuple[Trainings, Report]

COURSE = "course"
STEPS = 4  # of training in one job


@dataclass
class Course:
    """The state of a course; ``go_on`` hands out the next steps, ``take`` takes their report."""

    worker: Inline
    rate: float = 0.05
    running: bool = False
    live: bool = False  # whether drawings are read with it
    losses: list[float] = field(default_factory=list)
    accuracies: list[tuple[int, float]] = field(default_factory=list)  # after so many steps
    report: "Report | None" = None
    # of the run whose weights are loaded, the loss and the validation accuracy of each epoch:
    epochs: list[tuple[float, float]] = field(default_factory=list)
    _trainings: "Trainings" = field(default_factory=list)
    _busy: bool = False

    def step(self) -> None:
        """Take one step, and pause."""
        self.running = False
        self._submit(1)

    def restart(self) -> None:
        """Begin again with a network that knows nothing."""
        self._trainings, self.report = [], None
        self.losses, self.accuracies = [], []

    def go_on(self) -> None:
        """Hand out the next steps, unless it is paused."""
        if self.running:
            self._submit(STEPS)

    def take(self, taken: "Taken | None", engine: "Engine | None") -> "Engine | None":
        """Take a report, None if the job failed; returns an engine if drawings are read with it."""
        self._busy = False
        if taken is None:
            self.running = False
        if taken is None or taken[0] is not self._trainings:  # it was begun again meanwhile
            return None
        report = self.report = taken[1]
        self.running &= not report.finished
        self.losses += report.losses
        self.accuracies.append((len(self.losses), report.accuracy))
        return engine.like(report.model) if self.live and engine else None

    def follow(self, weights: Path) -> bool:
        """Read the metrics of the run that a weights file is of; tells whether some are new."""
        before, self.epochs = self.epochs, []
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            for line in (weights.parent / "metrics.jsonl").read_text().splitlines():
                known = json.loads(line)
                self.epochs.append((float(known["loss"]), float(known["validation_accuracy"])))
        return self.epochs != before

    def _submit(self, steps: int) -> None:
        if not self._busy:
            self._busy = True
            self.worker.aside(COURSE, _learn, self._trainings, steps, self.rate)


def _learn(trainings: "Trainings", steps: int, rate: float) -> "Taken":
    from apps.sketchpad.engine import on_one_thread
    from apps.sketchpad.inspector import digits
    from tinycnn.train.watched import WatchedTraining

    with on_one_thread():
        if not trainings:
            trainings.append(WatchedTraining(digits()))
        return trainings, trainings[0].learn(steps, rate)
