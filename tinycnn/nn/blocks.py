"""The two innermost loops of all heavy kernels: one for dense sums, one for sparse ones.

Both keep their sums in registers and read one run of neighbouring numbers after another; a
convolution, its gradients and a dense layer differ only in where the runs begin. Arrays are flat
here, and an "offset" counts numbers from the start of one.
"""

from tinycnn.nn.compile import kernel
from tinycnn.nn.vectors import LANES, fill, fma, load_first, store_first

ROWS = 8
"""Dense sums made side by side: each weight that is loaded serves all of them."""


@kernel
def eight_sums(x, base, offsets, r, row, rows, step, run, w, at, stride, count, start):
    """Return eight vectors of sums: eight windows of x, each times the same weights.

        sums[q] = start + sum_{u < rows, t < run} x[o_q + u*row + t*step] * w_row[u*run + t]

    o_q is base + offsets[r + q] (past the end, the last offset again), a window is ``rows`` runs
    of ``run`` numbers, and w_row[m] is the vector of ``count`` weights at w[at + m*stride].
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
    for u in range(rows):
        t = u * row
        for _ in range(run):
            w_row = load_first(w, at, count)
            y0 = fma(fill(x[o0 + t]), w_row, y0)
            y1 = fma(fill(x[o1 + t]), w_row, y1)
            y2 = fma(fill(x[o2 + t]), w_row, y2)
            y3 = fma(fill(x[o3 + t]), w_row, y3)
            y4 = fma(fill(x[o4 + t]), w_row, y4)
            y5 = fma(fill(x[o5 + t]), w_row, y5)
            y6 = fma(fill(x[o6 + t]), w_row, y6)
            y7 = fma(fill(x[o7 + t]), w_row, y7)
            at += stride
            t += step
    return y0, y1, y2, y3, y4, y5, y6, y7


@kernel
def add_windows(target, at, target_row, x, offsets, factors, count, x_row, rows, run):
    """Add ``count`` windows of x, each times its own factor, to one window of ``target``.

        target[at + u*target_row + t] += sum_{m < count} factors[m] * x[offsets[m] + u*x_row + t]

    A window is ``rows`` runs of ``run`` numbers; a vector of the target is loaded and stored once
    for all of the windows that are added to it.
    """
    for u in range(rows):
        for t in range(0, run, LANES):
            place = at + u * target_row + t
            source = u * x_row + t
            total = load_first(target, place, run - t)
            for m in range(count):
                window = load_first(x, offsets[m] + source, run - t)
                total = fma(fill(factors[m]), window, total)
            store_first(target, place, total, run - t)
