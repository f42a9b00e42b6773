"""Networks made of tinycnn's layers: one without any convolution, and the presets."""

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from tinycnn.compare.task import Task, Trained
from tinycnn.nn import Frozen
from tinycnn.train.recipe import Recipe
from tinycnn.train.trainer import Trainer

QUICK: dict[str, int] = {"tiny": 5, "best": 4}
"""Epochs of the presets with long recipes, unless all epochs are asked for."""


@dataclass(frozen=True)
class NetworkBaseline:
    """A preset, trained by its recipe; some of its digits are set aside to choose an epoch."""

    title: str
    preset: str

    def train(self, task: Task) -> Trained:
        """Train the network; kernels are compiled before the time is taken."""
        recipe, settings = self.recipe(task)
        trainer = Trainer(recipe, task.dataset)
        trainer.rehearse()
        started = time.perf_counter()
        trainer.train(lambda: False, lambda: None)
        seconds = time.perf_counter() - started
        best, frozen = trainer.best, Frozen(trainer.best)

        def predict_one(image: np.ndarray) -> int:
            return int(frozen.predict_proba(image).argmax())

        size = sum(z.nbytes for z in best.arrays().values())
        return Trained(settings, seconds, size, best.predict, predict_one)

    def recipe(self, task: Task) -> tuple[Recipe, str]:
        """The recipe for this task, and a description of it."""
        count = len(task.training[0])
        whole = Recipe.for_data(count, preset=self.preset, limit=task.limit, seed=task.seed)
        most = math.inf if task.all_epochs else QUICK.get(self.preset, math.inf)
        recipe = replace(whole, epochs=int(min(whole.epochs, most)))
        cut = f" instead of {whole.epochs}" if recipe.epochs < whole.epochs else ""
        return recipe, f"{recipe.epochs} epochs{cut}, augmentation {recipe.augment}"


NETWORKS: dict[str, NetworkBaseline] = {
    "dense": NetworkBaseline("dense network", "dense"),
    "lenet": NetworkBaseline("tinycnn, lenet", "lenet"),
    "tiny": NetworkBaseline("tinycnn, tiny", "tiny"),
    "best": NetworkBaseline("tinycnn, best", "best"),
}
