"""Chapter 13: a kernel is right before it is fast; both are measured."""

import numpy as np

from benchmarks.interleave import Version, interleave
from benchmarks.kernels import naive_kernels
from checking import compare, insist
from tinycnn import kernels
from tinycnn.nn import reference

ENOUGH = 3.0
"""How many times as fast as the plain loops a convolution should be."""

ROUNDS = 7


def conv2d(answer, rng):
    for _ in range(4):
        N, C, F, KH, KW = (int(size) for size in rng.integers(1, 5, 5))
        H, W = KH + int(rng.integers(0, 5)), KW + int(rng.integers(0, 5))
        _compare_with_reference(answer, rng, (N, H, W, C), (F, KH, KW, C))
    _compare_with_reference(answer, rng, (2, 7, 6, 9), (37, 3, 2, 9))
    x, w, b = _numbers(rng, (8, 12, 12, 32), (64, 5, 5, 32), (64,))
    works = {"yours": answer, "loops": naive_kernels.conv2d, "library": kernels.conv2d}
    versions = {name: Version(lambda f=f: f(x, w, b)) for name, f in works.items()}
    times = interleave(versions, ROUNDS).values()  # a disturbance hits all
    yours, slow, library = (1e6 * min(seconds) / len(x) for seconds in times)
    figures = (
        f"{yours:,.0f} µs per image, {slow / yours:.1f} times as fast as the plain loops "
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
    x, w, b = _numbers(rng, x_shape, w_shape, w_shape[:1])
    exact = reference.conv2d(*(z.astype(np.float64) for z in (x, w, b)))
    given = answer(x, w, b)
    insist(given.dtype == np.float32, f"y is {given.dtype}; what comes in is float32")
    mistakes = {
        "the bias is missing": exact - b,
        "the bias is added once for each tap": exact + b * (w[0].size - 1),
    }
    compare(f"for x {x.shape} and w {w.shape}, y", given, exact, mistakes, close=1e-5)


def sgd_update(answer, rng):
    z, dz, velocity = _numbers(rng, *[(3, 1700)] * 3)  # more than one block of the kernel
    step = 0.1 * (dz + 0.01 * z)
    new = 0.9 * velocity - step
    moved_first = z + 0.9 * new - 0.1 * (dz + 0.01 * (z + 0.9 * new))
    mistakes = {
        "that is plain momentum, as the kernel comes; chapter 13 has the formula": z + new,
        "the gradient belongs to the old z: compute it before z moves": moved_first,
        "z moves by the share of the new velocity and by the gradient": z + 0.9 * new,
        "weight decay is part of the gradient in both places": z + 0.9 * new - 0.1 * dz,
    }
    given, kept = z.copy(), velocity.copy()
    answer.__wrapped__(given, dz.copy(), kept, 0.1, 0.9, 0.01)
    compare("velocity", kept, new, close=1e-5)
    compare("z", given, z + 0.9 * new - step, mistakes, close=1e-5)


def _numbers(rng, *shapes):
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
