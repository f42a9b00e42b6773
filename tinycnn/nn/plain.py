"""A network that answers at once: by the expressions of ``reference.py``, nothing compiled.

Kernels take seconds to compile the first time. Whoever cannot wait so long asks here meanwhile;
the answers are the same up to rounding, only slower.
"""

import numpy as np

from tinycnn.nn import reference
from tinycnn.nn.layers import Conv2D, Dense, MaxPool2D, ReLU, Softmax, own
from tinycnn.nn.model import Sequential


def forward(model: Sequential, x: np.ndarray) -> np.ndarray:
    """What ``model.forward(x)`` is, for x (N, *input_shape)."""
    for layer in model.layers:
        match own(layer):
            case Conv2D():
                x = reference.conv2d(x, layer.params["w"], layer.params["b"])
            case MaxPool2D() as pool:
                x, _ = reference.maxpool2d(x, pool.size)
            case ReLU():
                x = reference.relu(x)
            case Dense():
                x = reference.dense(x, layer.params["w"], layer.params["b"])
            case Softmax():
                x = reference.softmax(x)
            case _:  # NumPy already: Flatten, BatchNorm when it does not learn, or one's own
                x = layer.forward(x)
    return x
