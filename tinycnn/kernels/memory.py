"""Where numbers lie: arrays that begin at a cache line, pieces of a batch, tables of offsets.

A batch whose gradient is one sum over all examples is cut into pieces: it is halved, and its
halves again, until 16 examples or fewer are left. Each piece has an array of its own, so that no
two threads write to one place, and the arrays are added as the batch was halved. So the bits do
not depend on how many threads there are, and the sum over a batch is, to the bit, the sum over
its first half plus the sum over its second: halves may as well be summed on two machines.
"""

import functools
import math

import numpy as np
from numba import prange

from tinycnn.kernels.jit import kernel, parallel_kernel, part

PIECE = 16
"""So many examples have one sum; more are halved."""

FEW = 4
"""Up to so many examples are done by the calling thread: waking others would take longer."""


def empty(shape, dtype):
    """Return an array whose numbers begin at a cache line: vectors then never straddle two."""
    line, size = 64, math.prod(shape) * dtype.itemsize
    memory = np.empty(size + line, np.uint8)
    start = -memory.ctypes.data % line
    return memory[start : start + size].view(dtype).reshape(shape)


def by_place(z):
    """Return z (N,OH,OW,F) as (N,OH*OW,F)."""
    N, OH, OW, F = z.shape
    return z.reshape(N, OH * OW, F)


def in_rows(z):
    """Return z with the numbers of each example in a row, (N,...)."""
    return z.reshape(len(z), math.prod(z.shape[1:]))


def halves(start, stop):
    """Return where the examples from ``start`` to ``stop`` are halved; None if they are not."""
    return start + (stop - start) // 2 if stop - start > PIECE else None


@functools.lru_cache
def pieces(N):
    """Return how N examples are cut where each piece needs sums of its own: (cuts, pairs).

    Piece p holds the examples cuts[p] to cuts[p + 1]; of no examples there is one empty piece,
    because somebody must write the zeros. To add the pieces up, take all pairs (to, from_, last)
    in order and add from_ to piece ``to``: the sum ends in piece 0. A pair can be added when
    piece ``last`` is there.
    """
    cuts, pairs = [0], []

    def cut(start, stop):
        first, middle = len(cuts) - 1, halves(start, stop)
        if middle is None:
            cuts.append(stop)
        else:
            cut(start, middle)
            second = len(cuts) - 1
            cut(middle, stop)
            pairs.append((first, second, len(cuts) - 2))

    cut(0, N)
    return np.array(cuts, np.intp), np.array(pairs, np.intp).reshape(-1, 3)


def sum_of_pieces(parts, pairs):
    """Return the sum of the pieces in ``parts``, which is used up, added as ``pairs`` tell."""
    total = empty(parts.shape[1:], parts.dtype)
    _add_pairs(parts.reshape(len(parts), -1), pairs, total.reshape(-1))
    return total


@parallel_kernel
def _add_pairs(parts, pairs, total):
    block = 2048  # numbers, which stay in a near cache while all pieces are added
    for start in prange((total.size + block - 1) // block):  # start owns a block of each array
        first = np.intp(start * block)
        _add_block(first, min(total.size, first + block), parts, pairs, total)


@part
def _add_block(first, last, parts, pairs, total):
    for pair in range(len(pairs)):
        to, from_ = pairs[pair, 0], pairs[pair, 1]
        for m in range(first, last):
            parts[to, m] += parts[from_, m]
    for m in range(first, last):
        total[m] = parts[0, m]


def sum_over_batch(dy):
    """Return the sum of dy (N,...,F) over all but the last axis, (F,), by pieces."""
    cuts, pairs = pieces(len(dy))
    F, rows = dy.shape[-1], math.prod(dy.shape[1:-1])
    total = empty((F,), dy.dtype)
    _sum_rows(dy.reshape(-1, F), cuts * rows, pairs, total)
    return total


@kernel
def _sum_rows(dy, cuts, pairs, total):
    parts = np.zeros((len(cuts) - 1, total.size), dy.dtype)
    for piece in range(len(parts)):
        for r in range(cuts[piece], cuts[piece + 1]):
            for f in range(total.size):
                parts[piece, f] += dy[r, f]
    _add_block(0, total.size, parts, pairs, total)


def sum_by_filter(parts, pairs, shape):
    """Return the sum of the pieces' dw (PIECES, KH*KW*C, F) as (F,KH,KW,C)."""
    return np.ascontiguousarray(sum_of_pieces(parts, pairs).T).reshape(shape)


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
