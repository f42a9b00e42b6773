"""A network taken apart: its layers one by one, and the output of each for an image.

In inference a network runs several layers as one and remembers nothing. Here every layer runs by
itself, and the layers remember what the backward pass needs. They are copies with a memory of
their own that share the parameters of the model: a tracer does not disturb the model, and sees
the changes of a training. A softmax at the end is no layer here: it follows the last.
"""

import math
from dataclasses import dataclass

from tinycnn import kernels
from tinycnn.nn import Sequential, Softmax
from tinycnn.nn.checks import Array, Shape
from tinycnn.nn.fusion import own


@dataclass(frozen=True, eq=False)
class Trace:
    """The output of every layer for one image; no array here has an axis for N."""

    x: Array  # the input of the first layer
    outputs: tuple[Array, ...]  # the output of each layer; that of the last one is the logits (K,)

    @property
    def logits(self) -> Array:
        """The input of the softmax (K,)."""
        return self.outputs[-1] if self.outputs else self.x

    @property
    def p(self) -> Array:
        """The probabilities of the classes (K,)."""
        p: Array = kernels.softmax(self.logits[None])[0]
        return p

    def input_of(self, index: int) -> Array:
        return self.outputs[index - 1] if index else self.x


class Tracer:
    """The layers of ``model``, to be run one by one. Not for several threads at a time.

    >>> trace = Tracer(model).trace(model.prepare(images[:1]))
    >>> [y.shape for y in trace.outputs]
    """

    def __init__(self, model: Sequential) -> None:
        ends_in_softmax = isinstance(own(model.layers[-1]), Softmax)
        self.model = model.part(0, len(model.layers) - ends_in_softmax)
        self.model.any_floats = True
        self.layers = self.model.layers
        for layer in self.layers:
            layer.inference = True  # gradients of the answer, not of a training step
        self.input_shape = model.input_shape
        self.shapes: list[Shape] = [self.input_shape]  # then that of the output of each layer
        for layer in self.layers:
            self.shapes.append(layer.shapes(self.shapes[-1])[0])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The input as an image (H,W,C); a row becomes a square if it can, else one line."""
        if len(self.input_shape) == 3:
            return self.input_shape[0], self.input_shape[1], self.input_shape[2]
        (D,) = self.input_shape
        side = math.isqrt(D)
        return (side, side, 1) if side * side == D else (1, D, 1)

    def trace(self, x: Array, training: bool = False) -> Trace:
        """Follow one image x (1, *input_shape); with ``training``, ``backward`` may come next."""
        outputs = []
        y = x
        for layer in self.layers:
            y = layer.forward(y, training)
            outputs.append(y[0])
        return Trace(x[0], tuple(outputs))

    def logits(self, x: Array) -> Array:
        """Return the logits (N,K) of many images x (N, *input_shape), by fused layers."""
        return self.model.forward(x)

    def run(self, x: Array, start: int, stop: int) -> Array:
        """Return the output of the layers from ``start`` to before ``stop`` for x (N,...)."""
        return self.model.part(start, stop).forward(x)

    def backward(self, dlogits: Array) -> list[Array]:
        """Return the gradients (...) of the inputs of all layers, given that of the logits (K,).

        Belongs to the last ``trace`` in training; the layers' ``grads`` are assigned too.
        """
        dy, gradients = dlogits[None], []
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
            gradients.append(dy[0])
        return gradients[::-1]

    def last_weights(self) -> int:
        """Return the number of the last layer that has parameters; it classifies its input."""
        with_parameters = [index for index, layer in enumerate(self.layers) if layer.params]
        return with_parameters[-1] if with_parameters else 0
