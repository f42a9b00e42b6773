"""A training step like an earlier one is done again, without the Python of its layers.

Layers say what is computed, and a model calls them one after the other. Meanwhile each compiled
loop is written down with its arrays. The next batch of the same shape is copied to where that one
was, and the loops are called once more, many in a row. Nobody can tell the difference: a layer of
your own is called as ever, and where a parameter has been replaced, or somebody still holds the
last gradients, the step is written down anew, in other arrays.
"""

import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from operator import is_
from typing import Any

import numpy as np

from tinycnn import kernels
from tinycnn.kernels.jit import CHECKED, UNCOMPILED
from tinycnn.kernels.microkernels import empty
from tinycnn.kernels.shapes import ready
from tinycnn.kernels.threads import between, in_a_row, written_down
from tinycnn.nn.checks import Array
from tinycnn.nn.fusion import ConvReLUPool
from tinycnn.nn.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, ReLU

OF_LOOPS = {BatchNorm, Conv2D, ConvReLUPool, Dense, Dropout, Flatten, MaxPool2D, ReLU}
"""Layers that leave all to kernels; their subclasses may do more."""

MOST = 256
"""Examples in a batch that is repeated: in a larger one, the Python takes next to no time."""

MOST_KEPT = 2
"""Shapes of x for which a thread keeps a step: of most batches, and of the last in an epoch."""


class Repeats(threading.local):
    """What each thread keeps to repeat the training steps of one model; a copy keeps nothing."""

    def __init__(self) -> None:
        self._kept: dict[Any, _Step] = {}
        self._last: _Step | None = None

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()

    def forward(self, stages: Sequence[Layer], x: Array) -> Array:
        """Return the output of ``stages`` for x (N,...), in training."""
        self._last = None
        if CHECKED or UNCOMPILED or type(x) is not np.ndarray or not 0 < len(x) <= MOST:
            for stage in stages:
                x = stage.forward(x, training=True)
            return x
        key = x.shape, x.dtype
        step = self._kept.pop(key, None)  # a layer of yours may train its own model meanwhile
        if step is None or not step.fits(stages):
            step = _Step(stages)
        y = step.forward(x)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = self._last = step
        return y

    def backward(self, stages: Sequence[Layer], dy: Array, input_gradient: bool) -> Any:
        """Assign the gradients of all layers; return dx if ``input_gradient``."""
        if self._last and self._last.fits(stages) and self._last.remembers(dy):
            return self._last.backward(dy, input_gradient)
        for stage in reversed(stages):
            dy = stage.backward(dy, input_gradient or stage is not stages[0])
        return dy if input_gradient else None


class _Step:
    """The forward pass of one step, and its backward pass with and without dx."""

    def __init__(self, stages: Sequence[Layer]) -> None:
        self._stages, self._read = stages, _read(stages)
        self._of_loops = [stage for stage in stages if _is_of_loops(stage)]
        self._forward: _Pass | None = None
        self._backward: dict[bool, _Backward] = {}

    def fits(self, stages: Sequence[Layer]) -> bool:
        """Return whether the loops read what the stages would read now."""
        now = _read(stages)
        return len(now) == len(self._read) and all(map(is_, now, self._read))

    def forward(self, x: Array) -> Array:
        if self._forward is None:
            self._forward = _Pass(x, self._through_all)
            self._memories = [(vars(stage), stage._memory) for stage in self._of_loops]
        else:
            self._forward(x)
            for layer, memory in self._memories:
                layer["_memory"] = memory
        y: Array = self._forward.y.copy()
        return y

    def remembers(self, dy: Array) -> bool:
        """Return whether dy is a gradient for the last x, and no layer has seen others since."""
        y = self._forward.y if self._forward else None
        fits = type(dy) is type(y) and (dy.shape, dy.dtype) == (y.shape, y.dtype)
        return fits and all(layer["_memory"] is memory for layer, memory in self._memories)

    def backward(self, dy: Array, input_gradient: bool) -> Any:
        back = self._backward.get(input_gradient)
        if back and back.is_free():
            back(dy)
        else:
            back = _Backward(dy, partial(self._back_through_all, input_gradient), self._of_loops)
            self._backward[input_gradient] = back
        return back.y.copy() if input_gradient else None

    def _through_all(self, x: Array) -> Array:
        for stage in self._stages:
            x = self._repeatable(stage, stage.forward, x, True)
        return x

    def _back_through_all(self, input_gradient: bool, dy: Array) -> Any:
        for stage in reversed(self._stages):
            wanted = input_gradient or stage is not self._stages[0]
            dy = self._repeatable(stage, stage.backward, dy, wanted)
        return dy

    def _repeatable(self, stage: Layer, method: Callable, x: Array, option: bool) -> Any:
        """Return what a layer makes of x, in an array that stays where it is."""
        if stage in self._of_loops:
            return method(x, option)
        made: list[Any] = []

        def call() -> None:
            y = method(x.copy(), option)  # which a layer of yours may keep
            if not made:
                made.append(y if y is None else np.array(y, order="C"))
            elif y is not None:
                np.copyto(made[0], y)

        between(call)
        return made[0]


class _Pass:
    """Calls that make an array y of another, x; done once, and written down."""

    def __init__(self, x: Array, run: Callable[[Array], Any]) -> None:
        self._x, self._calls = empty(x.shape, x.dtype), list[Callable[[], object]]()
        self._x[...] = x
        with written_down() as self._steps:
            self.y = run(self._x)

    def __call__(self, x: Array) -> None:
        """Make y of other numbers."""
        if not self._calls:
            for of_loops, some in groupby(self._steps, lambda step: isinstance(step, partial)):
                steps: list[Any] = [*some]
                self._calls += [in_a_row(steps)] if of_loops else steps
        self._x[...] = x
        for call in self._calls:
            call()


class _Backward(_Pass):
    """A backward pass, which writes into the gradients of last time, unless somebody holds them."""

    def __init__(self, dy: Array, run: Callable, stages: Sequence[Layer]) -> None:
        super().__init__(dy, run)
        layers = [_with_parameters(stage) for stage in stages]
        self._grads = [(layer, layer.grads) for layer in layers if layer.grads]
        arrays = [z for _, grads in self._grads for z in grads.values()]
        memory = [z.base for z in arrays if z.base is not None]  # of views, too
        self._held = [*(grads for _, grads in self._grads), *arrays, *memory]
        del arrays, memory
        self._holders: list[int] = []
        self._holders = self._count_holders()
        self._give()

    def is_free(self) -> bool:
        """Return whether nobody but the layers holds the gradients."""
        return self._count_holders() == self._holders

    def __call__(self, dy: Array) -> None:
        super().__call__(dy)
        self._give()

    def _give(self) -> None:
        for layer, grads in self._grads:
            layer.grads = grads

    def _count_holders(self) -> list[int]:
        for layer, grads in self._grads:
            if layer.grads is grads:
                layer.grads = {}
        return [*map(sys.getrefcount, self._held)]


class Updates:
    """What is kept to repeat the steps of an optimizer; a copy keeps nothing."""

    def __init__(self) -> None:
        self._arrays: list[weakref.ref[Array]] = []

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()

    def of(self, update: Callable, arrays: list[tuple[Array, ...]], is_of_loops: bool) -> None:
        """Call ``update`` with each parameter, its gradient and its state; repeat that if asked."""
        flat = [z for some in arrays for z in some]
        known = [there() for there in self._arrays]  # to hold a gradient would keep it from reuse
        if len(flat) == len(known) and all(map(is_, flat, known)):
            with written_down() as loops:
                update(*arrays[0])
            for numbers in self._numbers:  # such as today's learning rate
                numbers[:] = _numbers_of(loops[0])
            self._others()
            return
        with written_down() as loops:
            for some in arrays:
                update(*some)
        alike = len({z.dtype for z in flat}) == 1 and all(ready(z) is z for z in flat)
        self._arrays = []
        if is_of_loops and alike and len(loops) == len(arrays) > 1:
            self._arrays = [*map(weakref.ref, flat)]
            self._numbers = [*map(_numbers_of, loops[1:])]
            self._others = in_a_row(loops[1:])


def _numbers_of(loop: Any) -> Array:
    """Return the numbers by which a loop changes all parameters: the last of what it reads."""
    _, read, _ = loop.args
    numbers: Array = read[-1]
    return numbers


def _is_of_loops(stage: Layer) -> bool:
    """Return whether all that a layer does is written down; copies that kernels make are not."""
    arrays = _with_parameters(stage).params.values()
    known = type(stage) in OF_LOOPS and stage.ops is kernels and not stage.inference
    return known and all(ready(z) is z for z in arrays)


def _with_parameters(stage: Layer) -> Layer:
    return stage.conv if isinstance(stage, ConvReLUPool) else stage


def _read(stages: Sequence[Layer]) -> list[Any]:
    """Return what loops depend on, besides x."""
    read: list[Any] = []
    for stage in stages:
        read += stage, stage.ops, stage.inference, *_with_parameters(stage).params.values()
    return read
