"""One training step, whole: prepare, forward, loss, backward, step; and the loop around it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tinycnn.nn import checks
from tinycnn.nn.checks import Array
from tinycnn.nn.losses import SoftmaxCrossEntropy
from tinycnn.nn.model import Sequential
from tinycnn.nn.optimizers import Optimizer


def train_step(
    model: Sequential,
    loss: SoftmaxCrossEntropy,
    optimizer: Optimizer,
    images: Array,
    labels: Array,
    count: int | None = None,
    all_reduce: Callable[[list[Array], float], float] | None = None,
) -> float:
    """Learn from one batch, images (N,H,W) or (N,H,W,C) and labels (N,); return its mean loss.

    With several processes, each gets a part of a batch of ``count``. Then ``all_reduce`` replaces
    the gradients, in place, by their sums over all processes, and returns the loss of the batch.
    """
    x = model.prepare(images)
    logits = model.forward(x, training=True)
    value = loss.forward(logits, labels)
    model.backward(loss.backward(count))
    if all_reduce:
        value = all_reduce(model.gradients(), value)
    optimizer.step()
    return value


def fit(
    model: Sequential,
    images: ArrayLike,
    labels: ArrayLike,
    optimizer: Optimizer,
    epochs: int = 1,
    batch_size: int = 32,
    seed: int = 0,
) -> list[float]:
    """Train for some epochs, each in a new order of the images; return each epoch's mean loss."""
    images = checks.images(images, model.input_shape, model.any_floats)
    labels = checks.labels(labels, len(images), *model.output_shape)
    loss, rng, history = SoftmaxCrossEntropy(), np.random.default_rng(seed), []
    for _ in range(epochs):
        order, total = rng.permutation(len(images)), 0.0
        for start in range(0, len(images), batch_size):
            batch = order[start : start + batch_size]
            total += len(batch) * train_step(model, loss, optimizer, images[batch], labels[batch])
        history.append(total / len(images))
    return history
