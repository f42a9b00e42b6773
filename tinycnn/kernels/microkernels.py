"""The innermost loops of all heavy kernels, and where their numbers lie in memory.

Two loops make dense sums, one makes sparse ones. All three keep their sums in registers and read
one run of neighboring numbers after another. A convolution, its gradients and a dense layer differ
only in where the runs begin. Arrays are flat here, and an "offset" counts from their start.

A batch whose gradient is one sum over all examples is halved, and its halves again, until 16
examples or fewer are left. Each such piece has an array of its own, and the arrays are added as
the batch was halved. So the bits do not depend on how many threads there are, and the sum over a
batch is, to the bit, that over its first half plus that over its second: on two machines, maybe.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinycnn.kernels.jit import part
from tinycnn.kernels.simd import (
    EIGHT,
    FIVE,
    LANES,
    add,
    each,
    equals,
    fill,
    fma,
    full,
    joined,
    load,
    loses,
    pick,
    row_at,
    select,
    store,
)
from tinycnn.kernels.threads import parallel_over

ROWS = len(EIGHT)  # dense sums made side by side: each weight that is loaded serves all of them

PIECE = 16  # so many examples have one sum; more are halved

MANY = 4096  # numbers that one thread does by itself: waking others takes about as long

FEW = 4  # so many examples give too few pieces for all threads, and are cut smaller


class Plan(NamedTuple):
    """What an operation is about to do: ``kernels`` does it once, inference again and again.

    ``fill`` computes y of the numbers that the arguments hold by then; before that, loops and other
    steps ``pack`` the ``packed`` arrays, which has to be done again when they have changed.
    """

    y: Any
    fill: Callable[[], object]
    pack: tuple[Callable[[], object], ...] = ()
    packed: tuple = ()


@part
def windows_from(r, offsets, base, group=EIGHT):
    """Return where windows begin, base + offsets[r], ...; past the end, the last comes again."""
    return add(base, pick(offsets, row_at(add(group, r), offsets.size, 1)))


@part
def gemm_tile(x, windows, taps, w, row, start):
    """Return vectors of sums, one for each of a few windows of x times the same weights.

        sums[q] = start + sum_m x[windows[q] + taps[m]] * w_row[m]

    ``taps`` says where the numbers of a window are, and ``row`` is (at, stride, count): w_row[m]
    is the vector of ``count`` weights at w[at + m*stride]; a tuple ``at``: for each.
    """
    at, stride, count = row
    sums = each(windows, start)
    for m in range(taps.size):
        w_row = load(w, add(at, m * stride), count)
        sums = fma(fill(x, add(windows, taps[m])), w_row, sums)
    return sums


@part
def gemm_tile_along(x, columns, C, taps, w, at):
    """Return vectors of sums over ``taps`` in a row, of weights that fill half of each, twice.

    They are for the windows that begin at ``columns``, and for those a column of C numbers later:
    so what is read serves two taps. The second half of each vector is for a window two columns on.
    """
    sums = each(columns + columns, full(0, x))
    for c in range(C):
        here = add(columns, c)
        left = joined(fill(x, here), fill(x, add(here, 2 * C)))
        for t in range(len(taps)):  # a tuple: so the compiler knows how many
            right = joined(fill(x, add(here, (t + 1) * C)), fill(x, add(here, (t + 3) * C)))
            sums = fma(left + right, each(sums, load(w, at + (t * C + c) * LANES)), sums)
            left = right
    return sums


@part
def axpy_rows(target, x, offsets, factors, span, slots):
    """Add windows of x, each times its own factor, to one window of ``target``.

        target[at + to] += sum_m factors[m] * x[offsets[m] + from_]     first <= m < first + count

    for all numbers of a window, which ``slots`` list as vectors; see ``window_slots``. ``span`` is
    (at, first, count). A ``group`` of vectors of the target stays in registers meanwhile.
    """
    (at, first, count), (full, tail, lanes, group) = span, slots
    for s in range(0, full.shape[1], len(group)):
        to, from_ = windows_from(s, full[0], at, group), windows_from(s, full[1], 0, group)
        totals = load(target, to)
        for m in range(first, first + count):
            totals = fma(fill(factors, m), load(x, add(offsets[m], from_)), totals)
        store(target, to, totals)
    for s in range(0, tail.shape[1], len(group)):
        to, from_ = windows_from(s, tail[0], at, group), windows_from(s, tail[1], 0, group)
        totals = load(target, to, lanes)
        for m in range(first, first + count):
            row = load(x, add(offsets[m], from_), lanes)
            totals = fma(fill(factors, m), row, totals)
        store(target, to, totals, lanes)


@part
def keep_larger(best, where, value, place):
    """Return the larger of two vectors lane by lane, and the place that it came from."""
    lost = loses(value, best)
    return select(lost, best, value), select(lost, where, full(place, best))


@part
def store_winner(four, y, winner, at, count):
    """Let the places 0 to 3 of a pooling window compete; write ReLU(best) and its place.

    Place 4, which does not exist, says that the ReLU silences the best.
    """
    nothing = full(0, y)
    best, where = keep_larger(four[0], nothing, four[1], 1)
    best, where = keep_larger(best, where, four[2], 2)
    best, where = keep_larger(best, where, four[3], 3)
    silenced = loses(best, nothing)
    store(y, at, select(silenced, nothing, best), count)
    store(winner, at, select(silenced, full(4, best), where), count)


@part
def store_living(value, y, winner, at, count):
    """Write ReLU(value) and, for want of others to compete with, whether it is silenced."""
    silenced, nothing = loses(value, full(0, y)), full(0, y)
    store(y, at, select(silenced, nothing, value), count)
    store(winner, at, silenced, count)


@part
def unpool(dy, winner, unpooled, places, size, db):
    """Write an image's gradient where its winners are in a map, zeros elsewhere; add it to db.

    ``places`` says where each row of the map begins, and each column in it.
    """
    (rows, columns), F = places, db.size
    for f in range(0, F, LANES):
        total = load(db, f, F - f)
        for i in range(len(rows) // size):
            for j in range(len(columns) // size):
                at = (i * (len(columns) // size) + j) * F + f
                gradient, place = load(dy, at, F - f), load(winner, at, F - f)
                for here in range(size * size):
                    u, v = divmod(here, size)
                    to = rows[i * size + u] + columns[j * size + v] + f
                    won = select(equals(place, here), gradient, full(0, dy))
                    store(unpooled, to, won, F - f)
                    total = add(total, won)
        store(db, f, total, F - f)


def empty(shape, dtype):
    """Return an array whose numbers begin at a cache line: vectors then never straddle two."""
    line, size = 64, math.prod(shape) * dtype.itemsize
    memory = np.empty(size + line, np.uint8)
    start = -memory.ctypes.data % line
    return memory[start : start + size].view(dtype).reshape(shape)


def in_rows(z):
    """Return z with the numbers of each example in a row, (N,...)."""
    return z.reshape(len(z), math.prod(z.shape[1:]))


def blocks(x):
    """Return into how many blocks of ``MANY`` numbers x is cut."""
    return (x.size + MANY - 1) // MANY


@functools.lru_cache
def window_offsets(W, C, OH, OW, size):
    """Return where windows begin in an image: (i, j) by (i, j), place by place."""
    i, j, u, v = np.indices((OH, OW, size, size))
    return (((i * size + u) * W + j * size + v) * C).ravel()


@functools.lru_cache
def window_slots(rows: int, run: int, to_row: int, from_row: int) -> tuple[Any, ...]:
    """Return where the vectors of a window of ``rows`` runs are in two arrays.

    Tables of to and from_ of all full vectors, and of what remains of each run, and how much that
    is; and how many are made at once: a group of five, or of three where that fits much better.
    """
    u, t = np.mgrid[:rows, 0:run:LANES].reshape(2, -1)
    slots, is_full = np.array([u * to_row + t, u * from_row + t]), t + LANES <= run
    tables = [np.ascontiguousarray(slots[:, mask]) for mask in (is_full, ~is_full)]
    five, three = (sum(-(-z.shape[1] // g) * g for z in tables) for g in (5, 3))
    return *tables, run % LANES, FIVE if 4 * five < 5 * three else FIVE[:3]


def halves(start, stop):
    """Return where the examples from ``start`` to ``stop`` are halved; None if they are not."""
    return start + (stop - start) // 2 if stop - start > PIECE else None


@functools.lru_cache
def pieces(N):
    """Return how N examples are cut where each piece needs sums of its own: (cuts, pairs).

    Piece p holds the examples cuts[p] to cuts[p + 1]. An empty batch has one empty piece, so that
    zeros are written. To add the pieces up, take all pairs (to, from_, last) in order and add
    from_ to piece ``to``: the sum ends in piece 0. A pair can be added when piece ``last`` exists.
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
    if len(parts) > 1:
        _add_pairs(blocks(parts[0]), (pairs, parts[0].size), (parts.reshape(-1),))
    return parts[0]


@parallel_over  # block owns its part of each array
def _add_pairs(block, read, written):
    (pairs, size), (parts,) = read, written
    last = min(size, (block + 1) * MANY)
    for pair in range(len(pairs)):
        to, from_ = pairs[pair, 0] * size, pairs[pair, 1] * size
        for m in range(block * MANY, last, LANES):
            both = add(*load((parts, parts), (to + m, from_ + m), last - m))
            store(parts, to + m, both, last - m)
