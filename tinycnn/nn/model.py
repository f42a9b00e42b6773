"""A Sequential model is a list of layers: forward through them, and backward in reverse."""

import copy
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import tinycnn
from tinycnn.nn import checks, text
from tinycnn.nn.checks import Array, Shape
from tinycnn.nn.fusion import fuse
from tinycnn.nn.inference import Answers
from tinycnn.nn.layers import Layer, Softmax
from tinycnn.nn.repeats import Repeats
from tinycnn.nn.weights import Storable, named

BATCH = 32  # images predicted at a time: enough for all threads, and small enough for caches


class Sequential(Storable):
    """Layers in a row, with their parameters drawn from ``seed``; files are in ``weights.py``.

    ``input_shape`` (H,W,C) or (D,) leaves out N, the number of examples. With ``fused=False``
    every layer runs by itself, which is slower and gives the same. ``any_floats`` is for a
    network that learns from floats of another scale than 0 to 1; others warn of such floats.

    >>> from tinycnn.nn.layers import Dense, Flatten
    >>> model = Sequential([Flatten(), Dense(10)], input_shape=(28, 28, 1), seed=0)
    >>> model.predict(np.zeros((2, 28, 28), np.uint8))
    array([0, 0])
    """

    softmax = Softmax()  # of ``predict_proba``, when none is the last layer

    def __init__(
        self, layers: Sequence[Layer], input_shape: Shape, seed: int = 0, fused: bool = True
    ) -> None:
        checks.network(layers, input_shape)
        self.layers = tuple(layers)  # the stages are made of them, so none may be replaced
        self.input_shape = tuple(input_shape)
        self.stages = fuse(self.layers) if fused else self.layers
        self.any_floats, self.description = False, {}
        self.answers, self.repeats = Answers(), Repeats()
        rng, self.output_shape = np.random.default_rng(seed), self.input_shape
        for layer in self.layers:
            self.output_shape = layer.build(self.output_shape, rng)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the last layer's output for x (N, *input_shape)."""
        checks.batch(x, self.input_shape)
        if not training and len(x) <= BATCH:
            return self.answers.of(self.stages, x)
        if training and (step := self.repeats.forward(self.stages, x)):
            return step.forward(x)
        for stage in self.stages:
            x = stage.forward(x, training)
        return x

    def backward(self, dy: Array, input_gradient: bool = False) -> Any:
        """Assign the gradients of all layers; return dx if ``input_gradient``.

        The dx of the first layer is rarely needed, so it is computed only on request.
        """
        if not input_gradient and (step := self.repeats.backward(self.stages, dy)):
            return step.backward(dy)
        for stage in reversed(self.stages):
            dy = stage.backward(dy, input_gradient or stage is not self.stages[0])
        return dy if input_gradient else None

    def gradients(self) -> list[Array]:
        """Return the gradients of all parameters, as the last ``backward`` assigned them."""
        return [dz for layer in self.layers for dz in layer.grads.values()]

    def draw_from(self, rng: np.random.Generator) -> None:
        """Give the layers that draw at random in training another generator."""
        for layer in self.layers:
            layer.draw_from(rng)

    def prepare(self, images: ArrayLike) -> Array:
        """Return images as the network's input: floats (N, *input_shape), gray levels 0 to 1.

        Takes uint8 images, 0 to 255, or float images that are scaled already; a single channel
        may go without an axis, and so may a single image. ShapeError for other shapes and for
        numbers that are not finite; a warning for floats that are clearly of another scale.
        """
        given = checks.images(images, self.input_shape, self.any_floats)
        return checks.scaled(given, self.input_shape, self.dtype)

    def predict_proba(self, images: ArrayLike) -> Array:
        """Return the probabilities (N,K) of the classes; see ``prepare`` for ``images``."""
        given = checks.images(images, self.input_shape, self.any_floats)
        ends_in_softmax = isinstance(self.layers[-1], Softmax)
        stages, parts = [*self.stages, *[self.softmax] * (not ends_in_softmax)], []
        for start in range(0, max(1, len(given)), BATCH):
            x = checks.scaled(given[start : start + BATCH], self.input_shape, self.dtype)
            parts.append(self.answers.of(stages, x))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def predict(self, images: ArrayLike) -> Array:
        """Return the likeliest class (N,) of each image; see ``prepare`` for ``images``."""
        return np.asarray(self.predict_proba(images).argmax(axis=1))

    def fit(self, images: ArrayLike, labels: ArrayLike, **options: Any) -> Any:
        """Train on images (N,H,W) with labels (N,) and return the history; see ``tinycnn.fit``."""
        return tinycnn.fit(self, images, labels, **options)  # nn imports nothing above it

    def evaluate(self, images: ArrayLike, labels: ArrayLike) -> Any:
        """Return the ``Score`` on images with labels (N,): ``accuracy``, ``errors``, ``n``."""
        return tinycnn.measure(self, images, labels)

    def part(self, start: int, stop: int) -> "Sequential":
        """Return layers ``start`` to before ``stop`` as a network that shares their parameters.

        Its layers are copies with memories of their own, so the two networks do not interfere.
        """
        part, shapes = copy.copy(self), [self.input_shape]
        for layer in self.layers[:stop]:
            shapes.append(layer.shapes(shapes[-1])[0])
        part.input_shape, part.output_shape = shapes[start], shapes[-1]
        part.answers, part.repeats = Answers(), Repeats()
        part.layers = tuple(copy.copy(layer) for layer in self.layers[start:stop])
        part.stages = fuse(part.layers) if self.stages is not self.layers else part.layers
        return part

    def on(self, ops: ModuleType) -> "Sequential":
        """Return this network on the operations of another module, with the same parameters.

        ``model.on(reference)`` runs layer by layer on the readable expressions, uncompiled.
        """
        other = self.part(0, len(self.layers))
        other.stages, other.softmax = other.layers, Softmax()
        for layer in (*other.layers, other.softmax):
            layer.ops = ops
        return other

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the parameters: float32, or float64 where rounding should not matter."""
        for layer in self.layers:
            params: dict[str, Array] = vars(layer).get("params", {})  # not asked for them
            for z in params.values():
                return z.dtype
        return np.dtype(np.float32)

    def parameter_count(self) -> int:
        """Return how many numbers training adjusts."""
        return sum(z.size for layer in self.layers for z in layer.params.values())

    def arrays(self) -> dict[str, Array]:
        """Return the parameters and the state of all layers by name ("0.w"), not copies."""
        return named(layer.params | layer.state for layer in self.layers)

    summary, _repr_html_ = text.summary, text.html
