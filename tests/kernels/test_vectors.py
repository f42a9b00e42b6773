"""What numba emits for a vector operation does what the Python function of that name says."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators

from tinycnn.kernels import simd
from tinycnn.kernels.jit import CHECKED, UNCOMPILED, kernel
from tinycnn.kernels.simd import (
    EIGHT,
    FIVE,
    LANES,
    add,
    beats,
    dot,
    each,
    equals,
    fill,
    fill_like,
    fma,
    least,
    load,
    load_first,
    pick,
    select,
    store,
    store_first,
    times,
    zeros,
)

# Programs of vector operations. All take the same arguments: three arrays of numbers and one of
# bytes to read, one of each to write, and a place and a count.


PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


@program
def copy_all(x, y, z, marks, out, bytes_out, i, count):
    store(out, i + 1, load(x, i))


@program
def copy_first(x, y, z, marks, out, bytes_out, i, count):
    store_first(out, i + 1, load_first(x, i, count), count)


@program
def fill_up_with_zeros(x, y, z, marks, out, bytes_out, i, count):
    store(out, i, load_first(x, i, count))


@program
def products(x, y, z, marks, out, bytes_out, i, count):
    store_first(out, i, fma(load(x, i), load(y, i), load(z, i)), count)


@program
def the_larger(x, y, z, marks, out, bytes_out, i, count):
    one, other = load(x, i), load(y, i)
    store_first(out, i, select(beats(one, other), one, other), count)


@program
def where_the_mark_is(x, y, z, marks, out, bytes_out, i, count):
    store_first(out, i, select(equals(marks, i, 3, count), load(x, i), load(y, i)), LANES)


@program
def whole_numbers_to_bytes(x, y, z, marks, out, bytes_out, i, count):
    places = select(
        beats(load(x, i), load(y, i)), fill_like(count, zeros(x)), fill_like(7, zeros(x))
    )
    store_first(bytes_out, i, places, count)


@program
def eight_at_once(x, y, z, marks, out, bytes_out, i, count):
    places = least(add(times(EIGHT, 3), i), LANES)
    ones = each(places, fill_like(1, zeros(x)))
    store(out, least(EIGHT, 7), fma(fill(x, places), load_first(y, EIGHT, count), ones))
    store(out, add(i, FIVE), add(load(out, 0), load(z, FIVE)))


@program
def one_of_eight(x, y, z, marks, out, bytes_out, i, count):
    store(out, i, dot(fill(x, EIGHT), load_first(y, add(EIGHT, 1), count), zeros(x)))
    out[0] = x[pick(marks, i)]


COMPILED = {each: kernel(each) for each in PROGRAMS}


def test_every_vector_operation_is_in_a_program():
    operations = {
        name
        for name, function in inspect.getmembers(simd, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == simd.__name__
    } - {"becomes", "call"}
    used = {name for program in PROGRAMS for name in program.__code__.co_names}
    assert used - {"LANES", "EIGHT", "FIVE"} == operations


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("program", PROGRAMS)
@given(rng=generators(), i=st.integers(0, 5), count=st.integers(0, LANES + 3))
def test_compiled_vectors_do_what_their_definition_says(program, dtype, rng, i, count):
    size = LANES + 13
    x, y, z = rng.standard_normal((3, size)).astype(dtype)
    y[rng.random(size) < 0.3] = x[rng.random(size) < 0.3][:1]  # some ties
    x[rng.random(size) < 0.2] = np.nan
    y[rng.random(size) < 0.2] = np.nan
    x[rng.random(size) < 0.1] = np.inf
    marks = rng.integers(0, 5, size, dtype=np.uint8)
    before = rng.standard_normal(size).astype(dtype), rng.integers(0, 256, size, dtype=np.uint8)
    defined, compiled = ([a.copy() for a in before] for _ in range(2))
    with np.errstate(all="ignore"):
        program(x, y, z, marks, *defined, i, count)
        COMPILED[program](x, y, z, marks, *compiled, i, count)
    tolerance = 4 * np.finfo(dtype).eps  # ``fma`` may round once or twice
    np.testing.assert_allclose(compiled[0], defined[0], rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(compiled[1], defined[1])


@pytest.mark.skipif(not (CHECKED or UNCOMPILED), reason="parallel kernels check no bounds")
@pytest.mark.parametrize("program", [copy_all, copy_first, where_the_mark_is])
@pytest.mark.parametrize("i", [-1, 14, 1000])
def test_reaching_outside_an_array_is_noticed(program, i):
    x, marks = np.zeros(LANES + 13), np.zeros(LANES + 13, np.uint8)
    with pytest.raises(IndexError, match="outside"):
        COMPILED[program](x, x, x, marks, x.copy(), marks.copy(), i, LANES + 1)
