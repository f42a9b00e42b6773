"""Where the numbers of a network stand when channels come first, as in PyTorch and ONNX.

Here an image is (H,W,C), there it is (C,H,W). Filters only turn their axes. But Flatten writes the
same numbers in another order there, so whatever comes next, up to the first Dense, has its rows put
into that order, and the Dense swallows the difference.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn.errors import ShapeError
from tinycnn.nn import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    ReLU,
    Sequential,
    Softmax,
)
from tinycnn.nn.layers import Shape

TRANSLATED = {Conv2D, BatchNorm, Dropout, MaxPool2D, ReLU, Flatten, Dense, Softmax}
"""The layers that are known under other names elsewhere: all of the library's."""

_TURNS: dict[type[Layer], list[tuple[str, str, tuple[int, ...]]]] = {
    Conv2D: [("weight", "w", (0, 3, 1, 2)), ("bias", "b", (0,))],  # (F,KH,KW,C) -> (F,C,KH,KW)
    Dense: [("weight", "w", (1, 0)), ("bias", "b", (0,))],
    BatchNorm: [
        ("weight", "w", (0,)),
        ("bias", "b", (0,)),
        ("running_mean", "mean", (0,)),
        ("running_var", "variance", (0,)),
    ],
}
"""What arrays are called there and here, and how their axes are turned on the way there."""


@dataclass(frozen=True)
class Turned:
    """An array that is called ``there`` there and ``here`` here: "0.weight" and "0.w".

    ``order`` is the row here of every row there, or None where they are the same; ``axes`` is how
    the axes are turned afterwards.
    """

    there: str
    here: str
    axes: tuple[int, ...]
    order: np.ndarray | None = None

    def leave(self, z: np.ndarray) -> np.ndarray:
        """Return the array as it stands there, given what it is here."""
        rows = z if self.order is None else z[self.order]
        return np.ascontiguousarray(rows.transpose(self.axes))

    def enter(self, z: np.ndarray) -> np.ndarray:
        """Return the array as it stands here, given what it is there."""
        rows = z.transpose(np.argsort(self.axes))
        return np.ascontiguousarray(rows if self.order is None else rows[np.argsort(self.order)])


@dataclass(frozen=True)
class Place:
    """A layer where it stands: its number, the shape (without N) it gets, and its arrays.

    ``rearranges``: a Flatten with no Dense behind it that could swallow the other order; it has to
    write its numbers in the order that they have here.
    """

    index: int
    layer: Layer
    input_shape: Shape
    arrays: tuple[Turned, ...]
    rearranges: bool = False


def channels_first(layers: Sequence[Layer], input_shape: Shape) -> Iterator[Place]:
    """Yield the layers with PyTorch's names for their arrays: "0.weight", "3.running_mean".

    Raises ShapeError for a layer that is not one of the library's own.
    """
    refuse_strangers(layers)
    order, shape = None, input_shape
    for index, layer in enumerate(layers):
        rearranges = False
        if isinstance(layer, Flatten) and len(shape) > 1:
            rearranges = not any(isinstance(later, Dense) for later in layers[index:])
            order = None if rearranges else _order_when_flattened(shape)
        yield Place(index, layer, shape, tuple(_arrays(index, layer, order)), rearranges)
        order = None if isinstance(layer, Dense) else order
        shape, _ = layer.shapes(shape)


def refuse_strangers(layers: Iterable[Layer]) -> None:
    """Raise ShapeError for a layer that is not translated, as one of somebody's own."""
    for layer in layers:
        if type(layer) not in TRANSLATED:
            raise ShapeError(f"{layer} has no equal in other programs that is known here")


def left(model: Sequential, arrays: Iterable[Turned]) -> dict[str, np.ndarray]:
    """Return the arrays of ``model`` under their names there, as they stand there."""
    here = model.arrays()
    return {z.there: z.leave(here[z.here]) for z in arrays}


def first(shape: Shape) -> Shape:
    """The shape (C,H,W) there of what is (H,W,C) here; (D,) stays."""
    return (shape[-1], *shape[:-1])


def _order_when_flattened(shape: Shape) -> np.ndarray:
    """The number here of each number that Flatten writes there."""
    return np.moveaxis(np.arange(math.prod(shape)).reshape(shape), -1, 0).ravel()


def _arrays(index: int, layer: Layer, order: np.ndarray | None) -> Iterator[Turned]:
    for there, here, axes in _TURNS.get(type(layer), []):
        of_outputs = isinstance(layer, Dense) and here == "b"
        yield Turned(f"{index}.{there}", f"{index}.{here}", axes, None if of_outputs else order)
