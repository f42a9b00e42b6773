"""A loss says in one number how wrong the network is; its gradient starts the way back."""

import numpy as np

from tinycnn import kernels
from tinycnn.errors import ShapeError

NO_CLASS = -1
"""The label of an example that belongs to no class; only ``OpenSetCrossEntropy`` takes it."""


class SoftmaxCrossEntropy:
    """Softmax and cross-entropy, openly fused: their gradients collapse to p - truth.

    >>> loss = SoftmaxCrossEntropy()
    >>> logits = np.array([[2.0, 0.0, 0.0]])
    >>> round(loss.forward(logits, np.array([0])), 4)
    0.2395
    >>> loss.backward().round(3)
    array([[-0.213,  0.107,  0.107]])
    """

    def forward(self, logits: np.ndarray, labels: np.ndarray) -> float:
        """Return the mean loss of logits (N,K) at the true classes, labels (N,)."""
        loss, self.p = kernels.softmax_cross_entropy(logits, labels)
        self._labels = labels
        return float(loss)

    def backward(self, count: int | None = None) -> np.ndarray:
        """Return dlogits (N,K) of the last ``forward``.

        If the N examples are a part of ``count``, the loss is meant to be the mean over all those.
        """
        return kernels.softmax_cross_entropy_backward(self.p, self._labels, count)


class OpenSetCrossEntropy:
    """The same for examples of which some belong to no class: their label is ``NO_CLASS``.

    The network should have no opinion on them, so their truth is one K-th of every class (Dhamija
    et al. 2018). The gradient is p - truth as before.

    >>> loss = OpenSetCrossEntropy()
    >>> logits = np.array([[2.0, 0.0, 0.0]])
    >>> round(loss.forward(logits, np.array([NO_CLASS])), 4)
    1.5729
    """

    def forward(self, logits: np.ndarray, labels: np.ndarray) -> float:
        """Return the mean loss of logits (N,K) at labels (N,), true classes or ``NO_CLASS``."""
        N, K = logits.shape
        if labels.shape != (N,) or not N or not np.isin(labels, range(NO_CLASS, K)).all():
            raise ShapeError(f"labels must be {N} classes below {K}, or {NO_CLASS} for none")
        truths = np.vstack([np.eye(K), np.full(K, 1 / K)])  # the last one, -1, is that of none
        self._truth = truths[labels].astype(logits.dtype)
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.p = np.exp(log_p)
        return float(-(self._truth * log_p).sum(axis=1).mean())

    def backward(self, count: int | None = None) -> np.ndarray:
        """Return dlogits (N,K) of the last ``forward``; ``count`` as above."""
        return (self.p - self._truth) / (count or len(self.p))
