"""Exercises of chapter 13. Check them with: python docs/exercises/check.py 13

Here nothing is blank. ``conv2d`` is right, and slow: make it fast. ``sgd_update`` is the library's
own, in tinycnn/kernels/elementwise.py: change it there, so that it takes Nesterov's step.
"""

import numpy as np

from tinycnn.kernels import sgd_update  # noqa: F401 - the second exercise
from tinycnn.kernels.jit import kernel


def conv2d(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return ``reference.conv2d`` of float32 arrays, on one thread.

    What is done here is done once for a batch. You may put the weights into any order that the
    loops like better.

    x (N,H,W,C), w (F,KH,KW,C), b (F,)  ->  y (N,OH,OW,F)
    """
    N, H, W, _ = x.shape
    F, KH, KW, _ = w.shape
    y = np.empty((N, H - KH + 1, W - KW + 1, F), x.dtype)
    _conv2d(x, w, b, y)
    return y


@kernel
def _conv2d(x, w, b, y):
    N, OH, OW, F = y.shape
    _, KH, KW, C = w.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for f in range(F):
                    total = b[f]
                    for u in range(KH):
                        for v in range(KW):
                            for c in range(C):
                                total += x[n, i + u, j + v, c] * w[f, u, v, c]
                    y[n, i, j, f] = total
