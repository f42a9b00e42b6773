"""A training that is watched: some steps at a time, and after each time how the network does."""

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tinycnn.data import Dataset
from tinycnn.nn import Sequential
from tinycnn.train.recipe import Recipe
from tinycnn.train.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Iterator

EPOCHS = 4
CHECKED = 200  # validation digits after every time
SHOWN = 12  # of those, the first that are misread


@dataclass(frozen=True, eq=False)
class Report:
    """How a network does after some steps."""

    losses: list[float]
    """Of these steps."""

    accuracy: float
    """On ``CHECKED`` validation images."""

    mistakes: list[tuple[np.ndarray, int, int]]
    """Images (H,W), the classes they are read as, and their own."""

    model: Sequential
    """A copy."""

    finished: bool


class WatchedTraining:
    """A new network and its training on ``data``, by ``Trainer``, as ``tinycnn.train`` does it.

    >>> WatchedTraining(load_dataset()).learn(steps=4, lr=0.05).accuracy
    """

    def __init__(self, data: Dataset) -> None:
        recipe = Recipe.for_data(len(data.train_images), epochs=EPOCHS, augment="none")
        self._trainer = Trainer(replace(recipe, schedule="constant", average=0.0), data)
        self._batches: Iterator[tuple[np.ndarray, np.ndarray]] = iter(())

    def learn(self, steps: int, lr: float) -> Report:
        """Take some steps at a learning rate."""
        trainer = self._trainer
        trainer.recipe = replace(trainer.recipe, lr=lr)
        losses = [trainer.step(*self._next()) for _ in range(steps)]
        images, labels = (part[:CHECKED] for part in trainer.validation_part)
        answers = trainer.model.predict_proba(images).argmax(axis=1)
        wrong = np.flatnonzero(answers != labels)[:SHOWN].tolist()
        return Report(
            losses,
            float((answers == labels).mean()),
            [(images[n], int(answers[n]), int(labels[n])) for n in wrong],
            copy.deepcopy(trainer.model),
            trainer.optimizer.steps >= trainer.steps,
        )

    def _next(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the next batch; after the last of an epoch the first of the next one."""
        epoch, batch = divmod(self._trainer.optimizer.steps, len(self._trainer.batches))
        if batch == 0:
            self._batches = self._trainer.batches.of_epoch(epoch + 1)
        return next(self._batches)
