"""Loads and stores of vectors notice where they would reach outside an array.

What vectors compute is compared with the reference, kernel by kernel.
"""

import numpy as np
import pytest

from tinycnn.kernels.jit import CHECKED, UNCOMPILED, kernel
from tinycnn.kernels.simd import LANES, equals, load, select, store


def copy_all(x, marks, out, i, count):
    store(out, i + 1, load(x, i))


def copy_first(x, marks, out, i, count):
    store(out, i + 1, load(x, i, count), count)


def where_the_mark_is(x, marks, out, i, count):
    store(out, i, select(equals(load(marks, i, count), 3), load(x, i), load(out, i)), LANES)


@pytest.mark.skipif(not (CHECKED or UNCOMPILED), reason="parallel kernels check no bounds")
@pytest.mark.parametrize("program", [copy_all, copy_first, where_the_mark_is])
@pytest.mark.parametrize("i", [-1, 14, 1000])
def test_reaching_outside_an_array_is_noticed(program, i):
    x, marks = np.zeros(LANES + 13), np.zeros(LANES + 13, np.uint8)
    run = kernel(program)
    run(x, marks, x.copy(), 3, LANES)
    with pytest.raises(IndexError, match="outside"):
        run(x, marks, x.copy(), i, LANES + 1)
