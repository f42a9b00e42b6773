"""What the machine can do at most: multiply and add in registers, with nothing to load or store."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numba import prange

from benchmarks.ideas import threads
from benchmarks.peers.tinycnn_peer import matrix_product
from benchmarks.turns import Version, starting_with
from benchmarks.worker import sleep_until_idle
from tinycnn.nn import get_threads
from tinycnn.nn.kernels.compile import kernel, parallel_kernel
from tinycnn.nn.kernels.dense import product
from tinycnn.nn.kernels.vectors import LANES, add, fma, load, store

SIZE = 1024
"""Rows and columns of the matrices that are multiplied for comparison."""

TIMES = 100_000
"""How often eight vectors are multiplied and added to in a call."""

CALLS = 50
"""Calls in a turn; the shortest counts."""


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
def _on_threads(a, times):
    for row in prange(len(a)):  # row owns a[row]
        eight_chains(a[row], times)


def flops(times: int) -> int:
    """Return the operations of ``eight_chains``, two for each multiply-and-add."""
    return 2 * 8 * LANES * times


def time_peaks(rounds: int) -> dict[str, list[float]]:
    """Return GFLOP/s of arithmetic alone and of large matrix products, one value a round."""
    work = _work()
    peaks: dict[str, list[float]] = {name: [] for name in work}
    for number in range(rounds):
        for name in starting_with(number, list(work)):
            operations, version = work[name]
            peaks[name].append(1e-9 * operations / _shortest(version))
    return peaks


def _work() -> dict[str, tuple[int, Version]]:
    """Return what is timed, and how many operations it takes."""
    most, nothing = get_threads(), np.zeros(SIZE, np.float32)
    rng = np.random.default_rng(0)
    numbers = rng.random((most, 8 * LANES), dtype=np.float32) / 2
    a, b = rng.random((2, SIZE, SIZE), dtype=np.float32)
    times = np.intp(TIMES)
    ours, numpys = partial(product, a, b, nothing), partial(matrix_product, a, b)
    return {
        "in registers, one thread": (
            flops(TIMES), Version(partial(eight_chains, numbers[0], times))
        ),
        f"in registers, threads: {most}": (
            most * flops(TIMES), Version(partial(_on_threads, numbers, times))
        ),
        "our matrix product, one thread": (2 * SIZE**3, Version(ours, partial(threads, 1))),
        f"our matrix product, threads: {most}": (2 * SIZE**3, Version(ours)),
        "NumPy's matrix product, its own threads": (2 * SIZE**3, Version(numpys)),
    }  # fmt: skip


def _shortest(version: Version) -> float:
    """Return the seconds of the least disturbed of several calls: a peak is no median."""
    sleep_until_idle()
    with version.setting():
        version.work()
        return min(_seconds(version.work) for _ in range(CALLS))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
