"""The library itself, to be read in this order: reference, layers, losses, optimizers, model,
presets, fit.

``reference.py`` needs nothing but NumPy. The other modules serve speed, files and checks.
"""

from tinycnn.kernels.threads import get_threads, set_threads
from tinycnn.nn.layers import (
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
from tinycnn.nn.losses import SoftmaxCrossEntropy
from tinycnn.nn.model import Sequential
from tinycnn.nn.more_layers import (
    AveragePool2D,
    GlobalAveragePool2D,
    LeakyReLU,
    Sigmoid,
    Tanh,
    ZeroPad2D,
)
from tinycnn.nn.open_set import NO_CLASS, OpenSetCrossEntropy
from tinycnn.nn.optimizers import SGD, Adam
from tinycnn.nn.presets import PRESETS, build
from tinycnn.nn.schedules import SCHEDULES, constant, cosine, one_cycle

__all__ = ["BatchNorm", "Conv2D", "Dense", "Dropout", "Flatten", "Layer", "MaxPool2D", "ReLU"]
__all__ += ["AveragePool2D", "GlobalAveragePool2D", "LeakyReLU", "Sigmoid", "Softmax", "Tanh"]
__all__ += ["NO_CLASS", "OpenSetCrossEntropy", "SoftmaxCrossEntropy", "ZeroPad2D"]
__all__ += ["PRESETS", "SCHEDULES", "SGD", "Adam", "Sequential", "build", "constant", "cosine"]
__all__ += ["get_threads", "one_cycle", "set_threads"]
