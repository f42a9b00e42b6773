"""One trial of a sweep, started or resumed in a process of its own."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from tinycnn.errors import FolderInUse, RunError
from tinycnn.sweep.folder import OUTCOME, SweepFolder
from tinycnn.train.callbacks import Callback
from tinycnn.train.folder import RunFolder
from tinycnn.train.recipe import Recipe
from tinycnn.train.resume import Source, resume, start
from tinycnn.train.run import Run, use_threads
from tinycnn.train.trainer import Trainer

LOOK_SECONDS = 0.5
"""A worker checks this often whether its sweep still exists."""

PATIENCE_SECONDS = 60.0
"""A worker of an earlier sweep may take this long to notice that it has been replaced."""


@dataclass(frozen=True)
class Order:
    """The order that all workers of a sweep get: where to work, with which data, and until when.

    They stop when the process ``parent`` is gone (None on another machine) or the lease has
    another ``token``. With ``test`` the trained networks are tested as well.
    """

    folder: Path
    source: Source
    threads: int
    token: str
    parent: int | None
    test: bool

    def is_orphaned(self) -> bool:
        """Whether the process that gave this order is gone."""
        return self.parent is not None and os.getppid() != self.parent

    def is_wanted(self) -> bool:
        """Whether the sweep that gave this order still waits for its trials."""
        return not self.is_orphaned() and SweepFolder(self.folder).is_leased(self.token)


def run_trial(order: Order, name: str, recipe: Recipe) -> bool:
    """Train until the trial is over, and return True; False if it has to stop before."""
    try:
        if not order.is_wanted():
            return False
        use_threads(order.threads)
        with _opened(order, name, recipe) as run:
            return _is_over(run, order)
    except (KeyboardInterrupt, SystemExit):  # a signal, which the sweep has received as well
        return False
    finally:
        if order.is_orphaned():
            os._exit(1)  # all is saved, and no more work will come


class _StopsWithTheSweep(Callback):
    """Stops training when the sweep is over."""

    def __init__(self, order: Order) -> None:
        self._order, self._looked_at = order, time.monotonic()

    def batch(self, trainer: Trainer) -> bool:
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = time.monotonic()
        return not self._order.is_wanted()


def _is_over(run: Run, order: Order) -> bool:
    outcome = run.folder.path / OUTCOME
    try:
        run.train(_StopsWithTheSweep(order))
    except RunError as error:  # it diverged, and would do so again
        run.folder.write_json(outcome, {"error": str(error)})
        return True
    if not run.trainer.finished:
        return False
    if order.test and not run.folder.result.exists():
        run.finish()
    if not outcome.exists():
        state = run.trainer.state
        best = state.history[state.best_epoch - 1]
        content = {
            "validation_accuracy": best.validation_accuracy,
            "validation_loss": best.validation_loss,
            "best_epoch": best.epoch,
            "seconds": round(state.training_seconds, 3),
        }
        run.folder.write_json(outcome, content)
    return True


def _opened(order: Order, name: str, recipe: Recipe) -> Run:
    """The run of a trial, new or resumed, as soon as no other process holds its folder."""
    path = SweepFolder(order.folder).trial(name).path
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            if RunFolder(path).is_resumable():
                return resume(path, recipe.as_dict(), order.source.data_dir)[0]
            return start(recipe, order.source.load(), order.source, path)
        except FolderInUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
