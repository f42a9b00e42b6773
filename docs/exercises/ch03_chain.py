"""Exercises of chapter 3. Check them with: python docs/exercises/check.py 3"""

import numpy as np


def relu_backward(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return dx of a ReLU, y = max(x, 0), from dy and its output y, all of one shape."""
    raise NotImplementedError


def network_backward(dy, x, w1, h, w2) -> tuple:
    """Return dw1, db1, dw2, db2, dx of a network: dense, ReLU, dense.

        z = x @ w1 + b1
        h = max(z, 0)
        y = h @ w2 + b2

    dy (N,K), x (N,D), w1 (D,M), h (N,M), w2 (M,K)
        ->  dw1 (D,M), db1 (M,), dw2 (M,K), db2 (K,), dx (N,D)
    """
    raise NotImplementedError
