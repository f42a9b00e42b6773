"""A frozen model only answers, one image at a time, and wastes nothing on the way.

A model in training packs its weights anew for every batch, because they change, and makes new
arrays, because the way back needs the old ones. A frozen one does both once, and all its work is
done by the calling thread: to wake another one would take longer than it could save.
"""

import copy
import threading
from collections.abc import Callable

import numpy as np

from tinycnn.kernels.conv import for_images
from tinycnn.kernels.elementwise import scale, softmax_for_one_example
from tinycnn.kernels.products import for_one_example
from tinycnn.nn.fusion import ConvReLUPool
from tinycnn.nn.layers import Dense, Flatten, Layer, ReLU, Softmax, own
from tinycnn.nn.model import GRAY, Sequential

Step = Callable[[], object]


class Frozen:
    """A snapshot of ``model``; later training does not change it.

    Every thread that asks gets arrays of its own.
    """

    def __init__(self, model: Sequential) -> None:
        self._model = copy.deepcopy(model)
        self._arrays = threading.local()
        self._arrays.of_thread = _Arrays(self._model)

    def predict_proba(self, image: np.ndarray) -> np.ndarray:
        """Return the probabilities (K,) of one image, uint8 (H,W) or scaled float32 (H,W,C).

        They stand in an array that this thread's next call overwrites.
        """
        try:
            arrays = self._arrays.of_thread
        except AttributeError:  # the first call of this thread
            arrays = self._arrays.of_thread = _Arrays(self._model)
        return arrays.predict_proba(image)


class _Arrays:
    """All that one thread writes while it answers, and the steps that write it."""

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
        self._probabilities = y[0]

    def predict_proba(self, image: np.ndarray) -> np.ndarray:
        if image.dtype == np.uint8 and image.shape in self._shapes:
            scale(image.ravel(), GRAY, self._x.ravel())
        else:
            self._x[...] = self._prepare(image[None])
        for step in self._steps:
            step()
        return self._probabilities


def _step(stage: Layer, x: np.ndarray) -> tuple[np.ndarray, Step | None]:
    """Return where ``stage`` writes its output for what stands in x, and what makes it do so."""
    match own(stage):
        case ConvReLUPool() as block:
            w, b = (block.conv.params[key] for key in "wb")
            y, _, step = for_images(x, w, b)
            return y, step
        case Dense():
            return for_one_example(x, *(stage.params[key] for key in "wb"))
        case ReLU():
            return x, lambda: np.maximum(x, 0, out=x)
        case Flatten():
            return x.reshape(1, -1), None
        case _:
            y = np.empty((1, *stage.shapes(x.shape[1:])[0]), np.float32)
            return y, lambda: np.copyto(y, stage.forward(x))
