"""Attribution: which pixels and which known images the answer depends on.

Occlusion really covers the image, one patch at a time; a gradient tells about all pixels at once,
but only for a very small change. Trust them where they agree.
"""

import numpy as np

from tinycnn.interpret.filters import batches
from tinycnn.interpret.tracer import Tracer

PATCH = 5  # pixels, side of the patch that covers
AT_ONCE = 1024  # covered images; all there are of 28 x 28


def occlusion(tracer: Tracer, x: np.ndarray, label: int, size: int = PATCH) -> np.ndarray:
    """Return how much less sure of ``label`` the network is when a patch covers each place.

    The patch is blank paper, ``size`` x ``size``, centered on the pixel and cut off at the border.
    The map holds how far the log-odds of ``label`` fall:

        map[i,j] = log_odds(x) - log_odds(x with 0 where |h - i| and |w - j| are at most size // 2)

    x (1, *input_shape), ``size`` odd  ->  map (H,W); above 0: the covered ink supports ``label``
    """
    H, W, _ = tracer.image_shape
    image = x.reshape(tracer.image_shape)
    rows, columns = (
        [slice(max(i - size // 2, 0), i + size // 2 + 1) for i in range(length)]
        for length in (H, W)
    )
    # A patch over blank paper hides nothing, so such places are skipped.
    places = [(i, j) for i in range(H) for j in range(W) if image[rows[i], columns[j]].any()]
    before = log_odds(tracer.logits(x), label)
    drop = np.zeros((H, W))
    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        covered = np.repeat(image[None], len(some), axis=0)
        for copy, (i, j) in zip(covered, some, strict=True):
            copy[rows[i], columns[j]] = 0
        after = log_odds(tracer.logits(covered.reshape(-1, *tracer.input_shape)), label)
        drop[tuple(np.transpose(some))] = before - after
    return drop


def class_gradient(
    tracer: Tracer, x: np.ndarray, label: int, rather_than: int | None = None
) -> np.ndarray:
    """Return the gradient of the logit of ``label``, less that of ``rather_than`` if given.

        dx = d logits[label] / dx - d logits[rather_than] / dx

    For one class, x * dx is how much each pixel adds to its logit. The difference of two classes
    shows how to turn one answer into the other: add ink where it is positive, remove it where
    it is negative.

    x (1, *input_shape)  ->  dx (*input_shape)
    """
    logits = tracer.trace(x, training=True).logits
    dlogits = np.zeros_like(logits)
    dlogits[label] += 1
    if rather_than is not None:
        dlogits[rather_than] -= 1
    return tracer.backward(dlogits)[0] if tracer.layers else dlogits


def log_odds(logits: np.ndarray, label: int) -> np.ndarray:
    """Return how far class ``label`` is ahead of all others together, (N,) of logits (N,K).

        log_odds[n] = log(p[n,label] / (1 - p[n,label]))
                    = logits[n,label] - log sum_{k != label} exp(logits[n,k])

    A probability near 1 hardly moves any more; its log-odds do.
    """
    others = np.delete(logits, label, axis=1).astype(np.float64)
    return np.asarray(logits[:, label] - np.logaddexp.reduce(others, axis=1))


class NearestNeighbors:
    """Known images x (N, *input_shape), compared by the features of the last hidden layer.

    The network decides by these features alone, so two images with nearly equal features are
    nearly the same to it, however different they look.
    """

    def __init__(self, tracer: Tracer, x: np.ndarray) -> None:
        self._tracer = tracer
        self._features = np.concatenate([self._features_of(part) for part in batches(x)])

    def nearest(self, x: np.ndarray, count: int = 5) -> list[tuple[int, float]]:
        """Return the numbers of the ``count`` known images nearest to x (1,...), and distances."""
        distances = np.linalg.norm(self._features - self._features_of(x), axis=1)
        best = np.argsort(distances, kind="stable")[:count]
        return [(int(n), float(distances[n])) for n in best]

    def _features_of(self, x: np.ndarray) -> np.ndarray:
        """Return the last hidden layer of x (N,...) as rows (N,D)."""
        hidden = self._tracer.run(x, 0, self._tracer.last_weights())
        return hidden.reshape(len(x), -1)
