"""What numba emits for loads and stores of vectors reaches just as far as it says.

What the arithmetic of vectors gives is compared with the reference, kernel by kernel.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators

from tinycnn.kernels.jit import CHECKED, UNCOMPILED, kernel
from tinycnn.kernels.simd import LANES, equals, load, load_first, select, store, store_first


def copy_all(x, marks, out, i, count):
    store(out, i + 1, load(x, i))


def copy_first(x, marks, out, i, count):
    store_first(out, i + 1, load_first(x, i, count), count)


def fill_up_with_zeros(x, marks, out, i, count):
    store(out, i, load_first(x, i, count))


def where_the_mark_is(x, marks, out, i, count):
    store_first(out, i, select(equals(marks, i, 3, count), load(x, i), load(out, i)), LANES)


COMPILED = {
    each: kernel(each) for each in (copy_all, copy_first, fill_up_with_zeros, where_the_mark_is)
}
SIZE = LANES + 13


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("program", COMPILED)
@given(rng=generators(), i=st.integers(0, 5), count=st.integers(0, LANES + 3))
def test_compiled_vectors_do_what_their_definition_says(program, dtype, rng, i, count):
    x, before = rng.standard_normal((2, SIZE)).astype(dtype)
    marks = rng.integers(0, 5, SIZE, dtype=np.uint8)
    defined, compiled = before.copy(), before.copy()
    program(x, marks, defined, i, count)
    COMPILED[program](x, marks, compiled, i, count)
    np.testing.assert_array_equal(compiled, defined)


@pytest.mark.skipif(not (CHECKED or UNCOMPILED), reason="parallel kernels check no bounds")
@pytest.mark.parametrize("program", [copy_all, copy_first, where_the_mark_is])
@pytest.mark.parametrize("i", [-1, 14, 1000])
def test_reaching_outside_an_array_is_noticed(program, i):
    x, marks = np.zeros(SIZE), np.zeros(SIZE, np.uint8)
    with pytest.raises(IndexError, match="outside"):
        COMPILED[program](x, marks, x.copy(), i, LANES + 1)
