"""A training that is watched: some steps at a time, and after each time how the network does."""

import copy
import itertools
from dataclasses import dataclass

import numpy as np

from tinycnn.data import Dataset
from tinycnn.nn import Sequential
from tinycnn.nn.fit import train_step
from tinycnn.train.recipe import Recipe
from tinycnn.train.trainer import Trainer

EPOCHS = 4
CHECKED = 200  # validation digits after every time
SHOWN = 12  # of those, the first that are misread


@dataclass(frozen=True, eq=False)
class Report:
    """How a network does after some steps, of which these are the ``losses``.

    ``accuracy`` is that on ``CHECKED`` validation images; ``mistakes`` are some of these (H,W),
    with the classes they are read as, and their own. ``model`` is a copy.
    """

    losses: list[float]
    accuracy: float
    mistakes: list[tuple[np.ndarray, int, int]]
    model: Sequential
    finished: bool


class WatchedTraining:
    """A new network and its training on ``data``, with the steps of ``tinycnn.train``.

    >>> WatchedTraining(load_dataset()).learn(steps=4, lr=0.05).accuracy
    """

    def __init__(self, data: Dataset) -> None:
        recipe = Recipe.for_data(len(data.train_images), epochs=EPOCHS, augment="none")
        self._trainer = Trainer(recipe, data)
        epochs = map(self._trainer.batches.of_epoch, itertools.count(1))
        self._batches = itertools.chain.from_iterable(epochs)

    def learn(self, steps: int, lr: float) -> Report:
        """Take some steps at a learning rate."""
        trainer, model = self._trainer, self._trainer.model
        trainer.optimizer.lr = lr
        learned = model, trainer.loss, trainer.optimizer
        losses = [train_step(*learned, *next(self._batches)) for _ in range(steps)]
        images, labels = (part[:CHECKED] for part in trainer.validation_part)
        answers = model.predict(images)
        wrong = np.flatnonzero(answers != labels)[:SHOWN].tolist()
        return Report(
            losses,
            float((answers == labels).mean()),
            [(images[n], int(answers[n]), int(labels[n])) for n in wrong],
            copy.deepcopy(model),
            trainer.optimizer.steps >= trainer.steps,
        )
