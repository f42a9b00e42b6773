"""One step of SGD on one image: given its true label, gradients flow back and weights move."""

import copy
from dataclasses import dataclass

import numpy as np

from tinycnn.interpret.tracer import Trace, Tracer
from tinycnn.nn import SGD, Sequential, SoftmaxCrossEntropy
from tinycnn.nn.fit import train_step


@dataclass(frozen=True, eq=False)
class BackwardPass:
    """The gradients of the loss, from the last layer to the first; no array has an axis for N."""

    trace: Trace  # the forward pass that it belongs to
    p: np.ndarray  # (K,): the probabilities
    loss: float  # -log p[label]
    dlogits: np.ndarray  # (K,): p - truth, where the backward pass starts
    doutputs: tuple[np.ndarray, ...]
    """Gradient of each layer's output, shaped like it; the last one is ``dlogits``."""


def backward_pass(model: Sequential, x: np.ndarray, label: int) -> BackwardPass:
    """Run forward and backward for one image x (1, *input_shape) of class ``label``."""
    tracer, loss = Tracer(model), SoftmaxCrossEntropy()
    trace = tracer.trace(x, training=True)
    value = loss.forward(trace.logits[None], np.array([label]))
    dlogits = loss.backward()[0]
    _, *doutputs = [*tracer.backward(dlogits), dlogits]
    return BackwardPass(trace, loss.p[0], value, dlogits, tuple(doutputs))


def after_step(model: Sequential, x: np.ndarray, label: int, lr: float) -> np.ndarray:
    """Return the probabilities (K,) after one step of plain SGD, which a copy of ``model`` takes.

    x (1, *input_shape) is an image of class ``label``, and ``lr`` the learning rate.
    """
    tracer = Tracer(copy.deepcopy(model))
    optimizer = SGD(tracer.model, lr, momentum=0.0)
    train_step(tracer.model, SoftmaxCrossEntropy(), optimizer, x, np.array([label]))
    return tracer.trace(x).p
