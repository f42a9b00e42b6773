"""What the machine can do at most: large products of float32 matrices."""

from collections.abc import Callable

import numpy as np

from benchmarks.ideas import threads
from benchmarks.peers.tinycnn_peer import matrix_product
from benchmarks.turns import Version, take_turns
from tinycnn.nn import get_threads
from tinycnn.nn.kernels.dense import product

SIZE = 1024
"""Rows and columns of the matrices."""


def time_peaks(rounds: int) -> dict[str, list[float]]:
    """Return GFLOP/s of NumPy's product and of ours, one value a round."""
    a, b = np.random.default_rng(0).random((2, SIZE, SIZE), dtype=np.float32)
    nothing, most = np.zeros(SIZE, np.float32), get_threads()
    ours: Callable[[], object] = lambda: product(a, b, nothing)  # noqa: E731
    versions = {
        "NumPy's library, all cores": Version(lambda: matrix_product(a, b)),
        "our product, one thread": Version(ours, lambda: threads(1)),
        f"our product, threads: {most}": Version(ours),
    }
    seconds = take_turns(versions, rounds)
    return {name: [2e-9 * SIZE**3 / s for s in values] for name, values in seconds.items()}
