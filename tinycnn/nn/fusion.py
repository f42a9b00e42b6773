"""Layers that stand in a row are run as one stage where that is faster, and gives the same.

What a compiler would do behind our backs is done here in plain sight: Conv2D, ReLU and MaxPool2D
in a row become one ``ConvReLUPool``. All other layers are stages of their own.
"""

from collections.abc import Sequence

import numpy as np

from tinycnn import kernels
from tinycnn.nn.layers import Conv2D, Layer, MaxPool2D, ReLU, Shape, own, remembered


def fuse(layers: Sequence[Layer]) -> list[Layer]:
    """Return the stages that do what ``layers`` do, in order."""
    stages: list[Layer] = []
    rest = list(layers)
    while rest:
        match [own(layer) for layer in rest[:3]]:
            case [Conv2D() as conv, ReLU(), MaxPool2D(size=2) as pool]:
                stages.append(ConvReLUPool(conv, pool))
                del rest[:3]
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

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        """Return the shapes of the three layers in a row."""
        before_pooling, parameters = self.conv.shapes(input_shape)
        return self.pool.shapes(before_pooling)[0], parameters

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        w, b = self.conv.params["w"], self.conv.params["b"]
        y, winner = kernels.conv2d_relu_maxpool2d(x, w, b, self.pool.size)
        self._x = x if training else None
        self._winner = winner if training else None
        return y

    def backward_params(self, dy: np.ndarray) -> None:
        dw, db = kernels.conv2d_relu_maxpool2d_backward_params(
            dy, self._winner, remembered(self._x), self.conv.kernel, self.pool.size
        )
        self.conv.grads = {"w": dw, "b": db}

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        input_size = remembered(self._x).shape[1:3]
        return kernels.conv2d_relu_maxpool2d_backward_input(
            dy, self._winner, self.conv.params["w"], input_size, self.pool.size
        )
