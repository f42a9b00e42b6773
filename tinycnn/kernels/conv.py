"""Convolution and its three gradients: eight windows at a time meet a vector of filters."""

import numpy as np
from numba import prange

from tinycnn.kernels.jit import parallel_kernel, part
from tinycnn.kernels.memory import (
    by_tap,
    empty,
    pieces,
    sum_by_filter,
    sum_over_batch,
    tap_offsets,
    window_offsets,
)
from tinycnn.kernels.microkernels import ROWS, gemm_tile
from tinycnn.kernels.simd import LANES, add, load_first, store_first, zeros


def conv2d(x, w, b):
    """See ``reference.conv2d``."""
    N, H, W, C = x.shape
    F, KH, KW, _ = w.shape
    OH, OW = H - KH + 1, W - KW + 1
    y = empty((N, OH, OW, F), x.dtype)
    windows, taps = window_offsets(W, C, OH, OW, 1), tap_offsets(W, C, KH, KW)
    _conv2d(x.ravel(), N, windows, taps, by_tap(w), b, y.ravel())
    return y


@parallel_kernel
def _conv2d(x, N, windows, taps, w, b, y):
    for n in prange(N):  # n owns y[n]
        _conv2d_image(np.intp(n), x, N, windows, taps, w, b, y)


@part
def _conv2d_image(n, x, N, windows, taps, w, b, y):
    F, OUT = b.size, windows.size
    base = n * (x.size // N)
    for f in range(0, F, LANES):
        bias = load_first(b, f, F - f)
        for p in range(0, OUT, ROWS):
            sums = gemm_tile(x, base, windows, p, taps, w, f, F, F - f, bias)
            for q in range(min(ROWS, OUT - p)):
                store_first(y, (n * OUT + p + q) * F + f, sums[q], F - f)


def conv2d_backward_params(dy, x, kernel_size):
    """See ``reference.conv2d_backward_params``.

    Seen from one image, dw is a valid convolution of x with dy in the place of the kernel: what
    was a window is a tap now, and what was a tap a window.
    """
    N, H, W, C = x.shape
    _, OH, OW, F = dy.shape
    KH, KW = kernel_size
    windows, taps = window_offsets(W, C, OH, OW, 1), tap_offsets(W, C, KH, KW)
    cuts, pairs = pieces(N)
    parts = empty((len(cuts) - 1, taps.size, F), x.dtype)
    _conv2d_backward_params(dy.ravel(), x.ravel(), cuts, windows, taps, parts)
    return sum_by_filter(parts, pairs, (F, KH, KW, C)), sum_over_batch(dy)


@parallel_kernel
def _conv2d_backward_params(dy, x, cuts, windows, taps, parts):
    for piece in prange(len(parts)):  # piece owns parts[piece]
        _conv2d_backward_params_of(np.intp(piece), dy, x, cuts, windows, taps, parts)


@part
def _conv2d_backward_params_of(piece, dy, x, cuts, windows, taps, parts):
    N = cuts[-1]
    parts[piece] = 0
    for n in range(cuts[piece], cuts[piece + 1]):
        x_n, dy_n = n * (x.size // N), n * (dy.size // N)
        correlate(x, x_n, windows, taps, dy, dy_n, parts[piece])


@part
def correlate(x, x_n, windows, taps, dy, dy_n, dw):
    """Add to dw (KH*KW*C, F) what one image at x[x_n] and its gradient at dy[dy_n] give."""
    T, F = dw.shape
    dw = dw.reshape(-1)
    for f in range(0, F, LANES):
        for t in range(0, T, ROWS):
            sums = gemm_tile(x, x_n, taps, t, windows, dy, dy_n + f, F, F - f, zeros(x))
            for q in range(min(ROWS, T - t)):
                at = (t + q) * F + f
                store_first(dw, at, add(load_first(dw, at, F - f), sums[q]), F - f)


def conv2d_backward_input(dy, w):
    """See ``reference.conv2d_backward_input``: a convolution of the framed dy."""
    _, KH, KW, C = w.shape
    framed = np.pad(dy, ((0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1), (0, 0)))
    turned = w[:, ::-1, ::-1, :].transpose(3, 1, 2, 0)  # (C,KH,KW,F): channels are its filters
    return conv2d(framed, turned, np.zeros(C, w.dtype))
