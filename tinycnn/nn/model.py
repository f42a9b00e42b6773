"""A Sequential model is a list of layers: forward through them, and backward in reverse."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn import kernels
from tinycnn.errors import ShapeError, WeightsError
from tinycnn.nn import weights
from tinycnn.nn.fusion import ConvReLUPool, fuse
from tinycnn.nn.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Shape, Softmax
from tinycnn.nn.regularizers import BatchNorm, Dropout

LAYERS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (Conv2D, BatchNorm, Dropout, MaxPool2D, ReLU, Flatten, Dense, Softmax)
}
"""Layers that a weights file may name."""

GRAY = np.float32(1 / 255)
"""What a gray level of an image, 0 to 255, is multiplied by."""

OVERSHOOT = 0.25
"""How far floats may lie outside of 0 to 1: resampling and a little noise leave them there."""

BATCH = 128
"""Images predicted at a time: large enough for all threads, small enough for the caches."""


class Sequential:
    """Layers in a row, with their parameters drawn from ``seed``.

    ``input_shape`` (H,W,C) or (D,) leaves out N, the number of examples. With ``fused=False``
    every layer runs by itself, which is slower and gives the same.

    ``any_floats`` is for a network that learns from floats of another scale than 0 to 1; others
    warn when they are given such.

    >>> model = Sequential([Flatten(), Dense(10)], input_shape=(28, 28, 1), seed=0)
    >>> model.predict(np.zeros((2, 28, 28), np.uint8))
    array([0, 0])
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        input_shape: Shape,
        seed: int | np.random.Generator = 0,
        fused: bool = True,
    ) -> None:
        _refuse_the_impossible(layers, input_shape)
        self.layers = list(layers)
        self.input_shape = tuple(input_shape)
        self.stages = fuse(self.layers) if fused else self.layers
        self.any_floats = False
        self.description = {}
        rng = np.random.default_rng(seed)
        shape = self.input_shape
        for layer in self.layers:
            shape = layer.build(shape, rng)
        self.output_shape = shape

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Return the last layer's output for x (N, *input_shape)."""
        if x.shape[1:] != self.input_shape:
            raise ShapeError(f"x has shape {x.shape}, expected {self._batch_shape()}")
        for stage in self.stages:
            x = stage.forward(x, training)
        return x

    def draw_from(self, rng: np.random.Generator) -> None:
        """Give the layers that draw at random in training another generator."""
        for layer in self.layers:
            layer.draw_from(rng)

    def backward(self, dy: np.ndarray, input_gradient: bool = False) -> np.ndarray | None:
        """Assign the gradients of all layers; return dx if ``input_gradient``.

        Nothing stands before the first layer, so usually nobody needs its dx.
        """
        first, *others = self.stages
        for stage in reversed(others):
            dy = stage.backward(dy)
        first.backward_params(dy)
        return first.backward_input(dy) if input_gradient else None

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """Return the probabilities (N,K) of the classes; see ``prepare`` for ``images``."""
        return self._answers(self._checked(images))

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the likeliest class (N,) of each image."""
        return self._answers(self._checked(images)).argmax(axis=1)

    def prepare(self, images: np.ndarray) -> np.ndarray:
        """Return images as the network's input: float32 (N, *input_shape), gray levels 0 to 1.

        Takes uint8 images, 0 to 255, or float images that are scaled already; a single channel
        may go without an axis. Numbers that are not finite are refused, and floats that are
        clearly of another scale are not taken without a warning.
        """
        return self._scaled(self._checked(images))

    def _checked(self, images: np.ndarray) -> np.ndarray:
        """Refuse what is no batch of images, and warn of floats of another scale."""
        images = np.asarray(images)
        if self.input_shape not in (images.shape[1:], (*images.shape[1:], 1)):
            one = self.input_shape in (images.shape, (*images.shape, 1))
            raise ShapeError(
                f"images have shape {images.shape}, expected {self._batch_shape()}"
                + one * "; to a single image, add an axis: image[None]"
            )
        if images.dtype != np.uint8 and images.dtype.kind != "f":
            raise ShapeError(f"images are {images.dtype}, expected uint8, 0-255, or floats, 0-1")
        if images.dtype.kind == "f" and images.size and not self.any_floats:
            least, most = float(images.min()), float(images.max())
            of_scale = least >= -OVERSHOOT and most <= 1 + OVERSHOOT and not 0 < most <= GRAY
            if not of_scale and math.isfinite(most - least):
                warnings.warn(
                    f"images hold floats from {least:.3g} to {most:.3g}, but floats are expected "
                    "from 0, paper, to 1, full ink: scale them, or give uint8 from 0 to 255",
                    stacklevel=3,
                )
        return images

    def _scaled(self, images: np.ndarray) -> np.ndarray:
        if images.dtype == np.uint8:
            x = np.multiply(images, GRAY, dtype=np.float32)
        else:
            with np.errstate(over="ignore"):  # what is too large becomes infinite
                x = images.astype(np.float32)
            if not np.isfinite(x).all():
                raise ShapeError("images hold numbers that are not finite")
        return x.reshape(len(x), *self.input_shape)

    def _batch_shape(self) -> str:
        return f"(N, {str(self.input_shape)[1:]}"

    def _answers(self, images: np.ndarray) -> np.ndarray:
        parts = [
            self._probabilities(self._scaled(images[start : start + BATCH]))
            for start in range(0, len(images), BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, *self.output_shape), np.float32)

    def _probabilities(self, x: np.ndarray) -> np.ndarray:
        y = self.forward(x)
        return y if isinstance(self.layers[-1], Softmax) else kernels.softmax(y)

    def parameter_count(self) -> int:
        """Return how many numbers training adjusts."""
        return sum(z.size for layer in self.layers for z in layer.params.values())

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all that the model is made of, parameters and state, by name; not copies.

        "0.w" is the w of the first layer.
        """
        return dict(_named(layer.params | layer.state for layer in self.layers))

    def summary(self) -> str:
        """Return a table of layers, output shapes and parameter counts; | marks fused ones."""
        rows, shape = [("", "layer", "output", "parameters")], self.input_shape
        fused = {id(s.conv): s for s in self.stages if isinstance(s, ConvReLUPool)}
        mark = 0
        for layer in self.layers:
            shape, shapes = layer.shapes(shape)
            mark = 3 if id(layer) in fused else max(0, mark - 1)
            count = sum(math.prod(size) for size in shapes.values())
            output = " x ".join(map(str, shape))
            rows.append(("|" if mark else "", repr(layer), output, f"{count:,}"))
        rows.append(("", "total", "", f"{self.parameter_count():,}"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join(
            f"{a:{widths[0]}} {b:{widths[1]}}  {c:{widths[2]}}  {d:>10}" for a, b, c, d in rows
        )

    @property
    def description(self) -> dict[str, Any]:
        """What a weights file says of its network besides the architecture, ready for JSON."""
        return self._description

    @description.setter
    def description(self, description: dict[str, Any]) -> None:
        self._description = description
        self._described = weights.digest(self.arrays()) if description else None

    def save(self, path: str | Path, **description: Any) -> None:
        """Write the parameters, the architecture and a ``description`` (JSON) to ``path``.

        What the model's own description says of numbers that have changed since is left out.
        """
        for name, kind in {type(layer).__name__: type(layer) for layer in self.layers}.items():
            if LAYERS.get(name, kind) is not kind:
                raise WeightsError(
                    f"{path} is not written: its {name} would be read as another layer of that "
                    "name; give your class a name of its own"
                )
        mine = self.description
        if self._described not in (None, weights.digest(self.arrays())):
            mine = {key: z for key, z in mine.items() if key not in weights.OF_THESE_NUMBERS}
        architecture = {
            "input_shape": self.input_shape,
            "layers": [{"layer": type(x).__name__, **x.config()} for x in self.layers],
            "preparation": "grey levels / 255",
        }
        weights.write_weights(path, self.arrays(), {**mine, **description, **architecture})

    @classmethod
    def load(cls, path: str | Path, fused: bool = True) -> "Sequential":
        """Return the model that ``path`` holds, or raise WeightsError and change nothing."""
        description = weights.read_description(path)
        layers, input_shape = _described_layers(path, description)
        read = partial(weights.read_arrays, path)
        return cls._read(path, layers, input_shape, read, description, fused)

    @classmethod
    def of_arrays(
        cls,
        path: str | Path,
        layers: Sequence[Layer],
        input_shape: Shape,
        arrays: dict[str, np.ndarray],
        description: dict[str, Any],
    ) -> "Sequential":
        """Return the model of these layers with ``arrays``, all of which came from ``path``.

        Raises WeightsError if they do not belong together, before memory is asked for.
        """
        read = partial(weights.fitting_arrays, path, arrays)
        return cls._read(path, layers, input_shape, read, description)

    @classmethod
    def _read(
        cls,
        path: str | Path,
        layers: Sequence[Layer],
        input_shape: Shape,
        read: Callable[[weights.Shapes], dict[str, np.ndarray]],
        description: dict[str, Any],
        fused: bool = True,
    ) -> "Sequential":
        try:
            _refuse_the_impossible(layers, input_shape)
            shapes, shape, largest = [], input_shape, math.prod(input_shape)
            for layer in layers:
                state = layer.state_shapes(shape)
                shape, parameters = layer.shapes(shape)
                shapes.append(parameters | state)
                largest = max(largest, math.prod(shape))
        except ShapeError as error:
            raise WeightsError(f"{path} describes an impossible network: {error}") from error
        arrays = read(dict(_named(shapes)))
        if largest > weights.MAX_BYTES:
            raise WeightsError(f"{path} describes an impossible network: {largest:,} numbers")
        model = cls(layers, input_shape, fused=fused)
        for name, z in model.arrays().items():
            z[...] = arrays[name]
        model.description = description
        return model


def _refuse_the_impossible(layers: Sequence[Layer], input_shape: Shape) -> None:
    if len({id(layer) for layer in layers}) < max(1, len(layers)):
        raise ShapeError("a network is a list of layers, none of them twice")
    if not all(type(size) is int and size > 0 for size in input_shape):
        raise ShapeError(f"input_shape must be whole numbers of at least 1, not {input_shape}")


def _named(dicts) -> Iterator[tuple[str, Any]]:
    """Yield the values of each layer's dict under the names "0.w", "0.b", "3.w", ..."""
    for index, values in enumerate(dicts):
        for key, value in values.items():
            yield f"{index}.{key}", value


def _described_layers(path: str | Path, description: dict) -> tuple[list[Layer], Shape]:
    """Return the layers, not yet built, and the input shape that a file describes."""
    try:
        layers: list[Layer] = []
        for entry in description["layers"]:
            arguments = dict(entry)
            layers.append(LAYERS[arguments.pop("layer")](**arguments))
        return layers, tuple(description["input_shape"])
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: its description is no network ({error})") from error
