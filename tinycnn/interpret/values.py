"""Where a value comes from: the pixels that it depends on, and the formula that gives it.

For any output of any layer, the receptive field is the part of the input that can change it, and
the computation is the formula of that layer with all its numbers.
"""

import copy
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinycnn.interpret.tracer import Trace, Tracer
from tinycnn.nn import (
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    ZeroPad2D,
)
from tinycnn.nn.checks import Shape
from tinycnn.nn.fusion import own

Place = tuple[int, ...]
"""The index of a number: (i, j, f) in a map, (k,) in a row."""

Region = tuple[slice, ...]
"""A block of an array, a slice for each axis."""


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """Conv2D, Dense and others: y = b + sum(x * w); ``x`` and ``w`` have the same shape."""

    x: np.ndarray
    w: np.ndarray
    b: float

    @property
    def products(self) -> np.ndarray:
        """The contribution of each input to the sum."""
        products: np.ndarray = self.x * self.w
        return products

    @property
    def y(self) -> float:
        """The sum."""
        return self.b + float(self.products.sum(dtype=np.float64))


class Maximum(NamedTuple):
    """MaxPool2D: the largest number of ``window`` (size,size), which is at ``place``."""

    window: np.ndarray
    place: tuple[int, int]
    y: float


class Rectified(NamedTuple):
    """ReLU: y = max(x, 0)."""

    x: float
    y: float


class Normalized(NamedTuple):
    """BatchNorm outside of training: y = w * (x - mean) / deviation + b."""

    x: float
    mean: float
    deviation: float
    w: float
    b: float

    @property
    def y(self) -> float:
        """The output."""
        return self.w * (self.x - self.mean) / self.deviation + self.b


class Copied(NamedTuple):
    """Flatten and, outside of training, Dropout: the input at ``place`` is copied."""

    place: Place
    y: float


class Probability(NamedTuple):
    """Softmax: y = exp(logits[k]) / sum_m exp(logits[m])."""

    logits: np.ndarray
    k: int
    y: float


Computation = WeightedSum | Maximum | Rectified | Normalized | Copied | Probability


def computation(tracer: Tracer, trace: Trace, index: int, place: Place) -> Computation:
    """Return how the output of layer ``index`` at ``place`` is computed."""
    layer, x, y = tracer.layers[index], trace.input_of(index), trace.outputs[index]
    value = float(y[place])
    match own(layer):
        case Conv2D() | Dense():
            window = x[_inputs_of(layer, _block(place), x.shape)]
            w = layer.params["w"]
            w = w[place[-1]] if isinstance(layer, Conv2D) else w[:, place[0]]
            return WeightedSum(window, w, float(layer.params["b"][place[-1]]))
        case MaxPool2D() as pool:
            window = x[_inputs_of(layer, _block(place), x.shape)][..., 0]
            row, column = divmod(int(window.argmax()), pool.size)
            return Maximum(window, (row, column), value)
        case ReLU():
            return Rectified(float(x[place]), value)
        case BatchNorm() as norm:
            c = place[-1]
            numbers = (norm.state["mean"], norm.deviation(), norm.params["w"], norm.params["b"])
            return Normalized(float(x[place]), *(float(z[c]) for z in numbers))
        case Flatten():
            return Copied(tuple(map(int, np.unravel_index(place[0], x.shape))), value)
        case Dropout():
            return Copied(place, value)
        case Softmax():
            return Probability(x, place[0], value)
    return _tangent(layer, x, place, value)


def _tangent(layer: Layer, x: np.ndarray, place: Place, value: float) -> WeightedSum:
    """The sum that any other layer is at x, over its whole input: its gradient times x, and a rest.

    It is exact for layers that add, as averages and frames of zeros do.
    """
    layer = copy.copy(layer)  # the memory of the other stays
    dy = np.zeros_like(layer.forward(x[None], training=True))
    dy[(0, *place)] = 1
    w = layer.backward(dy)[0]
    return WeightedSum(x, w, value - float((x * w).sum(dtype=np.float64)))


def receptive_field(tracer: Tracer, index: int, place: Place) -> Region:
    """Return the part of the input that the output of layer ``index`` at ``place`` depends on.

    It is a block: (rows, columns, channels) of an image, one slice of a row. No number outside
    of it can change that output.
    """
    region = _block(place)
    for k in range(index, -1, -1):
        region = _inputs_of(tracer.layers[k], region, tracer.input_shapes[k])
    return region


def _block(place: Place) -> Region:
    return tuple(slice(i, i + 1) for i in place)


def _inputs_of(layer: Layer, region: Region, input_shape: Shape) -> Region:
    """Return the block of its input from which ``layer`` computes a block of its output.

    For a layer that is not known here, that is the whole input.
    """
    match own(layer):
        case Conv2D() as conv:
            rows, columns, _ = region
            reach = conv.kernel_size - 1
            grown = (slice(z.start, z.stop + reach) for z in (rows, columns))
            return (*grown, slice(0, input_shape[2]))
        case MaxPool2D() | AveragePool2D() as pool:
            rows, columns, channels = region
            grown = (slice(z.start * pool.size, z.stop * pool.size) for z in (rows, columns))
            return (*grown, channels)
        case ReLU() | BatchNorm() | Dropout() | Tanh() | Sigmoid() | LeakyReLU():
            return region
        case ZeroPad2D() as frame:
            sizes = zip(region[:2], input_shape, strict=False)
            ends = (np.clip((z.start, z.stop), frame.before, frame.before + n) for z, n in sizes)
            rows, columns = (slice(*map(int, z - frame.before)) for z in ends)
            return (rows, columns, region[2])
        case Flatten() if region[0].stop - region[0].start == 1 < math.prod(input_shape):
            return _block(tuple(map(int, np.unravel_index(region[0].start, input_shape))))
    return tuple(slice(0, size) for size in input_shape)
