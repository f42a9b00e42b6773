"""Where a value comes from: the pixels that it depends on, and the sum that gives it.

For any output of any layer, the receptive field is the part of the input that can change it, and
the weighted sum holds all the numbers that it is computed from.
"""

import copy
import math
from dataclasses import dataclass

import numpy as np

from tinycnn import nn
from tinycnn.interpret.tracer import Trace, Tracer
from tinycnn.nn.checks import Shape
from tinycnn.nn.fusion import own

Place = tuple[int, ...]
"""The index of a number: (i, j, f) in a map, (k,) in a row."""

Region = tuple[slice, ...]
"""A block of an array, a slice for each axis."""


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """The sum y = b + sum(x * w); ``x`` and ``w`` have the same shape."""

    x: np.ndarray
    w: np.ndarray
    b: float

    @property
    def products(self) -> np.ndarray:
        return np.asarray(self.x * self.w)

    @property
    def y(self) -> float:
        return self.b + float(self.products.sum(dtype=np.float64))


def weighted_sum(tracer: Tracer, trace: Trace, index: int, place: Place) -> WeightedSum:
    """Return the sum that gives the output of layer ``index`` at ``place``.

    Of a convolution or a dense layer that is its formula. Any other layer is, near x, a sum over
    its whole input: its gradient times x, and a rest.
    """
    layer, x = tracer.layers[index], trace.input_of(index)
    if isinstance(own(layer), nn.Conv2D | nn.Dense):
        w, b = (layer.params[key] for key in "wb")
        w = w[place[-1]] if isinstance(layer, nn.Conv2D) else w[:, place[0]]
        return WeightedSum(x[inputs_of(layer, block(place), x.shape)], w, float(b[place[-1]]))
    layer = copy.copy(layer)  # the memory of the other stays
    dy = np.zeros_like(layer.forward(x[None], training=True))
    dy[(0, *place)] = 1
    w = layer.backward(dy)[0]
    rest = float(trace.outputs[index][place]) - float((x * w).sum(dtype=np.float64))
    return WeightedSum(x, w, rest)


def receptive_field(tracer: Tracer, index: int, place: Place) -> Region:
    """Return the part of the input that the output of layer ``index`` at ``place`` depends on.

    It is a block: (rows, columns, channels) of an image, one slice of a row. No number outside
    of it can change that output.
    """
    region = block(place)
    for k in range(index, -1, -1):
        region = inputs_of(tracer.layers[k], region, tracer.shapes[k])
    return region


def block(place: Place) -> Region:
    """Return the region that holds one number."""
    return tuple(slice(i, i + 1) for i in place)


def inputs_of(layer: nn.Layer, region: Region, input_shape: Shape) -> Region:
    """Return the block of its input from which ``layer`` computes a block of its output.

    For a layer that is not known here, that is the whole input.
    """
    match own(layer):
        case nn.Conv2D() as conv:
            rows, columns, _ = region
            reach = conv.kernel_size - 1
            grown = (slice(z.start, z.stop + reach) for z in (rows, columns))
            return (*grown, slice(0, input_shape[2]))
        case nn.MaxPool2D() | nn.AveragePool2D() as pool:
            rows, columns, channels = region
            grown = (slice(z.start * pool.size, z.stop * pool.size) for z in (rows, columns))
            return (*grown, channels)
        case nn.GlobalAveragePool2D():
            return (slice(0, input_shape[0]), slice(0, input_shape[1]), *region)
        case nn.ReLU() | nn.LeakyReLU() | nn.Sigmoid() | nn.Tanh() | nn.BatchNorm() | nn.Dropout():
            return region
        case nn.ZeroPad2D() as frame:
            sizes = zip(region[:2], input_shape, strict=False)
            starts = ((z.start - frame.before, z.stop - frame.before, n) for z, n in sizes)
            inside = (slice(max(min(a, n - 1), 0), max(min(b, n), 1)) for a, b, n in starts)
            return (*inside, region[2])
        case nn.Flatten() if region[0].stop - region[0].start == 1 < math.prod(input_shape):
            return block(tuple(map(int, np.unravel_index(region[0].start, input_shape))))
    return tuple(slice(0, size) for size in input_shape)
