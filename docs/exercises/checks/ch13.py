"""Chapter 12: a kernel is right before it is fast; both are measured."""

from collections.abc import Callable

import numpy as np

from benchmarks.kernels import naive_kernels
from checking import compare, insist
from tinycnn import kernels
from tinycnn.nn import reference
from tinycnn.timing import Version, interleave

ENOUGH = 3.0
"""How many times as fast as the plain loops a convolution should be."""

ROUNDS = 7


def conv2d(answer, rng):
    for _ in range(4):
        N, C, F, KH, KW = (int(size) for size in rng.integers(1, 5, 5))
        H, W = KH + int(rng.integers(0, 5)), KW + int(rng.integers(0, 5))
        _compare_with_reference(answer, rng, (N, H, W, C), (F, KH, KW, C))
    _compare_with_reference(answer, rng, (2, 7, 6, 9), (37, 3, 2, 9))
    x, w, b = _numbers(rng, (8, 12, 12, 32), (64, 5, 5, 32))
    times = _quickest(
        lambda: answer(x, w, b),
        lambda: naive_kernels.conv2d(x, w, b),
        lambda: kernels.conv2d(x, w, b),
    )
    yours, slow, library = (1e6 * seconds / len(x) for seconds in times)
    figures = (
        f"{yours:,.0f} µs an image, {slow / yours:.1f} times as fast as the plain loops "
        f"({slow:,.0f} µs);\nthe library, with all its threads: {library:,.0f} µs"
    )
    insist(
        slow / yours >= ENOUGH,
        f"right, but not fast yet: {figures}\n"
        f"hint: for {ENOUGH:g} times, let the innermost loop run over f; every sum is then on its "
        "own,\nand none waits. For that the weights of all filters at one place should be "
        "neighbors",
    )
    return figures


def _compare_with_reference(answer, rng, x_shape, w_shape):
    x, w, b = _numbers(rng, x_shape, w_shape)
    exact = reference.conv2d(*(z.astype(np.float64) for z in (x, w, b)))
    given = answer(x.copy(), w.copy(), b.copy())
    insist(given is not None, "your function returns None")
    insist(given.dtype == np.float32, f"y is {given.dtype}; what comes in is float32")
    mistakes = {
        "the bias is missing": exact - b,
        "the bias is added once for each tap": exact + b * (w[0].size - 1),
    }
    sizes = f"for x {x.shape} and w {w.shape}, y"
    compare(sizes, given, exact, mistakes, close=1e-5)


def maxpool2d(answer, rng):
    for size in (2, 3):
        x = rng.integers(-3, 4, (3, 7, 8, 5)).astype(np.float32)  # few values: many ties
        x[0, 0, 0, 0] = np.nan
        for name, given, right in zip(
            ("y", "winner"), answer(x.copy(), size), reference.maxpool2d(x, size), strict=True
        ):
            insist(
                np.array_equal(given, right, equal_nan=True),
                f"{name} is not what the reference gives\n"
                "hint: of equal numbers the first wins, and a NaN wins over everything",
            )
    x = rng.standard_normal((128, 24, 24, 32)).astype(np.float32)
    yours, slow = _quickest(lambda: answer(x, 2), lambda: reference.maxpool2d(x, 2))
    yours, slow = 1e6 * yours / len(x), 1e6 * slow / len(x)
    return f"{yours:,.1f} µs an image; the reference takes {slow / yours:.0f} times as long"


def _numbers(rng, x_shape, w_shape):
    shapes = x_shape, w_shape, w_shape[:1]
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def _quickest(*works: Callable[[], object]) -> list[float]:
    """Return the least seconds of each, interleaved, so that a disturbance hits all."""
    versions = {str(number): Version(work) for number, work in enumerate(works)}
    return [min(seconds) for seconds in interleave(versions, ROUNDS).values()]


CHECKS = {"conv2d": conv2d, "maxpool2d": maxpool2d}
