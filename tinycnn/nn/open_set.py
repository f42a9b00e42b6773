"""A loss for training with examples that belong to no class, which the network should refuse."""

import numpy as np

from tinycnn.errors import ShapeError
from tinycnn.nn.checks import Array
from tinycnn.nn.losses import SoftmaxCrossEntropy

NO_CLASS = -1
"""The label of an example that belongs to no class; only ``OpenSetCrossEntropy`` takes it."""


class OpenSetCrossEntropy(SoftmaxCrossEntropy):
    """Softmax and cross-entropy for examples of which some have the label ``NO_CLASS``.

    The network should prefer no class for them, so their truth is one K-th of every class
    (Dhamija et al. 2018). The gradient is p - truth, as with ``SoftmaxCrossEntropy``.
    """

    def forward(self, logits: Array, labels: Array) -> float:
        """Return the mean loss of logits (N,K) at labels (N,), true classes or ``NO_CLASS``."""
        N, K = logits.shape
        if labels.shape != (N,) or not N or not np.isin(labels, range(NO_CLASS, K)).all():
            raise ShapeError(f"labels must be {N} classes below {K}, or {NO_CLASS} for none")
        truths = np.vstack([np.eye(K), np.full(K, 1 / K)])  # the last row, -1, is that of none
        self._truth = truths[labels].astype(logits.dtype)
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.p: Array = np.exp(log_p)
        return float(-(self._truth * log_p).sum(axis=1).mean())

    def backward(self, count: int | None = None) -> Array:
        """Return dlogits (N,K) of the last ``forward``; ``count`` as in ``SoftmaxCrossEntropy``."""
        dlogits: Array = (self.p - self._truth) / (count or len(self.p))
        return dlogits
