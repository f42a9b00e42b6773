"""A frozen model only answers, one image at a time, and wastes nothing on the way.

A model in training packs its weights anew for every batch, because they change, and makes new
arrays, because the way back needs the old ones. A frozen one does both once.
"""

from collections.abc import Callable

import numpy as np

from tinycnn.nn.fusion import ConvReLUPool
from tinycnn.nn.kernels.dense import for_one_example
from tinycnn.nn.kernels.fused import for_one_image
from tinycnn.nn.kernels.simple import softmax_for_one_example
from tinycnn.nn.layers import Dense, Layer, ReLU, Shape, Softmax
from tinycnn.nn.model import GREY, Sequential

Step = Callable[[np.ndarray], np.ndarray]


class Frozen:
    """A snapshot of ``model``; later training does not change it.

    Not for several threads at a time: they would share its arrays.
    """

    def __init__(self, model: Sequential) -> None:
        self._prepare = model.prepare
        self._x = np.empty((1, *model.input_shape), np.float32)
        self._steps: list[Step] = []
        shape = model.input_shape
        for stage in model.stages:
            self._steps.append(_step(stage, shape))
            shape = stage.shapes(shape)[0]
        if not isinstance(model.layers[-1], Softmax):
            self._steps.append(softmax_for_one_example(model.output_shape[0]))

    def predict_proba(self, image: np.ndarray) -> np.ndarray:
        """Return the probabilities (K,) of one image, uint8 (H,W) or scaled float32 (H,W,C).

        They stand in an array that the next call overwrites.
        """
        if image.dtype == np.uint8:
            x = np.multiply(image.reshape(self._x.shape), GREY, out=self._x)
        else:
            x = self._prepare(image[None])
        for step in self._steps:
            x = step(x)
        return x[0]


def _step(stage: Layer, input_shape: Shape) -> Step:
    """Return what ``stage`` does to one image of ``input_shape``."""
    match stage:
        case ConvReLUPool():
            w, b = (stage.conv.params[key].copy() for key in "wb")
            return for_one_image(w, b, input_shape, stage.pool.size)
        case Dense():
            return for_one_example(*(stage.params[key].copy() for key in "wb"))
        case ReLU():
            return lambda x: np.maximum(x, 0)
        case _:
            return stage.forward
