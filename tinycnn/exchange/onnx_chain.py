"""A row of layers that is built up while the nodes of an ONNX graph are read.

Images have their channels first there, and Flatten makes rows in another order of them. So a chain
knows how our axes (H,W,C) stand there at the moment, or where our numbers stand in a row, until
a matrix follows: its rows are put into our order.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from tinycnn.exchange.layout import Turned
from tinycnn.exchange.reading import refuse
from tinycnn.nn import Flatten, Layer
from tinycnn.nn.layers import Shape

CHANNELS_LAST, CHANNELS_FIRST = (0, 1, 2), (2, 0, 1)
"""How the axes (H,W,C) may stand."""


@dataclass
class Chain:
    """Layers and their arrays, named and laid out as here, so far."""

    layers: list[Layer] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    epsilons: dict[int, float] = field(default_factory=dict)
    """By the number of a BatchNorm layer."""

    input_shape: Shape = ()
    shape: Shape = ()
    """Of what comes out so far, as it is here."""

    axes: tuple[int, ...] = ()
    order: np.ndarray | None = None
    """The number here of every number of a row there; None where they are the same."""

    prepares: bool = False
    """Whether gray levels are multiplied by 1/255 before the first layer."""

    temperature: float | None = None
    """What the logits are divided by before a last Softmax, which is then no layer."""

    ended: bool = False
    """Whether that Softmax has been read."""

    def start(self, sizes: Shape) -> None:
        """Say what sizes the input has there: (C,H,W), (H,W), (H,W,1) or (D,)."""
        if len(sizes) not in (1, 2, 3) or not all(type(z) is int and z > 0 for z in sizes):
            refuse(f"an input with the sizes {sizes}")
        self.axes = (0,) if len(sizes) == 1 else CHANNELS_LAST
        if len(sizes) == 2:
            sizes = (*sizes, 1)
        elif len(sizes) == 3 and sizes[2] > 1:
            self.axes, sizes = CHANNELS_FIRST, (*sizes[1:], sizes[0])
        self.input_shape = self.shape = sizes

    def add(self, layer: Layer, **arrays: np.ndarray) -> None:
        """Put ``layer`` at the end, with its arrays as they are here; ShapeError if it misfits."""
        if self.temperature is not None:
            refuse("what stands behind a temperature and is no last Softmax")
        self.shape, _ = layer.shapes(self.shape)
        for key, z in arrays.items():
            self.arrays[f"{len(self.layers)}.{key}"] = z
        self.layers.append(layer)

    def flatten(self) -> None:
        """Write what comes out in a row."""
        if len(self.shape) > 1:
            numbers = np.arange(math.prod(self.shape))
            order = numbers.reshape(self.shape).transpose(self.axes).ravel()
            self.order = None if np.array_equal(order, numbers) else order
            self.axes = (0,)
        self.add(Flatten())

    def in_our_order(self, z: np.ndarray) -> np.ndarray:
        """Return z (D, ...) with its rows as they are here."""
        return Turned("", "", tuple(range(z.ndim)), self.order).enter(z)

    def refuse_unless_whole(self) -> None:
        """Refuse a row of layers that gives something else than it seems to."""
        if self.temperature is not None and not self.ended:
            refuse("a division at the end")
        if self.order is not None or self.axes not in ((0,), CHANNELS_FIRST):
            refuse("an output in another order than (N,C,H,W) or (N,K)")
