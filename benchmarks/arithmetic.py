"""Nothing but arithmetic: multiply and add in registers, with nothing to load or store."""

import time

import numpy as np
from numba import prange

from tinycnn.kernels.jit import kernel, parallel_kernel
from tinycnn.kernels.simd import LANES, add, fma, load, store
from tinycnn.nn import get_threads

TIMES = 100_000
"""How often eight vectors are multiplied and added to in a call."""

CALLS = 50
"""Calls of which the shortest counts: a peak is no median."""


@kernel
def eight_chains(a, times):
    """Replace the eight vectors y of ``a`` by y * y0 + y0, again and again."""
    n = np.intp(LANES)
    factor = load(a, 0)
    y0, y1, y2, y3 = factor, load(a, n), load(a, 2 * n), load(a, 3 * n)
    y4, y5, y6, y7 = load(a, 4 * n), load(a, 5 * n), load(a, 6 * n), load(a, 7 * n)
    for _ in range(times):
        y0, y1 = fma(y0, factor, factor), fma(y1, factor, factor)
        y2, y3 = fma(y2, factor, factor), fma(y3, factor, factor)
        y4, y5 = fma(y4, factor, factor), fma(y5, factor, factor)
        y6, y7 = fma(y6, factor, factor), fma(y7, factor, factor)
    total = add(add(add(y0, y1), add(y2, y3)), add(add(y4, y5), add(y6, y7)))
    store(a, n, total)  # or the compiler would find that nobody needs them


@parallel_kernel
def on_threads(a, times):
    for row in prange(len(a)):  # row owns a[row]
        eight_chains(a[row], times)


def flops(times: int) -> int:
    """Return the operations of ``eight_chains``, two for each multiply-and-add."""
    return 2 * 8 * LANES * times


def gflops() -> float:
    """Return the GFLOP/s that all threads together reach."""
    numbers = np.full((get_threads(), 8 * LANES), 0.25, np.float32)
    on_threads(numbers, np.intp(TIMES))
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        on_threads(numbers, np.intp(TIMES))
        seconds.append(time.perf_counter() - start)
    return 1e-9 * len(numbers) * flops(TIMES) / min(seconds)
