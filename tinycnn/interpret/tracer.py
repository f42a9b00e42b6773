"""A network taken apart: its layers one by one, and what each makes of an image.

A network that answers runs several layers as one and remembers nothing. Here every layer runs by
itself, and the layers remember what the way back needs. They are copies with a memory of their
own that share the parameters of the model: whoever looks inside disturbs nobody who is answering,
and sees what a training changes. The softmax at the end is no layer here: it follows the last.
"""

import copy
import math
from dataclasses import dataclass

import numpy as np

from tinycnn import kernels
from tinycnn.nn import BatchNorm, Dropout, Layer, Sequential, Softmax
from tinycnn.nn.fusion import fuse
from tinycnn.nn.layers import Shape, own, remembered


@dataclass(frozen=True, eq=False)
class Trace:
    """One image on its way through the layers; no array here has an axis for N."""

    x: np.ndarray
    """The input of the first layer."""

    outputs: tuple[np.ndarray, ...]
    """What came out of each layer; the last one gave the logits (K,)."""

    @property
    def logits(self) -> np.ndarray:
        """(K,): what the softmax turns into probabilities."""
        return self.outputs[-1] if self.outputs else self.x

    @property
    def p(self) -> np.ndarray:
        """(K,): the probabilities of the classes."""
        return kernels.softmax(self.logits[None])[0]

    def input_of(self, index: int) -> np.ndarray:
        """What went into layer ``index``."""
        return self.outputs[index - 1] if index else self.x


class Tracer:
    """The layers of ``model``, to be run one by one. Not for several threads at a time.

    >>> trace = Tracer(model).trace(model.prepare(images[:1]))
    >>> [y.shape for y in trace.outputs]
    """

    def __init__(self, model: Sequential) -> None:
        layers = model.layers
        if isinstance(own(layers[-1]), Softmax):
            layers = layers[:-1]
        self.layers = [_as_it_answers(layer) for layer in layers]
        self.input_shapes: list[Shape] = []
        shape = self.input_shape = model.input_shape
        for layer in self.layers:
            self.input_shapes.append(shape)
            shape = layer.shapes(shape)[0]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H,W,C): the input as an image; a row becomes a square if it can, else one line."""
        if len(self.input_shape) == 3:
            return self.input_shape[0], self.input_shape[1], self.input_shape[2]
        (D,) = self.input_shape
        side = math.isqrt(D)
        return (side, side, 1) if side * side == D else (1, D, 1)

    def trace(self, x: np.ndarray, training: bool = False) -> Trace:
        """Follow one image x (1, *input_shape); with ``training``, ``backward`` may come next."""
        outputs = []
        y = x
        for layer in self.layers:
            y = layer.forward(y, training)
            outputs.append(y[0])
        return Trace(x[0], tuple(outputs))

    def logits(self, x: np.ndarray) -> np.ndarray:
        """The logits (N,K) of many images x (N, *input_shape), as fast as they can be had."""
        return self.run(x, 0, len(self.layers))

    def run(self, x: np.ndarray, start: int, stop: int) -> np.ndarray:
        """What the layers from ``start`` to before ``stop`` make of x (N,...)."""
        for stage in fuse(self.layers[start:stop]):
            x = stage.forward(x)
        return x

    def backward(self, dlogits: np.ndarray) -> list[np.ndarray]:
        """Gradients (...) of the input of each layer, given that of the logits (K,).

        Belongs to the last ``trace`` in training; the layers' ``grads`` are assigned too.
        """
        dy, gradients = dlogits[None], []
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
            gradients.append(dy[0])
        return gradients[::-1]

    def last_weights(self) -> int:
        """Number of the last layer that has parameters; what goes into it is what it judges by."""
        with_parameters = [index for index, layer in enumerate(self.layers) if layer.params]
        return with_parameters[-1] if with_parameters else 0


class FixedNorm(Layer):
    """BatchNorm as it answers: its running averages stand still, on the way back too.

        z[n,...,c] = (x[n,...,c] - mean[c]) / sqrt(variance[c] + epsilon)
        y[n,...,c] = w[c] * z[n,...,c] + b[c]

    With one image there is no batch to take averages of, and the answer that is looked into was
    not given with any.
    """

    _z: np.ndarray | None = None

    def __init__(self, norm: BatchNorm) -> None:
        super().__init__()
        self.params, self.state, self.epsilon = norm.params, norm.state, norm.EPSILON

    @property
    def deviation(self) -> np.ndarray:
        """(C,): what differences from the mean are divided by."""
        variance = self.state["variance"]
        return np.sqrt(variance + variance.dtype.type(self.epsilon))

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        z = (x - self.state["mean"]) / self.deviation
        self._z = z if training else None
        return self.params["w"] * z + self.params["b"]

    def backward_params(self, dy: np.ndarray) -> None:
        m = tuple(range(dy.ndim - 1))
        self.grads = {"w": (dy * remembered(self._z)).sum(axis=m), "b": dy.sum(axis=m)}

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        return dy * (self.params["w"] / self.deviation)

    def __repr__(self) -> str:
        return "BatchNorm()"


class Passing(Layer):
    """Dropout as it answers: everything passes, on the way back too."""

    def __init__(self, dropout: Dropout) -> None:
        super().__init__()
        self._name = repr(dropout)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        return x

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        return dy

    def __repr__(self) -> str:
        return self._name


@dataclass(frozen=True, eq=False)
class SoftmaxSteps:
    """How logits become calibrated probabilities, number by number; all (K,) but ``total``.

    p[k] = exp(scaled[k]) / sum_m exp(scaled[m]), with scaled = (logits - largest) / temperature
    """

    logits: np.ndarray
    scaled: np.ndarray
    exponentials: np.ndarray
    total: float
    p: np.ndarray


def softmax_steps(logits: np.ndarray, temperature: float = 1.0) -> SoftmaxSteps:
    """Take logits (K,) through a softmax with ``temperature``, step by step."""
    scaled = (logits - logits.max()) / temperature
    exponentials = np.exp(scaled)
    total = float(exponentials.sum())
    return SoftmaxSteps(logits, scaled, exponentials, total, exponentials / total)


def log_odds(logits: np.ndarray, label: int) -> np.ndarray:
    """How far class ``label`` is ahead of all others together, (N,) of logits (N,K).

        log_odds[n] = log(p[n,label] / (1 - p[n,label]))
                    = logits[n,label] - log sum_{k != label} exp(logits[n,k])

    A probability near 1 hardly moves any more; its log-odds do.
    """
    others = np.delete(logits, label, axis=1).astype(np.float64)
    largest = others.max(axis=1, keepdims=True)
    rest = largest[:, 0] + np.log(np.exp(others - largest).sum(axis=1))
    return logits[:, label] - rest


def _as_it_answers(layer: Layer) -> Layer:
    """A layer that shares the parameters of ``layer``, but not its memory."""
    match own(layer):
        case BatchNorm() as norm:
            return FixedNorm(norm)
        case Dropout() as dropout:
            return Passing(dropout)
    return copy.copy(layer)
