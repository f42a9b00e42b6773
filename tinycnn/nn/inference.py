"""Inference of one image at a time, without any work that could have been done before.

A model in training packs its weights anew for every batch, because they change, and makes new
arrays, because the backward pass needs the old ones. A frozen model does both once, and the
calling thread does all its work: to wake another one would take longer than it could save.
"""

import copy
import threading
from collections.abc import Callable

import numpy as np

from tinycnn.kernels.conv import for_images
from tinycnn.kernels.elementwise import scale, softmax_for_one_example
from tinycnn.kernels.products import for_one_example
from tinycnn.nn.checks import GRAY, Array
from tinycnn.nn.fusion import ConvReLUPool, own
from tinycnn.nn.layers import Dense, Flatten, Layer, ReLU, Softmax
from tinycnn.nn.model import Sequential

Step = Callable[[], object]


class Frozen:
    """A snapshot of ``model``; later training does not change it.

    Every thread that calls it gets arrays of its own.
    """

    def __init__(self, model: Sequential) -> None:
        self._model = copy.deepcopy(model)
        self._arrays = threading.local()
        self._arrays.of_thread = _Arrays(self._model)

    def predict_proba(self, image: Array) -> Array:
        """Return the probabilities (K,) of one image, uint8 (H,W) or scaled float32 (H,W,C).

        The next call in the same thread overwrites the array.
        """
        try:
            arrays: _Arrays = self._arrays.of_thread
        except AttributeError:  # the first call of this thread
            arrays = self._arrays.of_thread = _Arrays(self._model)
        return arrays.predict_proba(image)


class _Arrays:
    """The arrays that one thread writes for an answer, and the steps that write them."""

    def __init__(self, model: Sequential) -> None:
        model = copy.deepcopy(model)  # layers of any kind may write into themselves
        self._prepare = model.prepare
        self._shapes = model.input_shape, model.input_shape[:2]
        self._x = y = np.empty((1, *model.input_shape), np.float32)
        self._steps: list[Step] = []
        for stage in model.stages:
            y, step = _step(stage, y)
            self._steps += [step] if step else []
        if not isinstance(model.layers[-1], Softmax):
            y, step = softmax_for_one_example(y)
            self._steps.append(step)
        self._probabilities: Array = y[0]

    def predict_proba(self, image: Array) -> Array:
        if image.dtype == np.uint8 and image.shape in self._shapes:
            scale(image.ravel(), GRAY, self._x.ravel())
        else:
            self._x[...] = self._prepare(image[None])
        for step in self._steps:
            step()
        return self._probabilities


def _step(stage: Layer, x: Array) -> tuple[Array, Step | None]:
    """Return the array for the output of ``stage`` on x, and the function that fills it."""
    compiled: tuple[Array, Step]
    match own(stage):
        case ConvReLUPool() as block:
            w, b = (block.conv.params[key] for key in "wb")
            y, _, step = for_images(x, w, b)
            return y, step
        case Dense():
            compiled = for_one_example(x, *(stage.params[key] for key in "wb"))
            return compiled
        case ReLU():
            return x, lambda: np.maximum(x, 0, out=x)
        case Flatten():
            return x.reshape(1, -1), None
        case _:
            y = np.empty((1, *stage.shapes(x.shape[1:])[0]), np.float32)
            return y, lambda: np.copyto(y, stage.forward(x))
