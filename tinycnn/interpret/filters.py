"""What the filters of a convolution look for, and what the network is without one of them."""

from dataclasses import dataclass

import numpy as np

from tinycnn import kernels
from tinycnn.interpret.tracer import Tracer
from tinycnn.interpret.values import Region, receptive_field
from tinycnn.nn import Conv2D, Dense, Flatten, Softmax

BATCH = 250  # images at a time: the maps of a first layer are large


@dataclass(frozen=True, eq=False)
class Excitement:
    """The place in one of many images that a filter answers most strongly to."""

    image: int
    """Its number among the images."""

    region: Region
    """The receptive field: rows, columns and channels of the input."""

    value: float
    """What the filter says there."""


@dataclass(frozen=True, eq=False)
class Effect:
    """What switching off a filter does to one image and to ``n`` others."""

    p_before: np.ndarray
    p_after: np.ndarray
    """(K,): probabilities of the image."""

    n: int
    right_before: int
    right_after: int
    """How many of the ``n`` are read rightly."""

    changed: int
    """How many get another answer, right or wrong."""


def convolutions(tracer: Tracer) -> list[int]:
    """The numbers of the layers that are convolutions."""
    return [index for index, layer in enumerate(tracer.layers) if isinstance(layer, Conv2D)]


def most_exciting(tracer: Tracer, index: int, x: np.ndarray, count: int) -> list[list[Excitement]]:
    """For each filter of convolution ``index``, the ``count`` images of x (N,...) it likes best."""
    parts = [_peaks(tracer.run(part, 0, index + 1)) for part in _batches(x)]
    values, places = (np.concatenate(z) for z in zip(*parts, strict=True))
    W = tracer.layers[index].shapes(tracer.input_shapes[index])[0][1]
    best = np.argsort(-values, axis=0, kind="stable")[:count]
    return [
        [
            Excitement(
                int(n),
                receptive_field(tracer, index, (*divmod(int(places[n, f]), W), f)),
                float(values[n, f]),
            )
            for n in best[:, f]
        ]
        for f in range(values.shape[1])
    ]


class Switchboard:
    """Convolution ``index`` of a network with a switch for each filter.

    A filter that is off sends zeros to the next layer that has weights. What comes before the
    switches is done once for all of x (N,...), with their labels (N,); so a switch takes only
    what comes after it.
    """

    def __init__(self, tracer: Tracer, index: int, x: np.ndarray, labels: np.ndarray) -> None:
        self._tracer, self._labels = tracer, labels
        self._gate = end_of_block(tracer, index)
        self._maps = np.concatenate([tracer.run(part, 0, self._gate) for part in _batches(x)])
        self._answers = self._after_gate(self._maps).argmax(axis=1)

    def switch_off(self, filters: set[int], x: np.ndarray) -> Effect:
        """What the network makes of one image x (1,...), and of the others, without ``filters``."""
        own = self._tracer.run(x, 0, self._gate)
        answers = self._after_gate(_without(filters, self._maps)).argmax(axis=1)
        before, after = (self._after_gate(z) for z in (own, _without(filters, own)))
        return Effect(
            p_before=kernels.softmax(before)[0],
            p_after=kernels.softmax(after)[0],
            n=len(self._labels),
            right_before=int(np.count_nonzero(self._answers == self._labels)),
            right_after=int(np.count_nonzero(answers == self._labels)),
            changed=int(np.count_nonzero(answers != self._answers)),
        )

    def _after_gate(self, maps: np.ndarray) -> np.ndarray:
        return self._tracer.run(maps, self._gate, len(self._tracer.layers))


def _without(filters: set[int], maps: np.ndarray) -> np.ndarray:
    dimmed = maps.copy()
    dimmed[..., sorted(filters)] = 0
    return dimmed


def end_of_block(tracer: Tracer, index: int) -> int:
    """Number of the first layer after convolution ``index`` that mixes filters, or one past all."""
    for later in range(index + 1, len(tracer.layers)):
        if isinstance(tracer.layers[later], Conv2D | Dense | Flatten | Softmax):
            return later
    return len(tracer.layers)


def _peaks(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest number in each map of (N,H,W,F), and where it stands, row * W + column."""
    N, H, W, F = maps.shape
    flat = maps.reshape(N, H * W, F)
    return flat.max(axis=1), flat.argmax(axis=1)


def _batches(x: np.ndarray) -> list[np.ndarray]:
    return [x[start : start + BATCH] for start in range(0, len(x), BATCH)]
