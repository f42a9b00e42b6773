"""What the machine can do at most, in registers and in large matrix products."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.arithmetic import TIMES, eight_chains, flops, on_threads
from benchmarks.ideas import threads
from benchmarks.peers.tinycnn_peer import matrix_product
from tinycnn.kernels.products import product
from tinycnn.kernels.simd import LANES
from tinycnn.nn import get_threads
from tinycnn.timing import Version, sleep_until_idle, starting_with

SIZE = 1024
"""Rows and columns of the matrices that are multiplied for comparison."""

CALLS = 50
"""Calls in a turn; the shortest counts."""


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
            most * flops(TIMES), Version(partial(on_threads, numbers, times))
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
