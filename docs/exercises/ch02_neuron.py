"""Exercises of chapter 2. Check them with: python docs/exercises/check.py 2"""

import numpy as np


def neuron(x: np.ndarray, w: np.ndarray, b: float) -> np.ndarray:
    """Return the sum of products of one neuron, for N examples.

        y[n] = b + sum_d x[n,d] * w[d]

    x (N,D), w (D,), b a number  ->  y (N,)
    """
    raise NotImplementedError


def neuron_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple:
    """Return dw, db, dx of ``neuron``.

    Each example has its own x and dx. The weights and the bias serve all N of them, and collect.

    dy (N,), x (N,D), w (D,)  ->  dw (D,), db a number, dx (N,D)
    """
    raise NotImplementedError
