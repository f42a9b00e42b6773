"""Many numbers at once: the few vector instructions that the kernels are made of.

A processor multiplies and adds a whole row of numbers in one instruction, and it is fast only
when the running sums stay in its registers. Compilers seldom find that arrangement by
themselves, so the kernels say it: ``fma(fill(x, i), load(w, j), sums)`` adds x[i] times a row of
``w`` to a row of sums.

Every operation is an ordinary Python function on short arrays, which is its definition and what
runs when compilation is off; compiled, it ``becomes`` what ``instructions.py`` builds. Given a
tuple it operates on each element, so ``fill(x, EIGHT)`` are eight vectors, in registers of their
own: the innermost loops have eight sums or five, and read as if they had one.
"""

import numpy as np
from numba.core import types

from tinycnn.kernels import instructions
from tinycnn.kernels.instructions import LANES, Vector, becomes

EIGHT, FIVE = tuple(range(8)), tuple(range(5))
"""Places one after the other."""


@becomes(instructions.zeros, lambda a: Vector(a.dtype))
def zeros(a):
    """Return a vector of zeros of the dtype of array ``a``."""
    return np.zeros(LANES, a.dtype)


@becomes(instructions.fill, lambda a, i: Vector(a.dtype))
def fill(a, i):
    """Return a vector whose lanes are all a[i]."""
    _check(a, i, 1)
    return np.full(LANES, a[i])


@becomes(instructions.fill_like, lambda s, vector: vector)
def fill_like(s, vector):
    """Return a vector of the dtype of ``vector`` whose lanes are all the whole number ``s``."""
    return np.full(LANES, s, vector.dtype)


@becomes(instructions.load, lambda a, i: Vector(a.dtype))
def load(a, i):
    """Return a[i : i + LANES] of a flat array."""
    _check(a, i, LANES)
    return a[i : i + LANES].copy()


@becomes(instructions.load_first, lambda a, i, count: Vector(a.dtype))
def load_first(a, i, count):
    """Return a[i : i + count], followed by zeros; at most LANES numbers are read."""
    count = min(count, LANES)
    _check(a, i, count)
    vector = zeros(a)
    vector[:count] = a[i : i + count]
    return vector


@becomes(instructions.store, lambda a, i, vector: types.void)
def store(a, i, vector):
    """Write a vector to a[i : i + LANES] of a flat array."""
    _check(a, i, LANES)
    a[i : i + LANES] = vector


@becomes(instructions.store_first, lambda a, i, vector, count: types.void)
def store_first(a, i, vector, count):
    """Write the first ``count`` lanes to a[i : i + count]; at most LANES numbers are written."""
    count = min(count, LANES)
    _check(a, i, count)
    a[i : i + count] = vector[:count]


@becomes(instructions.pick, lambda a, i: a.dtype)
def pick(a, i):
    """Return the number a[i]."""
    _check(a, i, 1)
    return a[i]


@becomes(instructions.add, lambda x, y: x)
def add(x, y):
    """Return x + y, of vectors lane by lane, or of whole numbers."""
    return x + y


@becomes(instructions.times, lambda x, y: x)
def times(x, y):
    """Return x * y of whole numbers."""
    return x * y


@becomes(instructions.least, lambda x, y: x)
def least(x, y):
    """Return the smaller of two whole numbers."""
    return min(x, y)


@becomes(instructions.each, lambda place, vector: vector)
def each(place, vector):
    """Return ``vector``; for a tuple of places, once for each."""
    return vector


@becomes(instructions.fma, lambda x, y, z: z)
def fma(x, y, z):
    """Return x * y + z lane by lane, rounded once where the machine can."""
    return x * y + z


@becomes(instructions.dot, lambda xs, ys: ys.dtype, whole=True)
def dot(xs, ys):
    """Return the sum of xs[q] * ys[q] over tuples of vectors, added up in this order."""
    total = np.zeros_like(ys[0])
    for x, y in zip(xs, ys, strict=True):
        total = fma(x, y, total)
    return total


@becomes(instructions.beats, lambda x, y: Vector(types.boolean))
def beats(x, y):
    """Return in which lanes x is greater than y; a NaN beats every number and no NaN."""
    return ~(x <= y) & (y == y)


@becomes(instructions.equals, lambda a, i, value, count: Vector(types.boolean))
def equals(a, i, value, count):
    """Return in which of a[i : i + count] of a flat byte array are ``value``; others are not."""
    count = min(count, LANES)
    _check(a, i, count)
    mask = np.zeros(LANES, np.bool_)
    mask[:count] = a[i : i + count] == value
    return mask


@becomes(instructions.select, lambda mask, x, y: x)
def select(mask, x, y):
    """Return x where ``mask`` holds and y elsewhere."""
    return np.where(mask, x, y)


def _check(a, i, count):
    if i < 0 or i + count > a.size:
        raise IndexError("vector reaches outside its array")
