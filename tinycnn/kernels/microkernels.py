"""The innermost loops of all heavy kernels: two for dense sums, one for sparse ones.

All three keep their sums in registers and read one run of neighboring numbers after another; a
convolution, its gradients and a dense layer differ only in where the runs begin. Arrays are flat
here, and an "offset" counts numbers from the start of one.
"""

import functools

import numpy as np

from tinycnn.kernels.jit import part
from tinycnn.kernels.simd import (
    EIGHT,
    FIVE,
    LANES,
    add,
    beats,
    each,
    fill,
    fill_like,
    fma,
    least,
    load,
    load_first,
    pick,
    select,
    store,
    store_first,
    zeros,
)

ROWS = len(EIGHT)
"""Dense sums made side by side: each weight that is loaded serves all of them."""


@part
def windows_from(r, offsets, base):
    """Return where eight windows begin, base + offsets[r], ...; past the end, the last again."""
    return add(base, pick(offsets, least(add(EIGHT, r), offsets.size - 1)))


@part
def gemm_tile(x, windows, taps, w, row, start):
    """Return eight vectors of sums: eight windows of x, each times the same weights.

        sums[q] = start + sum_m x[windows[q] + taps[m]] * w_row[m]

    ``taps`` tells where the numbers of a window stand, and ``row`` is (at, stride, count): w_row[m]
    is the vector of ``count`` weights at w[at + m*stride].
    """
    at, stride, count = row
    sums = each(windows, start)
    for m in range(taps.size):
        w_row = load_first(w, at + m * stride, count)
        sums = fma(fill(x, add(windows, taps[m])), w_row, sums)
    return sums


@part
def gemm_tile_4x2(x, windows, taps, w, row):
    """Return what ``gemm_tile`` would for four windows, and for the next vector of weights.

    For few windows: there ``gemm_tile`` would make half of its sums in vain.
    """
    at, stride, count = row
    first = min(count, LANES)
    sums = more = each(windows, zeros(w))
    for m in range(taps.size):
        to, values = at + m * stride, fill(x, add(windows, taps[m]))
        sums = fma(values, load_first(w, to, first), sums)
        more = fma(values, load_first(w, to + first, count - first), more)
    return sums, more


@part
def axpy_rows(target, x, offsets, factors, span, full, tail):
    """Add windows of x, each times its own factor, to one window of ``target``.

        target[at + to] += sum_m factors[m] * x[offsets[m] + from_]     first <= m < first + count

    for all numbers of a window, which ``full`` and ``tail`` list as vectors; see ``window_slots``.
    ``span`` is (at, first, count). Five vectors of the target stay in registers meanwhile.
    """
    at, first, count = span
    for s in range(0, full.shape[1], len(FIVE)):
        # past the last slot it is served again, with equal results
        which = least(add(FIVE, s), full.shape[1] - 1)
        to, from_ = add(at, pick(full[0], which)), pick(full[1], which)
        totals = load(target, to)
        for m in range(first, first + count):
            totals = fma(fill(factors, m), load(x, add(offsets[m], from_)), totals)
        store(target, to, totals)
    for s in range(len(tail)):
        to, from_, lanes = at + tail[s, 0], tail[s, 1], tail[s, 2]
        total = load_first(target, to, lanes)
        for m in range(first, first + count):
            total = fma(fill(factors, m), load_first(x, offsets[m] + from_, lanes), total)
        store_first(target, to, total, lanes)


@part
def keep_larger(best, where, value, place):
    """Return the larger of two vectors lane by lane, and the place that it came from."""
    wins = beats(value, best)
    return select(wins, value, best), select(wins, fill_like(place, best), where)


@part
def store_winner(four, y, winner, at, count):
    """Let the places 0 to 3 of a pooling window compete; write ReLU(best) and where it stood.

    Place 4, which does not exist, says that the ReLU silences the best.
    """
    nothing = zeros(y)
    best, where = keep_larger(four[0], nothing, four[1], 1)
    best, where = keep_larger(best, where, four[2], 2)
    best, where = keep_larger(best, where, four[3], 3)
    alive = beats(best, nothing)
    store_first(y, at, select(alive, best, nothing), count)
    store_first(winner, at, select(alive, where, fill_like(4, best)), count)


@functools.lru_cache
def window_slots(rows: int, run: int, to_row: int, from_row: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the vectors of a window of ``rows`` runs stand in two arrays.

    The first table holds to and from_ of all full vectors, the second one (to, from_, count) of
    what remains of each run.
    """
    starts = [(u, t) for u in range(rows) for t in range(0, run, LANES)]
    table = [(u * to_row + t, u * from_row + t, min(LANES, run - t)) for u, t in starts]
    full = [(to, from_) for to, from_, count in table if count == LANES]
    tail = [row for row in table if row[2] < LANES]
    return np.array(full, np.intp).reshape(-1, 2).T.copy(), np.array(tail, np.intp).reshape(-1, 3)
