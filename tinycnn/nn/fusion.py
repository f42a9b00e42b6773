"""Layers in a row run as one stage where that is faster and gives the same.

A compiler would do this out of sight; here it is in plain sight: Conv2D, ReLU and MaxPool2D in a
row become one ``ConvReLUPool``, and so do Conv2D and ReLU alone, as if windows of one pixel were
pooled. All other layers are stages of their own.

BatchNorm helps a network to learn; to answer, the layer beside it can do its work as well. Then it
is scale * x + shift for each channel: a convolution or dense layer behind it multiplies its weights
by scale, and adds what they make of shift to its bias; one before it scales its outputs.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinycnn.nn.checks import Array, Shape
from tinycnn.nn.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, ReLU


def own(layer: Layer) -> Layer | None:
    """Return ``layer`` if its class belongs to this library, and None if it is a class of yours.

    Code that replaces a layer by something faster, or explains it, may do so only with layers
    that it knows: a subclass of ReLU is no ReLU.
    """
    return layer if type(layer).__module__.startswith("tinycnn.") else None


def fuse(layers: Sequence[Layer]) -> list[Layer]:
    """Return the stages that do what ``layers`` do, in order."""
    stages: list[Layer] = []
    rest = list(layers)
    while rest:
        match [own(layer) for layer in rest[:3]]:
            case [Conv2D() as conv, ReLU(), MaxPool2D(size=2) as pool]:
                stages.append(ConvReLUPool(conv, pool))
                del rest[:3]
            case [Conv2D() as conv, ReLU(), *_]:
                stages.append(ConvReLUPool(conv, MaxPool2D(1)))
                del rest[:2]
            case _:
                stages.append(rest.pop(0))
    return stages


def absorb(layers: Sequence[Layer], may: Callable[[Layer], bool]) -> tuple[Any, list[Any]]:
    """Return ``layers`` without each BatchNorm whose work another can do, and who does it.

    Both have to be layers that ``may``. Who does it: (norm, layer, whether the norm comes before).
    """
    kept, taken = list(layers), []
    for before in (False, True):
        rest, taker, kept = kept, None, []
        for layer in reversed(rest) if before else rest:
            match own(layer):
                case BatchNorm() if taker and may(layer) and may(taker):
                    taken.append((layer, taker, before))
                    continue
                case Conv2D() | Dense():
                    taker = layer
                case ConvReLUPool(conv=conv):
                    taker = conv if before else None
                case found:  # what neither makes nor changes numbers is not in the way
                    taker = taker if before and isinstance(found, Flatten | Dropout) else None
            kept.append(layer)
    return kept[::-1], taken


def folded(norm: Any, w: Array, b: Array, before: bool) -> tuple[Array, Array]:
    """Return weights and biases that also do the work of ``norm`` before them, or behind them."""
    scale = norm.params["w"] / norm.deviation(w.dtype)
    shift = norm.params["b"] - scale * norm.state["mean"]
    rows = (w.T if w.ndim == 2 else w).reshape(len(b), -1)  # one for each output
    if before:  # channels come again and again
        scale, shift = (np.resize(z, rows.shape[1]) for z in (scale, shift))
        b, rows = b + (rows * shift).sum(axis=1), rows * scale
    else:
        b, rows = b * scale + shift, rows * scale[:, None]
    return (rows.T if w.ndim == 2 else rows.reshape(w.shape)), b


class ConvReLUPool(Layer):
    """Conv2D, ReLU and MaxPool2D as one stage, which never stores the map before pooling.

    It has no parameters of its own: it works with those of ``conv`` and assigns its gradients.
    (H, W, C) -> ((H - K + 1) // size, (W - K + 1) // size, filters)
    """

    def __init__(self, conv: Conv2D, pool: MaxPool2D) -> None:
        super().__init__()
        self.conv, self.pool = conv, pool
        self.marks = "||" if pool.size == 1 else "|||"  # one for each layer

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        """Return the shapes of the three layers in a row."""
        before_pooling, parameters = self.conv.shapes(input_shape)
        return self.pool.shapes(before_pooling)[0], parameters

    def forward(self, x: Array, training: bool = False) -> Array:
        w, b = self.conv.params["w"], self.conv.params["b"]
        y: Array
        y, winner = self.ops.conv2d_relu_maxpool2d(x, w, b, self.pool.size)
        self._memory = (x, winner) if training else None
        return y

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        (x, winner), size = self.remembered(), self.pool.size
        dw, db = self.ops.conv2d_relu_maxpool2d_backward_params(
            dy, winner, x, self.conv.filter_size, size
        )
        self.conv.grads = {"w": dw, "b": db}
        if not input_gradient:
            return None
        return self.ops.conv2d_relu_maxpool2d_backward_input(
            dy, winner, self.conv.params["w"], x.shape[1:3], size
        )
