"""Inference without any work that could have been done before.

A training step packs its weights anew, because they have changed, and makes new arrays, because
the backward pass needs the old ones. An answer needs neither: for each model and number of images,
every thread keeps the arrays of all stages, and the weights as they were packed. They are packed
again when a byte of them is no longer what it was, by whatever means they were changed.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinycnn import kernels
from tinycnn.kernels.elementwise import normalize
from tinycnn.kernels.shapes import ready
from tinycnn.nn.checks import Array
from tinycnn.nn.fusion import ConvReLUPool, own
from tinycnn.nn.layers import BatchNorm, Conv2D, Dense, Flatten, Layer, ReLU, Softmax

Step = Callable[[], object]

MOST_KEPT = 4
"""Shapes of x for which a thread keeps the arrays of a model: those of the last calls."""


class Answers(threading.local):
    """What each thread keeps for the next answers of one model; a copy begins with nothing."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], _Answer] = {}

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()

    def of(self, stages: Sequence[Layer], x: Array) -> Array:
        """Return the output of ``stages`` for x (N,...), in an array of its own."""
        key = len(stages), x.shape, x.dtype
        kept = self._kept.pop(key, None)  # a layer of yours may ask its own model meanwhile
        if kept is None or not kept.has_todays_arrays():
            kept = _Answer(stages, x)
        y = kept(x)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = kept
        return y


class _Answer:
    """The arrays that are written for an answer, and the steps that write them."""

    def __init__(self, stages: Sequence[Layer], x: Array) -> None:
        self._x = y = np.empty_like(x, order="C")
        self._steps: list[Step] = []
        self._params: list[tuple[Layer, str, Array]] = []
        for stage in stages:
            y = self._prepared(stage, y)
        self._y = y

    def has_todays_arrays(self) -> bool:
        """Return whether the layers still have the arrays that the steps read."""
        return all(layer.params[key] is z for layer, key, z in self._params)

    def __call__(self, x: Array) -> Array:
        self._x[...] = x
        for step in self._steps:
            step()
        y: Array = self._y.copy()
        return y

    def _prepared(self, stage: Layer, x: Array) -> Array:
        """Return the array for the output of ``stage`` on x; add the steps that fill it."""
        y: Array
        match own(stage) if stage.ops is kernels else None:
            case ConvReLUPool(conv=conv, pool=pool) if weights := self._weights(conv):
                y, _ = self._plan(kernels.conv2d_relu_maxpool2d, x, *weights, pool.size)
            case Conv2D() if weights := self._weights(stage):
                y = self._plan(kernels.conv2d, x, *weights)
            case Dense() if weights := self._weights(stage):
                y = self._plan(kernels.dense, x, *weights)
            case BatchNorm() as norm if weights := self._weights(norm):
                y = self._normalized(norm, x, *weights)
            case ReLU():
                y = self._plan(kernels.relu, x)
            case Softmax():
                y = self._plan(kernels.softmax, x)
            case Flatten():
                y = x.reshape(len(x), *stage.shapes(x.shape[1:])[0])
            case _:
                y = np.empty((len(x), *stage.shapes(x.shape[1:])[0]), x.dtype)
                self._steps.append(lambda: np.copyto(y, stage.forward(x)))
        return y

    def _normalized(self, norm: BatchNorm, x: Array, w: Array, b: Array) -> Array:
        mean, scale = np.empty((2, *b.shape), x.dtype)
        plan = normalize(x, mean, scale, b)

        def refresh() -> None:
            mean[:] = norm.state["mean"]
            np.divide(w, norm.deviation(x.dtype), out=scale)

        self._steps += [refresh, plan.fill]
        y: Array = plan.y
        return y

    def _weights(self, layer: Layer) -> list[Array]:
        """Return w and b; none if kernels would read copies, which no change of them reaches."""
        weights = [layer.params[key] for key in "wb"]
        if any(ready(z) is not z for z in weights):
            return []
        self._params += zip((layer, layer), "wb", weights, strict=True)
        return weights

    def _plan(self, operation: Any, *args: Any) -> Any:
        plan = operation.plan(*args)
        if plan.pack:
            self._steps.append(_packing(plan.pack, plan.w))
        self._steps.append(plan.fill)
        return plan.y


def _packing(pack_all: Step, w: Array) -> Step:
    """Return what does ``pack_all()`` if w holds other bytes than the last time."""
    seen = bytearray()

    def pack() -> None:
        nonlocal seen
        if seen != w:
            seen = bytearray(w)  # now, so that what changes meanwhile is packed the next time
            pack_all()

    return pack
