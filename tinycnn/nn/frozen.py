"""A frozen model only answers, one image at a time, and wastes nothing on the way.

A model in training packs its weights anew for every batch, because they change, and makes new
arrays, because the way back needs the old ones. A frozen one does both once, and all its work is
done by the calling thread: to wake another one would take longer than it could save.
"""

from collections.abc import Callable

import numpy as np

from tinycnn.nn.fusion import ConvReLUPool
from tinycnn.nn.kernels.dense import for_one_example
from tinycnn.nn.kernels.fused import for_one_image
from tinycnn.nn.kernels.simple import scale, softmax_for_one_example
from tinycnn.nn.layers import Dense, Flatten, Layer, ReLU, Softmax
from tinycnn.nn.model import GREY, Sequential

Step = Callable[[], object]


class Frozen:
    """A snapshot of ``model``; later training does not change it.

    Not for several threads at a time: they would share its arrays.
    """

    def __init__(self, model: Sequential) -> None:
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
        """Return the probabilities (K,) of one image, uint8 (H,W) or scaled float32 (H,W,C).

        They stand in an array that the next call overwrites.
        """
        if image.dtype == np.uint8 and image.shape in self._shapes:
            scale(image.ravel(), GREY, self._x.ravel())
        else:
            self._x[...] = self._prepare(image[None])
        for step in self._steps:
            step()
        return self._probabilities


def _step(stage: Layer, x: np.ndarray) -> tuple[np.ndarray, Step | None]:
    """Return where ``stage`` writes its output for what stands in x, and what makes it do so."""
    match stage:
        case ConvReLUPool():
            w, b = (stage.conv.params[key].copy() for key in "wb")
            return for_one_image(x, w, b, stage.pool.size)
        case Dense():
            return for_one_example(x, *(stage.params[key].copy() for key in "wb"))
        case ReLU():
            return x, lambda: np.maximum(x, 0, out=x)
        case Flatten():
            return x.reshape(1, -1), None
        case _:
            y = np.empty((1, *stage.shapes(x.shape[1:])[0]), np.float32)
            return y, lambda: np.copyto(y, stage.forward(x))
