"""Where numbers lie: arrays that begin at a cache line, pieces of a batch, tables of offsets.

A batch whose gradient is one sum over all examples is cut into pieces. Each piece has an array
of its own, and the arrays are added in order, so that no two threads write to one place and the
bits do not depend on how many there are.
"""

import functools
import math

import numpy as np
from numba import prange

from tinycnn.nn.kernels.compile import parallel_kernel, part

FEW = 4
"""Up to so many examples are done by the calling thread: waking others would take longer."""


def empty(shape, dtype):
    """Return an array whose numbers begin at a cache line: vectors then never straddle two."""
    line, size = 64, math.prod(shape) * dtype.itemsize
    memory = np.empty(size + line, np.uint8)
    start = -memory.ctypes.data % line
    return memory[start : start + size].view(dtype).reshape(shape)


def pieces(N):
    """Return into how many pieces N examples are cut where each needs sums of its own."""
    return max(1, (N + 15) // 16)  # the sum over no examples is zero, and somebody must write it


def sum_of_pieces(parts):
    """Return the sum of the pieces, parts[0] + parts[1] + ..., added in this order."""
    total = empty(parts.shape[1:], parts.dtype)
    _add_in_order(parts.reshape(len(parts), -1), total.reshape(-1))
    return total


@parallel_kernel
def _add_in_order(parts, total):
    block = 2048  # numbers, which stay in the nearest cache while all pieces are added
    for start in prange((total.size + block - 1) // block):  # start owns a block of total
        first = np.intp(start * block)
        _add_block(first, min(total.size, first + block), parts, total)


@part
def _add_block(first, last, parts, total):
    for m in range(first, last):
        total[m] = parts[0, m]
    for piece in range(1, len(parts)):
        for m in range(first, last):
            total[m] += parts[piece, m]


def sum_by_filter(parts, shape):
    """Return the sum of the pieces' dw (PIECES, KH*KW*C, F) as (F,KH,KW,C)."""
    return np.ascontiguousarray(sum_of_pieces(parts).T).reshape(shape)


def by_tap(w):
    """Return w (F,KH,KW,C) flat with the filters of one tap side by side: (KH,KW,C,F)."""
    return np.ascontiguousarray(w.reshape(w.shape[0], -1).T).ravel()


@functools.lru_cache
def window_offsets(W, C, OH, OW, size):
    """Return where windows begin in an image: (i, j) by (i, j), place by place."""
    i, j, u, v = np.indices((OH, OW, size, size))
    return (((i * size + u) * W + j * size + v) * C).ravel()


@functools.lru_cache
def tap_offsets(W, C, KH, KW):
    """Return where the taps (u, v, c) of a kernel laid over an image's corner stand."""
    u, v, c = np.indices((KH, KW, C))
    return ((u * W + v) * C + c).ravel()
