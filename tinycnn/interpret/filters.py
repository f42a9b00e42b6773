"""How a network does without some filters of a convolution."""

from dataclasses import dataclass

import numpy as np

from tinycnn import kernels
from tinycnn.interpret.tracer import Tracer
from tinycnn.nn import Conv2D, Dense, Flatten, Softmax

BATCH = 250  # images at a time: the maps of a first layer are large


@dataclass(frozen=True, eq=False)
class Effect:
    """The effect of leaving filters out, on one image and on ``n`` others."""

    p_before: np.ndarray
    p_after: np.ndarray  # (K,): probabilities of the image
    n: int
    right_before: int
    right_after: int  # how many of the ``n`` are classified right


def convolutions(tracer: Tracer) -> list[int]:
    """Return the numbers of the layers that are convolutions."""
    return [index for index, layer in enumerate(tracer.layers) if isinstance(layer, Conv2D)]


class FilterAblation:
    """The effect of single filters of convolution ``index``: how answers change without them.

    A filter that is left out sends zeros to the next layer that has weights. The layers before
    that one run only once for all of x (N,...), with labels (N,).
    """

    def __init__(self, tracer: Tracer, index: int, x: np.ndarray, labels: np.ndarray) -> None:
        self._tracer, self._labels = tracer, labels
        later = range(index + 1, len(tracer.layers))
        mixing = Conv2D | Dense | Flatten | Softmax  # of filters
        ends = (k for k in later if isinstance(tracer.layers[k], mixing))
        self._end = next(ends, len(tracer.layers))
        self._maps = np.concatenate([tracer.run(part, 0, self._end) for part in batches(x)])
        self._right_before = self._right(self._maps)

    def ablate(self, filters: set[int], x: np.ndarray) -> Effect:
        """Return the effect on one image x (1,...), and on the others, without ``filters``."""
        own = self._tracer.run(x, 0, self._end)
        before, after = (self._after_block(z) for z in (own, _without(filters, own)))
        return Effect(
            p_before=kernels.softmax(before)[0],
            p_after=kernels.softmax(after)[0],
            n=len(self._labels),
            right_before=self._right_before,
            right_after=self._right(_without(filters, self._maps)),
        )

    def _right(self, maps: np.ndarray) -> int:
        return int(np.count_nonzero(self._after_block(maps).argmax(axis=1) == self._labels))

    def _after_block(self, maps: np.ndarray) -> np.ndarray:
        return self._tracer.run(maps, self._end, len(self._tracer.layers))


def _without(filters: set[int], maps: np.ndarray) -> np.ndarray:
    maps = maps.copy()
    maps[..., sorted(filters)] = 0
    return maps


def batches(x: np.ndarray) -> list[np.ndarray]:
    """Split x (N,...) into parts whose maps fit into memory."""
    return [x[start : start + BATCH] for start in range(0, len(x), BATCH)]
