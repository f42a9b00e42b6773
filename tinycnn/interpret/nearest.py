"""Which known images look alike to the network: near each other just before its last layer."""

from typing import NamedTuple

import numpy as np

from tinycnn.interpret.filters import BATCH
from tinycnn.interpret.tracer import Tracer


class Neighbor(NamedTuple):
    """A known image, by its number, and how far it is."""

    image: int
    distance: float


class Gallery:
    """Known images x (N, *input_shape), hung in the order in which the network sees the world.

    The last hidden layer holds what the network judges by. Two images that are near each other
    there are one to it, however different they look.
    """

    def __init__(self, tracer: Tracer, x: np.ndarray) -> None:
        self._tracer = tracer
        starts = range(0, len(x), BATCH)
        self._places = np.concatenate([self._place(x[i : i + BATCH]) for i in starts])

    def nearest(self, x: np.ndarray, count: int = 5) -> list[Neighbor]:
        """The ``count`` known images nearest to one image x (1, *input_shape), nearest first."""
        distances = np.linalg.norm(self._places - self._place(x), axis=1)
        best = np.argsort(distances, kind="stable")[:count]
        return [Neighbor(int(n), float(distances[n])) for n in best]

    def _place(self, x: np.ndarray) -> np.ndarray:
        """The last hidden layer of x (N,...) as rows (N,D)."""
        hidden = self._tracer.run(x, 0, self._tracer.last_weights())
        return hidden.reshape(len(x), -1)
