"""Is a gradient right? Nudge a number a little, and see how much the result really changes.

A wrong derivative is easily written and hard to notice: a network often learns with it, only
worse. So a gradient dz that was derived by hand is compared with central differences, for each
number z[m] that the result depends on:

    dz[m] = sum( dy * (f(z + step * e_m) - f(z - step * e_m)) ) / (2 * step)

where e_m is 1 at m and 0 elsewhere. ``dy`` is random; were it all ones, a transposed or shuffled
dy would go unnoticed. A large array is moved as a whole along a random direction v instead of
e_m, and the difference is compared with sum(dz * v): two evaluations, however large.

The relative error of two numbers is their difference over the larger one, but at least over a
thousandth of the largest number in dz; along a direction, at least over the length of dz, which
is the usual size of sum(dz * v). All is done in float64.
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
Worst = tuple[tuple[int, ...] | None, float, float, float]


@dataclass(frozen=True)
class Comparison:
    """The worst of the comparisons that were made for one argument of one operation."""

    operation: str
    argument: str
    size: int
    index: tuple[int, ...] | None  # None: along a random direction
    analytic: float
    numerical: float
    error: float
    limit: float

    @property
    def ok(self) -> bool:
        """Whether the gradient is right; never when a NaN is in play."""
        return self.error <= self.limit

    def __str__(self) -> str:
        where = " along a random direction" if self.index is None else str(list(self.index))
        return (
            f"{self.operation}: d{self.argument}{where} is {self.analytic:.9g}, but finite "
            f"differences give {self.numerical:.9g} "
            f"(relative error {self.error:.1e}, limit {self.limit:.0e})"
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
    limit: float = LIMIT,
    full: int = FULL,
    seed: int = 0,
) -> list[Comparison]:
    """Compare each dz of ``gradients`` with finite differences of sum(dy * f()).

    ``f`` takes no argument and reads the arrays z, all float64; those of more than ``full``
    numbers are moved along a direction drawn from ``seed``. Returns a Comparison for each
    argument; raises GradientError if one of them is wrong.
    """
    rng = np.random.default_rng(seed)
    comparisons = []
    for argument, (z, dz) in gradients.items():
        if z.dtype != np.float64 or dz.shape != z.shape:
            raise AssertionError(
                f"{operation}: d{argument} has shape {dz.shape}; "
                f"{argument} has shape {z.shape} and is {z.dtype}, expected float64"
            )
        if z.size <= full:
            worst = _number_by_number(f, z, dz, dy, step)
        else:
            worst = _along_a_direction(f, z, dz, dy, step, rng.standard_normal(z.shape))
        index, analytic, numerical, error = worst
        comparisons.append(
            Comparison(operation, argument, z.size, index, analytic, numerical, error, limit)
        )
    if not all(comparison.ok for comparison in comparisons):
        raise GradientError(comparisons)
    return comparisons


def _number_by_number(f: Function, z: Array, dz: Array, dy: Any, step: float) -> Worst:
    """Return where dz is worst, both numbers there, and their relative error."""
    differences = numerical_gradient(f, z, dy, step)
    largest = max(abs(dz).max(initial=0), abs(differences).max(initial=0))
    errors = relative_error(dz, differences, largest / 1000)
    worst = np.unravel_index(errors.argmax(), z.shape)  # a NaN counts as the largest
    return tuple(map(int, worst)), float(dz[worst]), float(differences[worst]), float(errors[worst])


def _along_a_direction(f: Function, z: Array, dz: Array, dy: Any, step: float, v: Array) -> Worst:
    """Return no index, sum(dz * v) twice, and the relative error."""
    analytic, numerical = float(np.sum(dz * v)), slope(f, z, v, dy, step)
    error = relative_error(analytic, numerical, np.linalg.norm(dz))
    return None, analytic, numerical, float(error)


def relative_error(a: Any, b: Any, floor: Any) -> Any:
    """Return the difference of a and b over the larger of both, but at least over ``floor``."""
    larger = np.maximum(np.maximum(abs(a), abs(b)), floor)
    return abs(a - b) / np.where(larger == 0, 1, larger)


def spread(rng: np.random.Generator, *shape: int) -> Array:
    """Return numbers from -1 to 1, evenly spread and shuffled: no two alike and none near 0.

    At a kink, where a maximum changes hands or a ReLU opens, there is no derivative to compare
    with. Such numbers keep maxima and ReLUs further from their kinks than a step.
    """
    size = math.prod(shape)
    return ((2 * rng.permutation(size) + 1.5) / size - 1).reshape(shape)
