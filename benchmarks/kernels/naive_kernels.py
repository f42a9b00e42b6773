"""The operations without the ideas that make them fast: what the kernels are compared with."""

from typing import Any

import numpy as np

from tinycnn import kernels
from tinycnn.kernels.jit import kernel


def conv2d(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return ``reference.conv2d`` by the loops that its formula suggests."""
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


def pooled(convolution: Any, x: np.ndarray, w: np.ndarray, b: np.ndarray, size: int) -> Any:
    """Return ``conv2d_relu_maxpool2d`` in three steps, the first by ``convolution``."""
    return kernels.maxpool2d(kernels.relu(convolution(x, w, b)), size)


def dense_backward_params(
    dy: np.ndarray, winner: np.ndarray, x: np.ndarray, kernel_size: tuple[int, int], size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``conv2d_relu_maxpool2d_backward_params`` with all the zeros multiplied."""
    dy = _unpooled(dy, winner, x.shape[1:3], kernel_size, size)
    return kernels.conv2d_backward_params(dy, x, kernel_size)


def dense_backward_input(
    dy: np.ndarray, winner: np.ndarray, w: np.ndarray, input_size: tuple[int, int], size: int
) -> np.ndarray:
    """Return ``conv2d_relu_maxpool2d_backward_input`` with all the zeros multiplied."""
    return kernels.conv2d_backward_input(_unpooled(dy, winner, input_size, w.shape[1:3], size), w)


def _unpooled(dy, winner, input_size, kernel_size, size):
    """Bring dy back to the map before pooling, as ReLU and pooling do one after the other."""
    output_size = tuple(a - b + 1 for a, b in zip(input_size, kernel_size, strict=True))
    places = size * size
    dy = kernels.relu_backward(dy, (winner < places).astype(dy.dtype))
    return kernels.maxpool2d_backward(dy, np.minimum(winner, places - 1), output_size, size)
