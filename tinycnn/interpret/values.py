"""Where a value comes from: the pixels that it depends on, and the sum that it is.

Any number that any layer puts out can be asked. Its receptive field is the part of the input
that can change it at all; its reason is the calculation of its own layer, with all numbers.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinycnn.interpret.tracer import Trace, Tracer
from tinycnn.nn import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    MaxPool2D,
    ReLU,
    Softmax,
)
from tinycnn.nn.checks import Shape
from tinycnn.nn.fusion import own

Place = tuple[int, ...]
"""Where a number stands: (i, j, f) in a map, (k,) in a row."""

Region = tuple[slice, ...]
"""A block of an array, a slice for each axis."""


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """What Conv2D and Dense do: y = b + sum(x * w); ``x`` and ``w`` have one shape."""

    x: np.ndarray
    w: np.ndarray
    b: float

    @property
    def products(self) -> np.ndarray:
        """What each input adds to the sum."""
        return self.x * self.w

    @property
    def y(self) -> float:
        """The sum."""
        return self.b + float(self.products.sum(dtype=np.float64))


class Winner(NamedTuple):
    """What MaxPool2D does: of ``window`` (size,size), the number at ``place`` goes on."""

    window: np.ndarray
    place: tuple[int, int]
    y: float


class Rectified(NamedTuple):
    """What ReLU does: y = max(x, 0)."""

    x: float
    y: float


class Normalized(NamedTuple):
    """What BatchNorm does when it answers: y = w * (x - mean) / deviation + b."""

    x: float
    mean: float
    deviation: float
    w: float
    b: float

    @property
    def y(self) -> float:
        """The number that comes out."""
        return self.w * (self.x - self.mean) / self.deviation + self.b


class Moved(NamedTuple):
    """What Flatten and Dropout do when they answer: the number at ``place`` is passed on."""

    place: Place
    y: float


class Share(NamedTuple):
    """What Softmax does: y = exp(logits[k]) / sum_m exp(logits[m])."""

    logits: np.ndarray
    k: int
    y: float


Reason = WeightedSum | Winner | Rectified | Normalized | Moved | Share


def reason(tracer: Tracer, trace: Trace, index: int, place: Place) -> Reason:
    """Why the output of layer ``index`` has at ``place`` the number that it has."""
    layer, x, y = tracer.layers[index], trace.input_of(index), trace.outputs[index]
    value = float(y[place])
    match own(layer):
        case Conv2D() | Dense():
            window = x[_sees(layer, _at(place), x.shape)]
            w = layer.params["w"]
            w = w[place[-1]] if isinstance(layer, Conv2D) else w[:, place[0]]
            return WeightedSum(window, w, float(layer.params["b"][place[-1]]))
        case MaxPool2D() as pool:
            window = x[_sees(layer, _at(place), x.shape)][..., 0]
            row, column = divmod(int(window.argmax()), pool.size)
            return Winner(window, (row, column), value)
        case ReLU():
            return Rectified(float(x[place]), value)
        case BatchNorm() as norm:
            c = place[-1]
            numbers = (norm.state["mean"], norm.deviation(), norm.params["w"], norm.params["b"])
            return Normalized(float(x[place]), *(float(z[c]) for z in numbers))
        case Flatten():
            return Moved(tuple(map(int, np.unravel_index(place[0], x.shape))), value)
        case Dropout():
            return Moved(place, value)
        case Softmax():
            return Share(x, place[0], value)
    raise TypeError(f"{layer} is no layer that can be looked into")


def receptive_field(tracer: Tracer, index: int, place: Place) -> Region:
    """The part of the input that the output of layer ``index`` at ``place`` depends on.

    A block: (rows, columns, channels) of an image, and of a row one slice. Nothing outside of it
    can change that number.
    """
    region = _at(place)
    for k in range(index, -1, -1):
        region = _sees(tracer.layers[k], region, tracer.input_shapes[k])
    return region


def _at(place: Place) -> Region:
    return tuple(slice(i, i + 1) for i in place)


def _sees(layer: Layer, region: Region, input_shape: Shape) -> Region:
    """The block of its input that ``layer`` needs to make a block of its output.

    Of a layer that is not known here, all of it.
    """
    match own(layer):
        case Conv2D() as conv:
            rows, columns, _ = region
            reach = conv.kernel_size - 1
            grown = (slice(z.start, z.stop + reach) for z in (rows, columns))
            return (*grown, slice(0, input_shape[2]))
        case MaxPool2D() as pool:
            rows, columns, channels = region
            grown = (slice(z.start * pool.size, z.stop * pool.size) for z in (rows, columns))
            return (*grown, channels)
        case ReLU() | BatchNorm() | Dropout():
            return region
        case Flatten() if region[0].stop - region[0].start == 1 < math.prod(input_shape):
            return _at(tuple(map(int, np.unravel_index(region[0].start, input_shape))))
    return tuple(slice(0, size) for size in input_shape)
