"""Where to evaluate polynomials: ``python -m benchmarks.points`` prints what each choice costs.

Winograd's way gives the right sums for any different points, but in float32 some lose more
digits than others. Each set is tried on the second convolution of ``lenet`` with normal numbers.
"""

from collections.abc import Sequence
from fractions import Fraction
from unittest import mock

import numpy as np
from rich.console import Console

from benchmarks.operations import POOLED, Call, difference
from benchmarks.tables import new_table
from tinycnn.kernels import winograd

SETS = ("0 1 -1 2 -2 1/2 -1/2", "0 1 -1 1/2 -2 2 -1/2", "0 1 -1 2 -2 3 -3", "0 1 -1 2 -2 4 -4")
"""The first five of each serve tiles of 2x2 outputs, all seven tiles of 4x4."""


def error(points: Sequence[str], outputs: int) -> float:
    """Return how far float32 is from the float64 reference, relative to the largest number."""
    rng = np.random.default_rng(0)
    given = {
        "x": rng.standard_normal((16, 12, 12, 32)).astype(np.float32),
        "w": rng.standard_normal((64, 5, 5, 32)).astype(np.float32),
        "b": np.zeros(64, np.float32),
        "size": 2,
    }
    fractions = tuple(Fraction(p) for p in points)
    try:
        with (
            mock.patch.object(winograd, "POINTS", fractions),
            mock.patch.object(winograd, "tile_outputs", return_value=outputs),
        ):
            winograd.matrices.cache_clear()
            return difference(Call(POOLED, given))
    finally:
        winograd.matrices.cache_clear()


def main() -> None:
    """Print a table of the errors."""
    table = new_table("points, besides infinity", "tiles of 2x2", "tiles of 4x4", words=1)
    for row in SETS:
        points = row.split()
        errors = error(points[:5], 2), error(points, 4)
        table.add_row(" ".join(points), *(f"{e:.1e}" for e in errors))
    with mock.patch.object(winograd, "pays", return_value=False):
        table.add_row("none: every sum computed", f"{error(SETS[0].split(), 2):.1e}", "")
    Console(width=100, highlight=False).print(table)


if __name__ == "__main__":
    main()
