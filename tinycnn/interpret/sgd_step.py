"""One lesson: the true label is told, the gradients flow back, and the weights move a little.

It is given to a copy of the network, and every step of it can be taken back, bit for bit.
"""

import copy
from collections import deque
from dataclasses import dataclass

import numpy as np

from tinycnn.interpret.tracer import Trace, Tracer
from tinycnn.nn import SGD, Sequential, SoftmaxCrossEntropy

MOST_STEPS = 200  # that can be taken back


@dataclass(frozen=True, eq=False)
class BackwardPass:
    """The gradients of the loss, from the end to the beginning; no array has an axis for N."""

    trace: Trace
    """The way forward that it belongs to."""

    p: np.ndarray
    """(K,): the probabilities."""

    loss: float
    """-log p[label]."""

    dlogits: np.ndarray
    """(K,): p - truth, where the way back starts."""

    doutputs: tuple[np.ndarray, ...]
    """Gradient of each layer's output, shaped like it; the last one is ``dlogits``."""

    dparams: tuple[dict[str, np.ndarray], ...]
    """Gradients of each layer's parameters."""

    dx: np.ndarray
    """Gradient of the input: which pixels are to blame."""


class Lesson:
    """A copy of ``model`` learns that x (1, *input_shape) shows class ``label``.

    >>> lesson = Lesson(model, x, label=7)
    >>> lesson.backward_pass().dlogits
    >>> lesson.step(lr=0.01)
    >>> lesson.undo()
    """

    def __init__(self, model: Sequential, x: np.ndarray, label: int) -> None:
        self.tracer = Tracer(copy.deepcopy(model))
        self.x, self.label = x, label
        self._past: deque[list[np.ndarray]] = deque(maxlen=MOST_STEPS)

    def backward_pass(self) -> BackwardPass:
        """Go forward and all the way back with the weights as they are now."""
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
        """(K,): the probabilities with the weights as they are now."""
        return self.tracer.trace(self.x).p

    def step(self, lr: float) -> np.ndarray:
        """Take one step of plain SGD downhill, and return the new probabilities (K,)."""
        self.backward_pass()
        self._past.append([z.copy() for z in self._parameters()])
        SGD(self.tracer.layers, lr, momentum=0.0).step()
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
