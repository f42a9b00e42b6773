"""The library itself: operations, layers, losses, optimizers and the model.

Start reading at ``reference.py``; it needs nothing but NumPy.
"""

from tinycnn.kernels.jit import get_threads, set_threads
from tinycnn.nn.inference import Frozen
from tinycnn.nn.layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Softmax
from tinycnn.nn.losses import NO_CLASS, OpenSetCrossEntropy, SoftmaxCrossEntropy
from tinycnn.nn.model import Sequential
from tinycnn.nn.optimizers import SCHEDULES, SGD, Adam, constant, cosine, one_cycle
from tinycnn.nn.presets import PRESETS, build
from tinycnn.nn.regularizers import BatchNorm, Dropout

__all__ = [
    "NO_CLASS",
    "PRESETS",
    "SCHEDULES",
    "SGD",
    "Adam",
    "BatchNorm",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "Frozen",
    "Layer",
    "MaxPool2D",
    "OpenSetCrossEntropy",
    "ReLU",
    "Sequential",
    "Softmax",
    "SoftmaxCrossEntropy",
    "build",
    "constant",
    "cosine",
    "get_threads",
    "one_cycle",
    "set_threads",
]
