"""Convolution and its three gradients: eight windows at a time meet a vector of filters."""

import numpy as np

from tinycnn.kernels.jit import parallel_over, part
from tinycnn.kernels.memory import (
    by_tap,
    empty,
    in_rows,
    pieces,
    sum_by_filter,
    sum_over_batch,
    tap_offsets,
    window_offsets,
)
from tinycnn.kernels.microkernels import ROWS, gemm_tile, windows_from
from tinycnn.kernels.simd import LANES, add, load_first, store_first, zeros


def conv2d(x, w, b):
    """See ``reference.conv2d``."""
    N, H, W, C = x.shape
    F, KH, KW, _ = w.shape
    OH, OW = H - KH + 1, W - KW + 1
    y = empty((N, OH, OW, F), x.dtype)
    windows, taps = window_offsets(W, C, OH, OW, 1), tap_offsets(W, C, KH, KW)
    _conv2d(N, (in_rows(x), windows, taps, by_tap(w), b), (in_rows(y),))
    return y


@part
def _conv2d_image(n, read, written):
    (x, windows, taps, w, b), (y,) = read, written
    F = b.size
    for f in range(0, F, LANES):
        bias = load_first(b, f, F - f)
        for p in range(0, windows.size, ROWS):
            eight = windows_from(p, windows, 0)
            sums = gemm_tile(x[n], eight, taps, w, (f, F, F - f), bias)
            for q in range(min(ROWS, windows.size - p)):
                store_first(y[n], (p + q) * F + f, sums[q], F - f)


_conv2d = parallel_over(_conv2d_image)  # n owns y[n]


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
    _conv2d_backward_params(len(parts), (in_rows(dy), in_rows(x), windows, taps, cuts), (parts,))
    return sum_by_filter(parts, pairs, (F, KH, KW, C)), sum_over_batch(dy)


@part
def _conv2d_backward_params_of(piece, read, written):
    (dy, x, windows, taps, cuts), (parts,) = read, written
    parts[piece] = 0
    for n in range(cuts[piece], cuts[piece + 1]):
        correlate(x[n], windows, taps, dy[n], parts[piece])


_conv2d_backward_params = parallel_over(_conv2d_backward_params_of)  # piece owns parts[piece]


@part
def correlate(x, windows, taps, dy, dw):
    """Add to dw (KH*KW*C, F) what one image and its gradient give."""
    T, F = dw.shape
    dw = dw.reshape(-1)
    for f in range(0, F, LANES):
        for t in range(0, T, ROWS):
            sums = gemm_tile(x, windows_from(t, taps, 0), windows, dy, (f, F, F - f), zeros(x))
            for q in range(min(ROWS, T - t)):
                at = (t + q) * F + f
                store_first(dw, at, add(load_first(dw, at, F - f), sums[q]), F - f)


def conv2d_backward_input(dy, w):
    """See ``reference.conv2d_backward_input``: a convolution of the framed dy."""
    _, KH, KW, C = w.shape
    framed = np.pad(dy, ((0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1), (0, 0)))
    turned = w[:, ::-1, ::-1, :].transpose(3, 1, 2, 0)  # (C,KH,KW,F): channels are its filters
    return conv2d(framed, turned, np.zeros(C, w.dtype))
