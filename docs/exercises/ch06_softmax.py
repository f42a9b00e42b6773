"""Exercises of chapter 6. Check them with: python docs/exercises/check.py 6"""

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn each row of logits into probabilities; logits may be as large as 1000.

    logits (N,K)  ->  p (N,K)
    """
    raise NotImplementedError


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of -log p of the true classes.

    logits (N,K), labels (N,) integers below K  ->  a number, finite for any logits up to 1000
    """
    raise NotImplementedError


def cross_entropy_backward(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the gradient of the mean loss with respect to the logits.

    p (N,K), labels (N,)  ->  dlogits (N,K)
    """
    raise NotImplementedError
