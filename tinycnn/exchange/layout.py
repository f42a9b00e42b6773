"""How other programs name and lay out the arrays of a network; above all PyTorch and ONNX.

An image is (H,W,C) here and (C,H,W) in those programs. For filters it is enough to transpose axes.
But Flatten writes the same numbers in another order, so the inputs of the layers after it are
permuted, up to and including the first Dense; its outputs have the same order in both programs.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn import nn
from tinycnn.errors import ShapeError
from tinycnn.nn.checks import Shape
from tinycnn.nn.weights import LAYERS

TRANSLATED = {*LAYERS.values()}
"""The layers that other programs have too: all of the library's."""

_NAMES = {"w": "weight", "b": "bias", "mean": "running_mean", "variance": "running_var"}
_AXES = {1: (0,), 2: (1, 0), 4: (0, 3, 1, 2)}
"""PyTorch's names of our arrays, and for each rank how their axes are transposed for it:
(D,K) -> (K,D) and (F,KH,KW,C) -> (F,C,KH,KW)."""


@dataclass(frozen=True)
class ArrayMap:
    """How the array ``name`` of a model ("0.w") is stored under the ``external`` name.

    Its rows are permuted by ``order`` (for every row of the other program, the row here) unless
    that is None, then its axes are transposed by ``axes``.
    """

    external: str
    name: str
    axes: tuple[int, ...]
    order: np.ndarray | None = None

    def to_external(self, z: np.ndarray) -> np.ndarray:
        """Return the array as the other program stores it."""
        rows = z if self.order is None else z[self.order]
        return np.ascontiguousarray(rows.transpose(self.axes))

    def from_external(self, z: np.ndarray) -> np.ndarray:
        """Return the array as it is here, given the other program's; undo ``to_external``."""
        rows = z.transpose(np.argsort(self.axes))
        return np.ascontiguousarray(rows if self.order is None else rows[np.argsort(self.order)])


@dataclass(frozen=True)
class PlacedLayer:
    """A layer in its network: its index, its input shape (without N) and its arrays."""

    index: int
    layer: nn.Layer
    input_shape: Shape
    shapes: dict[str, Shape]
    arrays: tuple[ArrayMap, ...]


def channels_first(layers: Sequence[nn.Layer], input_shape: Shape) -> Iterator[PlacedLayer]:
    """Yield the layers with PyTorch's names for their arrays: "0.weight", "3.running_mean".

    Raises ShapeError for a layer that is not one of the library's own, and for numbers that would
    leave the other program in another order.
    """
    refuse_own_layers(layers)
    order = None
    for index, (layer, shape, shapes) in enumerate(with_shapes(layers, input_shape)):
        if isinstance(layer, nn.Flatten) and len(shape) > 1:
            order = flattened_order(shape, (-1, *range(len(shape) - 1)))
        arrays = []
        for key, sizes in shapes.items():
            rows = None if isinstance(layer, nn.Dense) and key == "b" else order
            external = f"{index}.{_NAMES[key]}"
            arrays.append(ArrayMap(external, f"{index}.{key}", _AXES[len(sizes)], rows))
        yield PlacedLayer(index, layer, shape, shapes, tuple(arrays))
        order = None if isinstance(layer, nn.Dense) else order
    if order is not None and (np.diff(order) != 1).any():
        raise ShapeError("flattened channels cannot be exported without a Dense layer after them")


def with_shapes(
    layers: Iterable[nn.Layer], input_shape: Shape
) -> Iterator[tuple[nn.Layer, Shape, dict[str, Shape]]]:
    """Yield each layer with its input shape and the shapes of its arrays by key: "w", "b", ..."""
    shape = input_shape
    for layer in layers:
        output_shape, parameters = layer.shapes(shape)
        yield layer, shape, parameters | layer.state_shapes(shape)
        shape = output_shape


def refuse_own_layers(layers: Iterable[nn.Layer]) -> None:
    """Raise ShapeError for a user's own layer, even if its class is derived from one of ours."""
    for layer in layers:
        if type(layer) not in TRANSLATED:
            raise ShapeError(f"{layer} cannot be exported: other programs do not have this layer")


def external_arrays(model: nn.Sequential, maps: Iterable[ArrayMap]) -> dict[str, np.ndarray]:
    """Return the arrays of ``model`` under their external names, as the other program has them."""
    arrays = model.arrays()
    return {z.external: z.to_external(arrays[z.name]) for z in maps}


def to_channels_first(shape: Shape) -> Shape:
    """(H,W,C) -> (C,H,W); (D,) stays as it is."""
    return (shape[-1], *shape[:-1])


def flattened_order(shape: Shape, axes: tuple[int, ...]) -> np.ndarray:
    """Return the index here of each number that Flatten writes if the axes are in another order."""
    return np.arange(math.prod(shape)).reshape(shape).transpose(axes).ravel()
