"""Exercises of chapter 8. Check them with: python docs/exercises/check.py 8"""

import numpy as np


def dropout(x: np.ndarray, draw: np.ndarray, rate: float) -> np.ndarray:
    """Set x to 0 where ``draw``, drawn from 0 to 1, is below ``rate``; scale the rest up.

    The mean over all draws must be x.

    x and draw (N,D)  ->  y (N,D)
    """
    raise NotImplementedError


def move_average(average: np.ndarray, weights: np.ndarray, decay: float) -> None:
    """Move the running average of the weights by one step, in place; return nothing.

    average = decay * average + (1 - decay) * weights
    """
    raise NotImplementedError


def batchnorm_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray, epsilon: float) -> tuple:
    """Return dx, dw, db of batch normalization over the M rows of x.

        z[m,c] = (x[m,c] - mean[c]) / sqrt(variance[c] + epsilon)
        y[m,c] = w[c] * z[m,c] + b[c]

    dy and x (M,C), w (C,)  ->  dx (M,C), dw (C,), db (C,)
    """
    raise NotImplementedError
