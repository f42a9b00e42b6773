"""The training loop around ``nn.fit.train_step``, with a validation after every epoch.

A ``Trainer`` knows nothing of files, signals and screens. It can be stopped between two batches;
a new one that gets its ``arrays()`` and ``state`` continues as if nothing had happened.
"""

import copy
import functools
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import numpy as np

from tinycnn.augment.policies import OF_DIGITS, identity, rows
from tinycnn.data import Dataset, split_validation
from tinycnn.data.catalogue import DIGITS
from tinycnn.errors import RunError, choose
from tinycnn.metrics import Score, cross_entropy, is_among_the_best
from tinycnn.nn import SCHEDULES, OpenSetCrossEntropy, Sequential, SoftmaxCrossEntropy, build
from tinycnn.nn.fit import train_step
from tinycnn.nn.optimizers import OPTIMIZERS, Optimizer
from tinycnn.train.batches import Batches, stream
from tinycnn.train.ranks import SingleProcess
from tinycnn.train.recipe import Recipe
from tinycnn.train.state import EpochRecord, State


class Trainer:
    """A network, its optimizer, its data, and the state of its training.

    It trains ``model``, or a new network of the recipe's preset. Each of several ``ranks`` has a
    trainer, and all trainers are always equal. Raises a TinyCNNError when recipe, data and ranks do
    not fit together.
    """

    recipe: Recipe

    def __init__(
        self,
        recipe: Recipe,
        dataset: Dataset,
        ranks: SingleProcess | None = None,
        model: Sequential | None = None,
    ) -> None:
        dataset = _checked(recipe, dataset)
        self.recipe, self.dataset, self.ranks = recipe, dataset, ranks or SingleProcess()
        images, labels = (z[: recipe.limit] for z in (dataset.train_images, dataset.train_labels))
        self.training, self.validation = split_validation(len(images), recipe.validation)
        train, valid = (slice(part.start, part.stop) for part in (self.training, self.validation))
        shape, classes = (*dataset.image_size, 1), len(dataset.class_names)
        self.model = model or build(recipe.preset, shape, classes, recipe.seed)
        self.model.any_floats = dataset.train_images.dtype != np.uint8
        mixing = _mixing_layers(self.model, recipe, self.ranks)
        self.batches = Batches(
            *(images[train], labels[train], recipe.batch_size, recipe.seed),
            *(recipe.augment, recipe.augmented_epochs, self.ranks.share),
            smallest=2 if "BatchNorm" in mixing else 1,
        )
        look = rows if recipe.augment == "rows" else identity
        self.validation_part = look(images[valid], labels[valid], stream(recipe.seed, 0))
        self.average = copy.deepcopy(self.model) if recipe.average else None
        self.best = copy.deepcopy(self.model)
        self.optimizer = new_optimizer(recipe, self.model)
        # Of drawings, some are no digits and have no class.
        self.loss = (OpenSetCrossEntropy if recipe.augment == "drawings" else SoftmaxCrossEntropy)()
        self._schedule = choose("schedule", recipe.schedule, SCHEDULES)
        self.state = State()

    @property
    def finished(self) -> bool:
        return self.state.epoch > self.recipe.epochs

    @property
    def answering(self) -> Sequential:
        """The model that is validated and kept: the running average, if there is one."""
        return self.average or self.model

    @property
    def steps(self) -> int:
        return self.recipe.epochs * len(self.batches)

    def train(
        self,
        after_batch: Callable[[], bool] = lambda: False,
        after_epoch: Callable[[], None] = lambda: None,
    ) -> None:
        """Train until all epochs are done, or until ``after_batch`` returns True.

        Raises RunError in the very batch in which a number stops being finite.
        """
        while not self.finished:
            state, started = self.state, time.perf_counter()
            for images, labels in self.batches.of_epoch(state.epoch, start=state.batch):
                count = self.batches.count(state.batch)  # images is our share of so many
                step = self.optimizer.steps  # its stream has one number more than that of a batch
                self.model.draw_from(stream(self.recipe.seed, step, 1, 1))
                self.optimizer.lr = self._rate(step)
                all_reduce = functools.partial(self._add_up, len(images) / count)
                learned = self.model, self.loss, self.optimizer
                if len(images):
                    loss = train_step(*learned, images, labels, count, all_reduce)
                else:
                    loss = self._idle_step(all_reduce)
                self._update_average()
                self._refuse_non_finite(loss)
                state.add_batch(count, loss, time.perf_counter() - started)
                if after_batch():
                    return
                started = time.perf_counter()
            self._finish_epoch()
            after_epoch()

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every array that training changes, by name; not copies."""
        averaged = self.average.arrays() if self.average else {}
        return {
            **{f"weights.{name}": z for name, z in self.model.arrays().items()},
            **{f"average.{name}": z for name, z in averaged.items()},
            **{f"best.{name}": z for name, z in self.best.arrays().items()},
            **{f"optimizer.{name}": z for name, z in self.optimizer.state.items()},
        }

    def restore(self, arrays: dict[str, np.ndarray], state: State) -> None:
        """Take over the state of another trainer of the same recipe; all or nothing."""
        mine = self.arrays()
        kinds = [{name: (z.shape, z.dtype) for name, z in a.items()} for a in (mine, arrays)]
        within = 1 <= state.epoch <= self.recipe.epochs + 1 and state.batch <= len(self.batches)
        if kinds[0] != kinds[1] or not within or len(state.history) != state.epoch - 1:
            raise RunError("the saved state does not fit the network and recipe of this run")
        for name, z in mine.items():
            z[...] = arrays[name]
        self.state = state
        self.optimizer.steps = (state.epoch - 1) * len(self.batches) + state.batch

    def _rate(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        return float(self.recipe.lr * self._schedule(step / self.steps))

    def _add_up(self, share: float, gradients: list[np.ndarray], loss: float) -> float:
        """Add up the gradients of all ranks; return the mean loss of the batch."""
        return self.ranks.add_up(gradients, share * loss)

    def _idle_step(self, all_reduce: Callable[[list[np.ndarray], float], float]) -> float:
        """Take the step of the other ranks: they are more than this batch has images."""
        for layer in self.model:  # adding -0.0 changes nothing, not even a -0.0
            layer.grads = {key: np.full_like(z, -0.0) for key, z in layer.params.items()}
        loss = all_reduce(self.model.gradients(), 0.0)
        self.optimizer.step()
        return loss

    def _update_average(self) -> None:
        """Move the average toward the model, faster at first: it began with random weights."""
        if self.average is None:
            return
        step = self.optimizer.steps
        kept = min(self.recipe.average, step / (step + 9))
        newest = self.model.arrays()
        for name, z in self.average.arrays().items():
            z += (1 - kept) * (newest[name] - z)

    def _finish_epoch(self) -> None:
        state = self.state
        images, labels = self.validation_part
        probabilities = self.answering.predict_proba(images)
        reached = Score.of(probabilities.argmax(axis=1), labels)
        loss = cross_entropy(probabilities, labels)
        if not math.isfinite(loss):
            self._diverged(f"the loss on the validation part is {loss}")
        record = EpochRecord(
            epoch=state.epoch,
            loss=state.loss_sum / state.images,
            validation_loss=loss,
            validation_accuracy=reached.accuracy,
            lr=self._rate(self.optimizer.steps - 1),
            seconds=round(state.epoch_seconds, 3),
            images_per_second=round(state.images / state.epoch_seconds, 1),
        )
        state.history.append(record)
        accuracies = [earlier.validation_accuracy for earlier in state.history]
        if is_among_the_best(accuracies, reached.n):
            state.best_epoch, state.best_accuracy = record.epoch, record.validation_accuracy
            newest = self.answering.arrays()
            for name, kept in self.best.arrays().items():
                kept[...] = newest[name]
        state.epoch, state.batch, state.images = state.epoch + 1, 0, 0
        state.loss_sum = state.epoch_seconds = 0.0

    def _refuse_non_finite(self, loss: float) -> None:
        if not math.isfinite(loss):
            self._diverged(f"the loss is {loss}")
        for index, layer in enumerate(self.model.layers):
            for key, z in (layer.params | layer.state).items():
                if not np.isfinite(z).all():  # as after every gradient that is not
                    kind = "new value" if np.isfinite(layer.grads.get(key, 0)).all() else "gradient"
                    self._diverged(f"the {kind} of {key} in layer {index}, {layer}, is not finite")

    def _diverged(self, culprit: str) -> NoReturn:
        batch = min(self.state.batch + 1, len(self.batches))  # the last one, if all are done
        raise RunError(
            f"training diverged in epoch {self.state.epoch}, batch {batch}: "
            f"{culprit}; the steps are probably too long, try `lr` {self.recipe.lr / 10:g}"
        )


def _checked(recipe: Recipe, dataset: Dataset) -> Dataset:
    """Refuse a single class, and drawings of images that are not digits: coats have no slash.

    Windows on rows have a class more, for those without a digit in the middle.
    """
    if len(dataset.class_names) < 2:
        raise RunError(f"{dataset.name} has only one class; there is nothing to tell apart")
    is_of_digits = dataset.class_names == DIGITS and dataset.image_size == (28, 28)
    if recipe.augment in OF_DIGITS and not is_of_digits:
        raise RunError(
            f"`augment` {recipe.augment} is for digits of 28 x 28 pixels; "
            f"{dataset.name} needs another"
        )
    names = dataset.class_names
    return replace(dataset, class_names=(*names, "none")) if recipe.augment == "rows" else dataset


def _mixing_layers(model: Sequential, recipe: Recipe, ranks: SingleProcess) -> set[str]:
    """Return the layers that look at a batch as a whole; ranks, which have shares, refuse them."""
    mixing = {type(layer).__name__ for layer in model.layers} & {"BatchNorm", "Dropout"}
    if ranks.size > 1 and mixing:
        raise RunError(
            f"`preset` {recipe.preset} has {' and '.join(sorted(mixing))}, which look at whole "
            "batches, and ranks have shares of them; choose `preset` lenet, or start one process"
        )
    return mixing


def new_optimizer(recipe: Recipe, model: Sequential) -> Optimizer:
    """Return the optimizer of a recipe for the parameters of ``model``."""
    kind = choose("optimizer", recipe.optimizer, OPTIMIZERS)
    more = {} if recipe.momentum is None else {"momentum": recipe.momentum}
    return kind(model, recipe.lr, weight_decay=recipe.weight_decay, **more)
