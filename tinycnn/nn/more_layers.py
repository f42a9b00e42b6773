"""Layers that other people's networks have: padding, averages, and three more activations.

Each is short enough to be its own reference: ``forward`` and ``backward`` are the NumPy
expressions, which both ``reference`` and ``kernels`` run. Where the time goes, they are not.
"""

import functools
import math
from typing import Any

import numpy as np

from tinycnn.errors import ShapeError
from tinycnn.nn import checks, shapes
from tinycnn.nn.checks import Array, Shape
from tinycnn.nn.layers import Conv2D, Dense, Flatten, Layer


class ZeroPad2D(Layer):
    """Frame the image with zeros: ``before`` rows above and columns to the left, ``after`` behind.

    A valid convolution of a framed image is what others call a convolution with "same" padding.
    (H, W, C) -> (before + H + after, before + W + after, C); without ``after``, it is ``before``.

        y[n,before+r,before+s,c] = x[n,r,s,c], all others are 0
        dx[n,r,s,c]              = dy[n,before+r,before+s,c]
    """

    def __init__(self, before: int, after: int | None = None) -> None:
        super().__init__()
        self.before, self.after = before, before if after is None else after
        for name, width in (("before", self.before), ("after", self.after)):
            if type(width) is not int or width < 0:
                raise ShapeError(f"{name} must be a whole number of at least 0, not {width!r}")

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        H, W, C = checks.image_shape(self, input_shape)
        more = self.before + self.after
        return (H + more, W + more, C), {}

    def forward(self, x: Array, training: bool = False) -> Array:
        self._memory = x.shape[1:3] if training else None
        frame = self.before, self.after
        return np.pad(x, ((0, 0), frame, frame, (0, 0)))

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        (H, W), first = self.remembered(), self.before
        return dy[:, first : first + H, first : first + W].copy()


class AveragePool2D(Layer):
    """Keep the mean of every window of ``size`` x ``size``; the windows do not overlap.

    (H, W, C) -> (H // size, W // size, C). Rows and columns that fill no window are left out.

        y[n,i,j,c] = sum_{u,v < size} x[n, i*size+u, j*size+v, c] / size**2
        dx[n, i*size+u, j*size+v, c] = dy[n,i,j,c] / size**2
    """

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = checks.positive("size", size)

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        H, W, C = checks.image_shape(self, input_shape)
        shapes.pool_fits((H, W), self.size)
        return (H // self.size, W // self.size, C), {}

    def forward(self, x: Array, training: bool = False) -> Array:
        self._memory = x.shape if training else None
        (H, W), size = x.shape[1:3], self.size
        whole = x[:, : H // size * size, : W // size * size]
        places = [whole[:, u::size, v::size] for u in range(size) for v in range(size)]
        y: Array = functools.reduce(np.add, places) / size**2
        return y

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        shape, size = self.remembered(), self.size
        dx = np.zeros(shape, dy.dtype)
        spread = (dy / size**2).repeat(size, axis=1).repeat(size, axis=2)
        dx[:, : spread.shape[1], : spread.shape[2]] = spread
        return dx


class GlobalAveragePool2D(Layer):
    """Keep the mean of every channel over the whole image: (H, W, C) -> (C,).

    y[n,c]      = sum_{r,s} x[n,r,s,c] / (H*W)
    dx[n,r,s,c] = dy[n,c] / (H*W)
    """  # fmt: skip

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        return checks.image_shape(self, input_shape)[2:], {}

    def forward(self, x: Array, training: bool = False) -> Array:
        self._memory = x.shape if training else None
        y: Array = x.mean(axis=(1, 2))
        return y

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        shape = self.remembered()
        return np.broadcast_to(dy[:, None, None] / math.prod(shape[1:3]), shape).copy()


class Tanh(Layer):
    """Squeeze numbers into -1 to 1, as the first convolutional networks did; any shape.

    y = tanh(x) and dx = dy * (1 - y**2)
    """

    def forward(self, x: Array, training: bool = False) -> Array:
        y = np.tanh(x)
        self._memory = y if training else None
        return y

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        return dy * (1 - self.remembered() ** 2)


class Sigmoid(Layer):
    """Squeeze numbers into 0 to 1, as if each were a probability of its own; any shape.

    y = 1 / (1 + exp(-x)) and dx = dy * y * (1 - y)
    """

    def forward(self, x: Array, training: bool = False) -> Array:
        y = (np.tanh(x / 2) + 1) / 2  # the same, and exp cannot overflow
        self._memory = y if training else None
        return y

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        y = self.remembered()
        return dy * y * (1 - y)


class LeakyReLU(Layer):
    """Let positive numbers pass, and of the others a small share, so that no unit dies; any shape.

    y = x and dx = dy where x > 0, elsewhere ``slope`` times x and dy
    """

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__()
        if not 0 <= slope < 1:
            raise ShapeError(f"slope must be from 0 to below 1, not {slope!r}")
        self.slope = float(slope)

    def forward(self, x: Array, training: bool = False) -> Array:
        self._memory = x if training else None
        return np.where(x > 0, x, self.slope * x)

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        return np.where(self.remembered() > 0, dy, self.slope * dy)


def lenet5(classes: int) -> list[Layer]:
    """The network of 1998 (LeCun et al.), of tanh and averages, as it is drawn today."""
    return [
        *[ZeroPad2D(2), Conv2D(6, 5), Tanh(), AveragePool2D(2)],
        *[Conv2D(16, 5), Tanh(), AveragePool2D(2), Flatten()],
        *[Dense(120), Tanh(), Dense(84), Tanh(), Dense(classes)],
    ]
