"""Is a gradient right? Nudge a number a little, and see how much the result really changes.

A wrong derivative is easily written and hard to notice: a network often learns with it, only
worse. So a gradient dz that was derived by hand is compared with central differences, for each
number z[m] that the result depends on:

    dz[m] = sum( dy * (f(z + step * e_m) - f(z - step * e_m)) ) / (2 * step)

where e_m is 1 at m and 0 elsewhere. ``dy`` is random; were it all ones, a transposed or shuffled
dy would go unnoticed. A large array is moved as a whole along a random direction v instead of
e_m, and the difference is compared with sum(dz * v): two evaluations, however large.

The relative error of two numbers is their difference over the larger one, but at least over a
thousandth of the largest number in dz, or along a direction over the length of dz. All is done in
float64.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.nn.checks import Array

STEP = 1e-5
"""Near the cube root of float64's precision, where cutting and rounding errors balance."""

LIMIT = 1e-6
"""The largest relative error of a right gradient; measured ones stay far below."""

FULL = 500
"""Arrays of at most so many numbers are checked number by number."""

Gradients = Mapping[str, tuple[Array, Array]]
"""From the name of an argument z to z itself and dz."""

Function = Callable[[], Any]


@dataclass(frozen=True)
class Comparison:
    """The worst of the comparisons that were made for one argument of one operation."""

    operation: str
    argument: str
    size: int
    index: tuple[int, ...]  # (): along a random direction
    analytic: float
    numerical: float
    error: float

    @property
    def ok(self) -> bool:
        """Whether the gradient is right; never when a NaN is in play."""
        return self.error <= LIMIT

    def __str__(self) -> str:
        where = str(list(self.index)) if self.index else " along a random direction"
        return (
            f"{self.operation}: d{self.argument}{where} is {self.analytic:.9g}, but finite "
            f"differences give {self.numerical:.9g} "
            f"(relative error {self.error:.1e}, limit {LIMIT:.0e})"
        )


class GradientError(AssertionError):
    """A gradient is wrong: the message says where, ``comparisons`` holds the right ones too."""

    def __init__(self, comparisons: Sequence[Comparison]) -> None:
        super().__init__("\n".join(str(c) for c in comparisons if not c.ok))
        self.comparisons = list(comparisons)


def slope(f: Function, z: Array, v: Array, dy: Any, step: float = STEP) -> float:
    """Return how fast sum(dy * f()) grows when z moves along v.

    ``f`` takes no argument and reads z, which is moved in place and put back. Results are
    subtracted before they are summed, so that whatever z does not touch cancels exactly.
    """
    before = z.copy()
    z[...] = before + step * v
    above = np.array(f())  # a copy: f may return a view of z
    z[...] = before - step * v
    below = np.array(f())
    z[...] = before
    return float(np.sum(dy * (above - below)) / (2 * step))


def numerical_gradient(f: Function, z: Array, dy: Any, step: float = STEP) -> Array:
    """Return the gradient of sum(dy * f()) with respect to z, number by number."""
    axes = np.eye(z.size).reshape(z.size, *z.shape)
    return np.array([slope(f, z, e, dy, step) for e in axes]).reshape(z.shape)


def check(
    operation: str,
    f: Function,
    gradients: Gradients,
    dy: Any,
    step: float = STEP,
    full: int = FULL,
    seed: int = 0,
) -> list[Comparison]:
    """Compare each dz of ``gradients`` with finite differences of sum(dy * f()).

    ``f`` takes no argument and reads the arrays z, all float64; those of more than ``full``
    numbers are moved along a direction drawn from ``seed``. Returns a Comparison for each
    argument; raises GradientError if one of them is wrong.
    """
    rng, comparisons = np.random.default_rng(seed), []
    for argument, (z, dz) in gradients.items():
        if z.dtype != np.float64 or dz.shape != z.shape:
            raise AssertionError(
                f"{operation}: d{argument} has shape {dz.shape}; "
                f"{argument} has shape {z.shape} and is {z.dtype}, expected float64"
            )
        if z.size <= full:
            analytic: Any = dz
            found = numerical_gradient(f, z, dy, step)
            least = max(abs(dz).max(initial=0), abs(found).max(initial=0)) / 1000
        else:
            v = rng.standard_normal(z.shape)
            analytic, found = np.sum(dz * v), np.array(slope(f, z, v, dy, step))
            least = np.linalg.norm(dz)
        comparisons.append(Comparison(operation, argument, z.size, *_worst(analytic, found, least)))
    if not all(comparison.ok for comparison in comparisons):
        raise GradientError(comparisons)
    return comparisons


def _worst(dz: Any, found: Any, least: float) -> tuple[tuple[int, ...], float, float, float]:
    """Return the index where two gradients differ most, both numbers, and their relative error."""
    larger = np.maximum(np.maximum(abs(dz), abs(found)), least)
    errors = np.asarray(abs(dz - found) / np.where(larger == 0, 1, larger))
    at = tuple(map(int, np.unravel_index(errors.argmax(), errors.shape)))  # a NaN is the largest
    return at, float(dz[at]), float(found[at]), float(errors[at])


def spread(rng: np.random.Generator, *shape: int) -> Array:
    """Return numbers from -1 to 1, evenly spread and shuffled: no two alike and none near 0.

    At a kink, where a maximum changes hands or a ReLU opens, there is no derivative to compare
    with. Such numbers keep maxima and ReLUs further from their kinks than a step.
    """
    size = math.prod(shape)
    return ((2 * rng.permutation(size) + 1.5) / size - 1).reshape(shape)
