"""Which known images are most similar to the network: nearest in its last hidden layer."""

from typing import NamedTuple

import numpy as np

from tinycnn.interpret.filters import batches
from tinycnn.interpret.tracer import Tracer


class Neighbor(NamedTuple):
    """A known image, by its number, and its distance."""

    image: int
    distance: float


class NearestNeighbors:
    """Known images x (N, *input_shape), compared by the features of the last hidden layer.

    The network decides by these features alone, so two images with nearly equal features are
    nearly the same to it, however different they look.
    """

    def __init__(self, tracer: Tracer, x: np.ndarray) -> None:
        self._tracer = tracer
        self._features = np.concatenate([self._features_of(part) for part in batches(x)])

    def nearest(self, x: np.ndarray, count: int = 5) -> list[Neighbor]:
        """Return the ``count`` known images nearest to one image x (1, *input_shape), in order."""
        distances = np.linalg.norm(self._features - self._features_of(x), axis=1)
        best = np.argsort(distances, kind="stable")[:count]
        return [Neighbor(int(n), float(distances[n])) for n in best]

    def _features_of(self, x: np.ndarray) -> np.ndarray:
        """Return the last hidden layer of x (N,...) as rows (N,D)."""
        hidden = self._tracer.run(x, 0, self._tracer.last_weights())
        return hidden.reshape(len(x), -1)
