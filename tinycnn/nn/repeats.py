"""A training step on a batch of a known shape is repeated, without the Python of its layers.

Layers say what is computed, and a model calls them one after the other. While it does, every
compiled loop is recorded with its arrays. The next batch of the same shape is copied to where the
first one was, and the loops run again, many in a row. The results are the same: when a parameter
has been replaced, or other code still holds the last gradients, the step is recorded anew, in other
arrays. With a layer of your own among them, the layers are called every time.
"""

import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from operator import is_
from typing import Any

import numpy as np

from tinycnn import kernels
from tinycnn.kernels.jit import CHECKED, UNCOMPILED
from tinycnn.kernels.microkernels import empty
from tinycnn.kernels.threads import in_a_row, recorded
from tinycnn.nn.checks import Array
from tinycnn.nn.fusion import ConvReLUPool
from tinycnn.nn.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, ReLU
from tinycnn.nn.shapes import ready

Method = Callable[..., Any]

OF_LOOPS = {BatchNorm, Conv2D, ConvReLUPool, Dense, Dropout, Flatten, MaxPool2D, ReLU}
"""Layers that leave all to kernels; their subclasses may do more."""

MOST, MOST_KEPT = 512, 2
"""Examples in a batch that is repeated: in a larger one, Python takes next to no time. And shapes
for which a thread keeps a step: those of most batches, and of the last in an epoch."""


class Repeats(threading.local):
    """What each thread keeps to repeat the training steps of one model; a copy keeps nothing."""

    def __init__(self) -> None:
        self._kept: dict[Any, _Step] = {}
        self._last: _Step | None = None

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()

    def forward(self, stages: Sequence[Layer], x: Array) -> "_Step | None":
        """Return the step that begins with x (N,...), or None if layers had better be called."""
        self._last = None
        if CHECKED or UNCOMPILED or type(x) is not np.ndarray or not 0 < len(x) <= MOST:
            return None
        key = x.shape, x.dtype
        step = self._kept.pop(key, None)
        if step is None or not step.fits(stages):
            if not all(map(_is_of_loops, stages)):
                return None
            step = _Step(stages)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = self._last = step
        return step

    def backward(self, stages: Sequence[Layer], dy: Array) -> "_Step | None":
        """Return the last step, or None if layers have changed or seen something else since."""
        step = self._last
        return step if step and step.fits(stages) and step.remembers(dy) else None


class _Step:
    def __init__(self, stages: Sequence[Layer]) -> None:
        self._read = _read(stages)
        self._stages = stages
        self._forward: _Pass | None = None
        self._backward: _Pass | None = None
        self._layers: list[int] = []

    def fits(self, stages: Sequence[Layer]) -> bool:
        """Return whether the loops read what the stages would read now."""
        return _are_the_same(_read(stages), self._read)

    def forward(self, x: Array) -> Array:
        """Return the output of all layers for x."""
        if self._forward:
            self._forward(x)
        else:
            self._forward = _Pass(x, [(stage.forward, True) for stage in self._stages])
            self._memories = [(vars(stage), vars(stage)["_memory"]) for stage in self._stages]
        for layer, memory in self._memories:
            layer["_memory"] = memory
        y: Array = self._forward.y.copy()
        return y

    def remembers(self, dy: Array) -> bool:
        """Return whether dy is a gradient for the last x, and no layer has seen others since."""
        y = self._forward.y if self._forward else None
        fits = type(dy) is type(y) and (dy.shape, dy.dtype) == (y.shape, y.dtype)
        return fits and all(layer["_memory"] is memory for layer, memory in self._memories)

    def backward(self, dy: Array) -> None:
        """Assign the gradients of all layers: in the last arrays, if no program holds them."""
        if self._backward and self._holders() == self._layers:
            self._backward(dy)
        else:
            back = [(z.backward, z is not self._stages[0]) for z in reversed(self._stages)]
            self._backward = _Pass(dy, back)
            layers = map(_with_parameters, self._stages)
            self._grads = [(layer, layer.grads) for layer in layers if layer.grads]
            arrays = [z for _, grads in self._grads for z in grads.values()]
            memory = [z.base for z in arrays if z.base is not None]  # which views share
            self._held = [*(grads for _, grads in self._grads), *arrays, *memory]
            del arrays, memory
            self._layers = self._holders()
        for layer, grads in self._grads:
            layer.grads = grads

    def _holders(self) -> list[int]:
        """Return how many hold the gradients besides their layers."""
        for layer, grads in self._grads:
            if layer.grads is grads:
                layer.grads = {}
        return [*map(sys.getrefcount, self._held)]


class _Pass:
    """Calls that make an array y of another, x; done once, and recorded."""

    def __init__(self, x: Array, methods: Iterable[tuple[Method, bool]]) -> None:
        self._x, self._calls = empty(x.shape, x.dtype), list[Callable[[], object]]()
        self._x[...] = x
        self.y: Any = self._x
        with recorded() as self._steps:
            for method, option in methods:
                self.y = method(self.y, option)

    def __call__(self, x: Array) -> None:
        """Make y of other numbers."""
        if not self._calls:
            for of_loops, some in groupby(self._steps, lambda step: isinstance(step, partial)):
                steps: list[Any] = [*some]
                self._calls += [in_a_row(steps)] if of_loops else steps
        self._x[...] = x
        for call in self._calls:
            call()


class Updates:
    """What is kept to repeat the steps of an optimizer; a copy keeps nothing."""

    def __init__(self) -> None:
        self._arrays: list[weakref.ref[Array]] = []  # to hold a gradient would keep it from reuse
        self._numbers: list[Array] = []
        self._others: Callable[[], object] = list

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()

    def of(self, update: Method, arrays: list[tuple[Array, ...]], is_of_loops: bool) -> None:
        """Call ``update`` with each parameter, its gradient and its state; repeat that if asked."""
        flat = [z for some in arrays for z in some]
        is_known = flat and _are_the_same(flat, [there() for there in self._arrays])
        with recorded() as loops:
            for some in arrays[:1] if is_known else arrays:
                update(*some)
        if is_known:
            for numbers in self._numbers:  # such as today's learning rate
                numbers[:] = _numbers(loops[0])
            self._others()
            return
        alike = len({z.dtype for z in flat}) == 1 and all(ready(z) is z for z in flat)
        self._arrays = []
        if is_of_loops and alike and len(loops) == len(arrays) > 1:
            self._arrays, self._numbers = [*map(weakref.ref, flat)], [*map(_numbers, loops[1:])]
            self._others = in_a_row(loops[1:])


def _numbers(loop: Any) -> Array:
    """Return the numbers that a loop applies to all of an array: the last of what it reads."""
    numbers: Array = loop.args[1][-1]
    return numbers


def _are_the_same(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(some) == len(others) and all(map(is_, some, others))


def _is_of_loops(stage: Layer) -> bool:
    """Return whether all that a layer does is recorded; copies that kernels make are not."""
    arrays = _with_parameters(stage).params.values()
    known = type(stage) in OF_LOOPS and stage.ops is kernels and not stage.inference
    return known and all(ready(z) is z for z in arrays)


def _with_parameters(stage: Layer) -> Layer:
    return stage.conv if isinstance(stage, ConvReLUPool) else stage


def _read(stages: Sequence[Layer]) -> list[Any]:
    """Return what loops depend on, besides x, without asking for it; see ``lending.py``."""
    read: list[Any] = []
    for stage in stages:
        read += stage, stage.ops, stage.inference, *vars(_with_parameters(stage))["params"].values()
    return read
