"""The innermost loops of all heavy kernels: two for dense sums, one for sparse ones.

All three keep their sums in registers and read one run of neighboring numbers after another; a
convolution, its gradients and a dense layer differ only in where the runs begin. Arrays are flat
here, and an "offset" counts numbers from the start of one.
"""

import functools

import numpy as np

from tinycnn.kernels.jit import part
from tinycnn.kernels.simd import (
    LANES,
    beats,
    fill,
    fill_like,
    fma,
    load,
    load_first,
    select,
    store,
    store_first,
    zeros,
)

ROWS = 8
"""Dense sums made side by side: each weight that is loaded serves all of them."""


@part
def gemm_tile(x, base, offsets, r, taps, w, at, stride, count, start):
    """Return eight vectors of sums: eight windows of x, each times the same weights.

        sums[q] = start + sum_m x[base + offsets[r + q] + taps[m]] * w_row[m]

    Past the end of ``offsets`` the last one is taken again. ``taps`` tells where the numbers of
    a window stand, and w_row[m] is the vector of ``count`` weights at w[at + m*stride].
    """
    last = offsets.size - 1
    o0 = base + offsets[r]
    o1 = base + offsets[min(r + 1, last)]
    o2 = base + offsets[min(r + 2, last)]
    o3 = base + offsets[min(r + 3, last)]
    o4 = base + offsets[min(r + 4, last)]
    o5 = base + offsets[min(r + 5, last)]
    o6 = base + offsets[min(r + 6, last)]
    o7 = base + offsets[min(r + 7, last)]
    y0 = y1 = y2 = y3 = y4 = y5 = y6 = y7 = start
    for m in range(taps.size):
        tap, w_row = taps[m], load_first(w, at + m * stride, count)
        y0 = fma(fill(x, o0 + tap), w_row, y0)
        y1 = fma(fill(x, o1 + tap), w_row, y1)
        y2 = fma(fill(x, o2 + tap), w_row, y2)
        y3 = fma(fill(x, o3 + tap), w_row, y3)
        y4 = fma(fill(x, o4 + tap), w_row, y4)
        y5 = fma(fill(x, o5 + tap), w_row, y5)
        y6 = fma(fill(x, o6 + tap), w_row, y6)
        y7 = fma(fill(x, o7 + tap), w_row, y7)
    return y0, y1, y2, y3, y4, y5, y6, y7


@part
def gemm_tile_4x2(x, base, offsets, taps, w, at, stride, count):
    """Return what ``gemm_tile`` would for the first four windows and two vectors of weights.

        sums[q], sums[4 + q] = sum_m x[base + offsets[q] + taps[m]] * (w_row[m], and the next)

    For few windows: there ``gemm_tile`` would make half of its sums in vain.
    """
    last, first = offsets.size - 1, min(count, LANES)
    o0, o1 = base + offsets[0], base + offsets[min(1, last)]
    o2, o3 = base + offsets[min(2, last)], base + offsets[min(3, last)]
    y0 = y1 = y2 = y3 = z0 = z1 = z2 = z3 = zeros(w)
    for m in range(taps.size):
        tap, to = taps[m], at + m * stride
        w_row, w_next = load_first(w, to, first), load_first(w, to + first, count - first)
        y0, z0 = fma(fill(x, o0 + tap), w_row, y0), fma(fill(x, o0 + tap), w_next, z0)
        y1, z1 = fma(fill(x, o1 + tap), w_row, y1), fma(fill(x, o1 + tap), w_next, z1)
        y2, z2 = fma(fill(x, o2 + tap), w_row, y2), fma(fill(x, o2 + tap), w_next, z2)
        y3, z3 = fma(fill(x, o3 + tap), w_row, y3), fma(fill(x, o3 + tap), w_next, z3)
    return y0, y1, y2, y3, z0, z1, z2, z3


@part
def axpy_rows(target, at, x, offsets, factors, first, count, slots, tail):
    """Add ``count`` windows of x, each times its own factor, to one window of ``target``.

        target[at + to] += sum_m factors[m] * x[offsets[m] + from_]      first <= m < first + count

    for all numbers of a window, which ``slots`` and ``tail`` list as vectors; see
    ``window_slots``. Five vectors of the target stay in registers while windows are added.
    """
    for s in range(0, len(slots), 5):
        _add_five(target, at, x, offsets, factors, first, count, slots, s)
    for s in range(len(tail)):
        to, from_, lanes = at + tail[s, 0], tail[s, 1], tail[s, 2]
        total = load_first(target, to, lanes)
        for m in range(first, first + count):
            total = fma(fill(factors, m), load_first(x, offsets[m] + from_, lanes), total)
        store_first(target, to, total, lanes)


@part
def _add_five(target, at, x, offsets, factors, first, count, slots, s):
    """Serve slots s to s + 4; past the last one it is served again, with equal results."""
    last = len(slots) - 1
    to0, from0 = at + slots[s, 0], slots[s, 1]
    to1, from1 = at + slots[min(s + 1, last), 0], slots[min(s + 1, last), 1]
    to2, from2 = at + slots[min(s + 2, last), 0], slots[min(s + 2, last), 1]
    to3, from3 = at + slots[min(s + 3, last), 0], slots[min(s + 3, last), 1]
    to4, from4 = at + slots[min(s + 4, last), 0], slots[min(s + 4, last), 1]
    t0, t1, t2 = load(target, to0), load(target, to1), load(target, to2)
    t3, t4 = load(target, to3), load(target, to4)
    for m in range(first, first + count):
        o, factor = offsets[m], fill(factors, m)
        t0 = fma(factor, load(x, o + from0), t0)
        t1 = fma(factor, load(x, o + from1), t1)
        t2 = fma(factor, load(x, o + from2), t2)
        t3 = fma(factor, load(x, o + from3), t3)
        t4 = fma(factor, load(x, o + from4), t4)
    store(target, to0, t0)
    store(target, to1, t1)
    store(target, to2, t2)
    store(target, to3, t3)
    store(target, to4, t4)


@part
def keep_larger(best, where, value, place):
    """Return the larger of two vectors lane by lane, and the place that it came from."""
    wins = beats(value, best)
    return select(wins, value, best), select(wins, fill_like(place, best), where)


@part
def store_winner(best, where, places, y, winner, at, count):
    """Write ReLU(best), and where it came from; ``places`` where the ReLU silences it."""
    nothing = zeros(y)
    alive = beats(best, nothing)
    store_first(y, at, select(alive, best, nothing), count)
    store_first(winner, at, select(alive, where, fill_like(places, best)), count)


@part
def store_largest_of_four(y0, y1, y2, y3, y, winner, at, count):
    """Let the places 0 to 3 of a pooling window compete, and store the winner."""
    best, where = keep_larger(y0, zeros(y), y1, 1)
    best, where = keep_larger(best, where, y2, 2)
    best, where = keep_larger(best, where, y3, 3)
    store_winner(best, where, 4, y, winner, at, count)


@functools.lru_cache
def window_slots(rows: int, run: int, to_row: int, from_row: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the vectors of a window of ``rows`` runs stand in two arrays.

    The first table holds (to, from_) of all full vectors, the second one (to, from_, count) of
    what remains of each run.
    """
    starts = [(u, t) for u in range(rows) for t in range(0, run, LANES)]
    table = [(u * to_row + t, u * from_row + t, min(LANES, run - t)) for u, t in starts]
    full = [(to, from_) for to, from_, count in table if count == LANES]
    tail = [row for row in table if row[2] < LANES]
    return np.array(full, np.intp).reshape(-1, 2), np.array(tail, np.intp).reshape(-1, 3)
