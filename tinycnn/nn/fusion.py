"""Layers in a row run as one stage where that is faster and gives the same.

A compiler would do this out of sight; here it is in plain sight: Conv2D, ReLU and MaxPool2D in a
row become one ``ConvReLUPool``, and so do Conv2D and ReLU alone, as if windows of one pixel were
pooled. All other layers are stages of their own.
"""

from collections.abc import Sequence
from typing import Any

from tinycnn.nn.checks import Array, Shape
from tinycnn.nn.layers import Conv2D, Layer, MaxPool2D, ReLU


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
