"""Inference without any work that could have been done before.

A training step packs its weights anew, because they have changed, and makes new arrays, because
the backward pass needs the old ones. An answer needs neither: for each model and number of images,
every thread keeps the arrays of all stages, and the weights as they were packed. They are packed
again when a byte of them is no longer what it was; they are compared if other code may have had
them. So they may as well be packed with a BatchNorm folded in.
"""

import threading
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from types import SimpleNamespace
from typing import Any

import numpy as np

from tinycnn import kernels
from tinycnn.kernels.elementwise import compare, normalize
from tinycnn.kernels.microkernels import MANY, Plan, blocks, empty
from tinycnn.kernels.threads import in_a_row
from tinycnn.nn.checks import Array
from tinycnn.nn.fusion import ConvReLUPool, absorb, folded, fuse, own
from tinycnn.nn.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, ReLU, Softmax
from tinycnn.nn.lending import Lent, alone
from tinycnn.nn.shapes import ready

MOST_KEPT = 4
"""Shapes of x for which a thread keeps the arrays of a model: those of the last calls."""


class Answers(threading.local):
    """What each thread keeps for the next answers of one model; a copy begins with nothing."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], _Answer] = {}
        self._held: dict[int, Any] = {}  # what layers have, by its id

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()

    def of(self, stages: Sequence[Layer], x: Array) -> Array:
        """Return the output of ``stages`` for x (N,...), in an array of its own."""
        key = len(stages), x.shape, x.dtype
        kept = self._kept.pop(key, None)  # a layer of yours may ask its own model meanwhile
        while not kept or (y := kept(x)) is None:
            if kept:
                self._kept, self._held = {}, {}
            kept = _Answer(stages, x, self._held)
        if len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = kept
        return y


class _Answer:
    """The arrays that are written for an answer, and the calls that write them."""

    def __init__(self, stages: Sequence[Layer], x: Array, held: dict[int, Any]) -> None:
        self._x = y = np.empty_like(x, order="C")
        self._held, self._last = held, object()
        self._read: dict[int, tuple[dict[str, Any], str, str]] = {}
        self._plans: list[Plan] = []
        rest, self._taken = absorb(stages, self._may_fold)
        for stage in fuse(rest) if self._taken else stages:
            y = self._prepared(stage, y)
        self._y = y
        arrays = [z.reshape(-1).view(np.int32) for plan in self._plans for z in plan.packed]
        self._packed, self._changed = [(z, z.copy()) for z in arrays], np.ones(1, np.uint8)
        searches = [partial(compare, blocks(z[0]), z, (self._changed,)) for z in self._packed]
        self._search, self._calls = in_a_row(searches), list[Any]()
        for compiled, some in groupby(self._plans, lambda plan: isinstance(plan.fill, partial)):
            calls: list[Any] = [plan.fill for plan in some]
            self._calls += [in_a_row(calls)] if compiled else calls

    def __call__(self, x: Array) -> Array | None:
        """Return the output for x; None if the layers have other arrays by now."""
        if (last := Lent.last) is not self._last:
            if any(id(layer[kind][key]) != z for z, (layer, kind, key) in self._read.items()):
                return None
            self._last = last if alone(self._held) else object()
            self._search()
            if self._changed[0]:
                self._pack()
        self._x[...] = x
        for call in self._calls:
            call()
        y: Array = self._y.copy()
        return y

    def _pack(self) -> None:
        self._changed[0] = False
        for now, seen in self._packed:
            seen[:] = now  # before it is packed: what changes meanwhile is noticed the next time
        for plan in self._plans:
            for step in plan.pack:
                step()

    def _prepared(self, stage: Layer, x: Array) -> Array:
        """Return the array for the output of ``stage`` on x; add the steps that fill it."""
        y: Array
        match own(stage) if stage.ops is kernels else None:
            case ConvReLUPool(conv=conv, pool=pool) if self._arrays(conv):
                y, _ = self._weighted(conv, kernels.conv2d_relu_maxpool2d, x, pool.size)
            case Conv2D() if self._arrays(stage):
                y = self._weighted(stage, kernels.conv2d, x)
            case Dense() if self._arrays(stage):
                y = self._weighted(stage, kernels.dense, x)
            case BatchNorm() as norm if arrays := self._arrays(norm):
                y = self._plan(_normalized(norm, x, *arrays))
            case ReLU():
                y = self._plan(kernels.relu.plan(x))
            case Softmax():
                y = self._plan(kernels.softmax.plan(x))
            case Flatten() | Dropout():
                y = x.reshape(len(x), *stage.shapes(x.shape[1:])[0])
            case _:
                y = np.empty((len(x), *stage.shapes(x.shape[1:])[0]), x.dtype)
                self._plan(Plan(y, lambda: np.copyto(y, stage.forward(x))))
        return y

    def _weighted(self, layer: Layer, operation: Any, x: Array, *rest: int) -> Any:
        """Plan an operation with the weights of ``layer``, and what is folded into them."""
        weights = self._arrays(layer)
        norms = [(norm, before) for norm, taker, before in self._taken if taker is layer]
        if not norms:
            return self._plan(operation.plan(x, *weights, *rest))
        w, b = (empty(z.shape, z.dtype) for z in weights)
        plan = operation.plan(x, w, b, *rest)

        def pack() -> None:
            w[:], b[:] = weights
            for norm, before in norms:
                w[:], b[:] = folded(norm, w, b, before)
            for step in plan.pack:
                step()

        packed = *weights, *(z for norm, _ in norms for z in self._arrays(norm))
        return self._plan(plan._replace(pack=(pack,), packed=packed))

    def _may_fold(self, layer: Layer) -> bool:
        """Return whether it costs nothing to compare the weights: a large dense layer has none."""
        few = not isinstance(layer, Dense) or layer.params["w"].size <= MANY
        return layer.ops is kernels and few and bool(self._arrays(layer))

    def _arrays(self, layer: Layer) -> list[Array]:
        """Return w, b and the state; none if kernels would read copies, which miss changes.

        They are other arrays in the same memory: nothing but ``held`` holds the layer's own.
        """
        kept = [
            (vars(layer), kind, key, z)
            for kind in ("params", "state")
            for key, z in vars(layer)[kind].items()
        ]
        if any(ready(z) is not z for *_, z in kept):
            return []
        self._read |= {id(z): (holder, kind, key) for holder, kind, key, z in kept}
        owners = [type(z) for *_, z in kept if z.base is not None]  # a class is never alone
        held = *owners, *(z for *_, z in kept), *(holder[kind] for holder, kind, *_ in kept)
        self._held |= {id(z): z for z in held}
        memory = [SimpleNamespace(__array_interface__=z.__array_interface__) for *_, z in kept]
        return [np.asarray(z) for z in memory]

    def _plan(self, plan: Plan) -> Any:
        self._plans.append(plan)
        return plan.y


def _normalized(norm: BatchNorm, x: Array, w: Array, b: Array, *state: Array) -> Any:
    """Return the plan of a BatchNorm in inference: a factor and a term for each channel."""
    mean, scale = np.empty((2, *b.shape), x.dtype)

    def pack() -> None:
        mean[:] = norm.state["mean"]
        np.divide(w, norm.deviation(x.dtype), out=scale)

    return normalize(x, mean, scale, b)._replace(pack=(pack,), packed=(w, *state))
