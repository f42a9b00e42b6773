"""The library itself, to be read in this order: reference, layers, losses, optimizers, model,
presets, fit.

``reference.py`` needs nothing but NumPy. The other modules serve speed, files and checks.
"""

from tinycnn.kernels.threads import get_threads as get_threads
from tinycnn.kernels.threads import set_threads as set_threads
from tinycnn.nn.layers import BatchNorm as BatchNorm
from tinycnn.nn.layers import Conv2D as Conv2D
from tinycnn.nn.layers import Dense as Dense
from tinycnn.nn.layers import Dropout as Dropout
from tinycnn.nn.layers import Flatten as Flatten
from tinycnn.nn.layers import Layer as Layer
from tinycnn.nn.layers import MaxPool2D as MaxPool2D
from tinycnn.nn.layers import ReLU as ReLU
from tinycnn.nn.layers import Softmax as Softmax
from tinycnn.nn.losses import SoftmaxCrossEntropy as SoftmaxCrossEntropy
from tinycnn.nn.model import Sequential as Sequential
from tinycnn.nn.more_layers import AveragePool2D as AveragePool2D
from tinycnn.nn.more_layers import GlobalAveragePool2D as GlobalAveragePool2D
from tinycnn.nn.more_layers import LeakyReLU as LeakyReLU
from tinycnn.nn.more_layers import Sigmoid as Sigmoid
from tinycnn.nn.more_layers import Tanh as Tanh
from tinycnn.nn.more_layers import ZeroPad2D as ZeroPad2D
from tinycnn.nn.open_set import NO_CLASS as NO_CLASS
from tinycnn.nn.open_set import OpenSetCrossEntropy as OpenSetCrossEntropy
from tinycnn.nn.optimizers import SGD as SGD
from tinycnn.nn.optimizers import Adam as Adam
from tinycnn.nn.presets import PRESETS as PRESETS
from tinycnn.nn.presets import build as build
from tinycnn.nn.schedules import SCHEDULES as SCHEDULES
from tinycnn.nn.schedules import constant as constant
from tinycnn.nn.schedules import cosine as cosine
from tinycnn.nn.schedules import one_cycle as one_cycle
