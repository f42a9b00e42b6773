"""Train a network that you have, in one call: the recipe and the steps of ``tinycnn.train``."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.data import Dataset
from tinycnn.data.provenance import sample_in, sample_of
from tinycnn.errors import RunError
from tinycnn.nn import Sequential, checks
from tinycnn.nn.presets import name_of
from tinycnn.train.callbacks import Callback, Callbacks
from tinycnn.train.curves import History
from tinycnn.train.parts import register
from tinycnn.train.recipe import Recipe
from tinycnn.train.run import describe
from tinycnn.train.trainer import Trainer

Pair = tuple[ArrayLike, ArrayLike]


def fit(
    model: Sequential,
    images: ArrayLike,
    labels: ArrayLike,
    *,
    augment: str | Callable[..., Any] | None = None,
    validation: float | Pair | None = None,
    callbacks: Iterable[Callback] = (),
    **settings: Any,
) -> History:
    """Train ``model`` on images (N,H,W) with labels (N,), and return a record of every epoch.

    ``settings`` are ``epochs``, ``batch_size``, ``lr``, ``optimizer``, ``schedule``, ``momentum``,
    ``weight_decay``, ``average`` and ``seed``, as the options of ``python -m tinycnn.train``; what
    is not given suits the data. ``validation`` is the share of the images, the last ones, or a
    pair (images, labels), by which the best epoch is chosen: its weights are in ``model`` at the
    end. ``augment`` is a name or a function of (images, rng). Images are uint8, or floats from 0 to
    1, which are not augmented. With equal arguments, weights have equal bytes, and those of a
    network of ``tinycnn.build`` are those of the command.

    Raises a TinyCNNError, and leaves ``model`` as it was, if something does not fit.
    """
    if callable(augment):
        augment = register("augmentation")(augment).__name__
    x, y, share = _data(model, images, labels, validation)
    how = {"augment": augment} if augment else {"augment": "none"} if x.dtype != np.uint8 else {}
    recipe = Recipe.for_data(len(x), preset=name_of(model), **how, **share, **settings)
    dataset = Dataset("images", x, y, x[:0], y[:0], tuple(map(str, range(*model.output_shape))))
    trainer, callback = Trainer(recipe, dataset, model=copy.deepcopy(model)), Callbacks(callbacks)
    with callback.training(trainer):
        trainer.train(lambda: callback.batch(trainer), lambda: callback.epoch(trainer))
    trained = trainer.best if trainer.state.best_epoch else trainer.answering
    for name, z in trained.arrays().items():
        model.arrays()[name][...] = z
    sample = sample_of(trainer.batches.images, sample_in(model.description))
    model.description = {**model.description, **describe(trainer, sample)}
    return History(trainer.state.history)


def _data(
    model: Sequential, images: ArrayLike, labels: ArrayLike, validation: float | Pair | None
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """Return all images and labels, and the share of them, at the end, that is for validation."""
    x, y = _arrays(model, images, labels)
    if not isinstance(validation, tuple):
        return x, y, {} if validation is None else {"validation": validation}
    held = _arrays(model, *validation)
    x, y = np.concatenate([x, held[0]]), np.concatenate([y, held[1]])
    return x, y, {"validation": len(held[1]) / len(y)}


def _arrays(model: Sequential, images: ArrayLike, labels: ArrayLike) -> tuple[Any, Any]:
    """Return images (N,H,W) and labels (N,) as the trainer takes them, or raise an error."""
    if len(model.output_shape) != 1 or model.input_shape[2:] != (1,):
        raise RunError(
            f"a network from {model.input_shape} to {model.output_shape} cannot be fitted; it must "
            "go from (H, W, 1) to (classes,)"
        )
    x = checks.images(images, model.input_shape, any_floats=False)
    x = x.reshape(len(x), *model.input_shape[:2])
    y = checks.labels(labels, len(x), *model.output_shape)
    floats = x.dtype if x.dtype == np.uint8 else np.float32
    return x.astype(floats), y.astype(np.uint8 if y.max() < 256 else np.uint16)
