"""How other programs lay out the arrays of a network.

An image is (H,W,C) here and in Keras, and (C,H,W) in PyTorch and ONNX. For filters it is enough to
transpose axes. But Flatten writes the same numbers in another order there, so the inputs of the
layers after it are permuted, up to the first Dense, whose outputs have the same order everywhere.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tinycnn import nn
from tinycnn.errors import ShapeError
from tinycnn.nn.checks import Shape
from tinycnn.nn.weights import OURS

Arrays = dict[str, np.ndarray]
Axes = dict[int, tuple[int, ...]]

PYTORCH: Axes = {1: (0,), 2: (1, 0), 4: (0, 3, 1, 2)}
KERAS: Axes = {1: (0,), 2: (0, 1), 4: (1, 2, 3, 0)}
"""For each rank how the axes of our arrays are transposed: (D,K) -> (K,D) for PyTorch, and
(F,KH,KW,C) -> (F,C,KH,KW) for PyTorch, (KH,KW,C,F) for Keras."""

NAMES = {"w": "weight", "b": "bias", "mean": "running_mean", "variance": "running_var"}
"""PyTorch's names of our arrays."""


@dataclass(frozen=True)
class Place:
    """Where the array ``name`` of a network ("0.w") is in another program.

    Its rows are permuted by ``order`` (for every row of the other program, the row here) unless
    that is None, then its axes are transposed by ``axes``.
    """

    name: str
    shape: Shape
    axes: tuple[int, ...]
    order: np.ndarray | None

    @property
    def in_pytorch(self) -> str:
        """Its name in a state_dict and in our ONNX files: "0.weight"."""
        index, key = self.name.split(".")
        return f"{index}.{NAMES[key]}"

    @property
    def shape_there(self) -> Shape:
        return tuple(self.shape[axis] for axis in self.axes)

    def to_external(self, z: np.ndarray) -> np.ndarray:
        """Return the array as the other program stores it."""
        rows = z if self.order is None else z[self.order]
        return np.ascontiguousarray(rows.transpose(self.axes))

    def from_external(self, z: np.ndarray) -> np.ndarray:
        """Undo ``to_external``; an array of another shape stays as it is, to be refused."""
        if z.shape != self.shape_there:
            return z
        rows = z.transpose(np.argsort(self.axes))
        return np.ascontiguousarray(rows if self.order is None else rows[np.argsort(self.order)])


def places(layers: Iterable[nn.Layer], input_shape: Shape, axes: Axes) -> Iterator[Place]:
    """Yield where each array is; ShapeError if numbers would leave it in another order."""
    order = None
    for index, (layer, shape) in enumerate(with_shapes(layers, input_shape)):
        if isinstance(layer, nn.Flatten) and len(shape) > 1 and axes is PYTORCH:
            order = np.moveaxis(np.arange(math.prod(shape)).reshape(shape), -1, 0).ravel()
        for key, sizes in (layer.shapes(shape)[1] | layer.state_shapes(shape)).items():
            rows = None if isinstance(layer, nn.Dense) and key == "b" else order
            yield Place(f"{index}.{key}", sizes, axes[len(sizes)], rows)
        order = None if isinstance(layer, nn.Dense) else order
    if order is not None and (np.diff(order) != 1).any():
        raise ShapeError("channels that are flattened need a Dense layer after them")


def in_pytorch(model: nn.Sequential) -> Arrays:
    """Return the arrays of ``model`` with PyTorch's names and axes.

    Raises ShapeError for a layer of your own, even if its class is derived from one of ours.
    """
    for layer in model.layers:
        if type(layer) not in OURS:
            raise ShapeError(f"{layer} cannot be exported: other programs do not have this layer")
    arrays, found = model.arrays(), places(model.layers, model.input_shape, PYTORCH)
    return {place.in_pytorch: place.to_external(arrays[place.name]) for place in found}


def with_shapes(layers: Iterable[nn.Layer], input_shape: Shape) -> Iterator[tuple[nn.Layer, Shape]]:
    """Yield each layer with its input shape, without N."""
    shape = input_shape
    for layer in layers:
        yield layer, shape
        shape, _ = layer.shapes(shape)


def to_channels_first(shape: Shape) -> Shape:
    """(H,W,C) -> (C,H,W); (D,) stays as it is."""
    return (shape[-1], *shape[:-1])
