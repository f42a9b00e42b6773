"""A loss says in one number how wrong the network is; its gradient starts the way back."""

import numpy as np

from tinycnn.nn import kernels


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

    def backward(self) -> np.ndarray:
        """Return dlogits (N,K) of the last ``forward``."""
        return kernels.softmax_cross_entropy_backward(self.p, self._labels)
