"""A loss says in one number how wrong the network is; its gradient starts the backward pass."""

from types import ModuleType

from tinycnn import kernels
from tinycnn.nn.checks import Array


class SoftmaxCrossEntropy:
    """Softmax and cross-entropy in one step: their combined gradient is simply p - truth."""

    ops: ModuleType = kernels

    def forward(self, logits: Array, labels: Array) -> float:
        """Return the mean loss of logits (N,K) at the true classes, labels (N,)."""
        loss, self.p = self.ops.softmax_cross_entropy(logits, labels)
        self._labels = labels
        return float(loss)

    def backward(self, count: int | None = None) -> Array:
        """Return dlogits (N,K) of the last ``forward``, a part of ``count`` examples if given."""
        return self.ops.softmax_cross_entropy_backward(self.p, self._labels, count)
