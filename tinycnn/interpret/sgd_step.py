"""One step of SGD on one image: given its true label, gradients flow back and weights move.

It happens to a copy of the network, and every step can be taken back, bit for bit.
"""

import copy
from collections import deque
from dataclasses import dataclass

import numpy as np

from tinycnn.interpret.tracer import Trace, Tracer
from tinycnn.nn import SGD, Sequential, SoftmaxCrossEntropy
from tinycnn.nn.fit import train_step

MOST_STEPS = 200  # that can be taken back


@dataclass(frozen=True, eq=False)
class BackwardPass:
    """The gradients of the loss, from the last layer to the first; no array has an axis for N."""

    trace: Trace  # the forward pass that it belongs to
    p: np.ndarray  # (K,): the probabilities
    loss: float  # -log p[label]
    dlogits: np.ndarray  # (K,): p - truth, where the backward pass starts
    doutputs: tuple[np.ndarray, ...]
    """Gradient of each layer's output, shaped like it; the last one is ``dlogits``."""

    dparams: tuple[dict[str, np.ndarray], ...]  # gradients of each layer's parameters
    dx: np.ndarray  # gradient of the input: how each pixel changes the loss


class SGDStepper:
    """Trains a copy of ``model`` on one image x (1, *input_shape) of class ``label``.

    >>> stepper = SGDStepper(model, x, label=7)
    >>> stepper.backward_pass().dlogits
    >>> stepper.step(lr=0.01)
    >>> stepper.undo()
    """

    def __init__(self, model: Sequential, x: np.ndarray, label: int) -> None:
        self.tracer = Tracer(copy.deepcopy(model))
        self.x, self.label = x, label
        self._past: deque[list[np.ndarray]] = deque(maxlen=MOST_STEPS)

    def backward_pass(self) -> BackwardPass:
        """Run forward and backward with the weights as they are now."""
        trace = self.tracer.trace(self.x, training=True)
        loss = SoftmaxCrossEntropy()
        value = loss.forward(trace.logits[None], np.array([self.label]))
        dlogits = loss.backward()[0]
        dx, *doutputs = [*self.tracer.backward(dlogits), dlogits]
        dparams = tuple(dict(layer.grads) for layer in self.tracer.layers)
        return BackwardPass(trace, loss.p[0], value, dlogits, tuple(doutputs), dparams, dx)

    @property
    def steps(self) -> int:
        """How many steps can be taken back."""
        return len(self._past)

    def p(self) -> np.ndarray:
        """Return the probabilities (K,) with the weights as they are now."""
        return self.tracer.trace(self.x).p

    def step(self, lr: float) -> np.ndarray:
        """Take one step of plain SGD downhill, and return the new probabilities (K,)."""
        self._past.append([z.copy() for z in self._parameters()])
        model, label = self.tracer.model, np.array([self.label])
        train_step(model, SoftmaxCrossEntropy(), SGD(model, lr, momentum=0.0), self.x, label)
        return self.p()

    def undo(self) -> bool:
        """Take the last step back, bit for bit; False if there is none."""
        if not self._past:
            return False
        for z, before in zip(self._parameters(), self._past.pop(), strict=True):
            z[...] = before
        return True

    def _parameters(self) -> list[np.ndarray]:
        return [z for layer in self.tracer.layers for z in layer.params.values()]
