"""Every compiled operation is compared with the NumPy expression of the same name.

Whatever is public in ``reference.py`` or in the kernels is tested here without being named: a
function that only one of them has, or whose arguments ``strategies.py`` cannot make, fails.
"""

import inspect
import sys
import traceback

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    FAMILIES,
    IN_PLACE,
    LAYOUTS,
    arguments,
    channels,
    family_of,
    first_of_the_largest,
    fixed,
    functions,
    generators,
    is_float_array,
    run,
)

from tinycnn import kernels
from tinycnn.kernels.jit import CHECKED, UNCOMPILED
from tinycnn.kernels.simd import LANES
from tinycnn.nn import (
    SGD,
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    reference,
    set_threads,
)
from tinycnn.nn.fit import train_step

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = sorted(functions(kernels))
every_function = pytest.mark.parametrize("name", NAMES)


def cases(name, **options):
    """Arguments of the function ``name``."""
    return FAMILIES[family_of(name)].map(lambda given: arguments(name, given, **options))


def assert_close(actual, expected, tolerance, floor=0.0):
    """Compare arrays, relative to the largest number in them, or to ``floor``.

    Sums that cancel may be far smaller than what goes into them.
    """
    for one, other in zip(actual, expected, strict=True):
        assert np.shape(one) == np.shape(other)
        largest = np.max(np.abs(other), initial=floor)
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * largest)


def test_kernels_and_reference_have_the_same_functions_with_the_same_parameters():
    signatures = [
        {name: list(inspect.signature(f).parameters) for name, f in functions(ops).items()}
        for ops in (kernels, reference)
    ]
    assert signatures[0] == signatures[1]


def test_strategies_can_make_arguments_for_every_function():
    assert {family_of(name) for name in NAMES} == set(FAMILIES)


@every_function
@given(data=st.data())
def test_kernel_gives_what_the_reference_gives(name, data):
    args = data.draw(cases(name))
    assert_close(run(kernels, name, args), run(reference, name, args), 1e-11, floor=0.1)


@every_function
@given(data=st.data())
def test_float32_is_as_near_to_the_reference_in_float64_as_it_can_be(name, data):
    args = data.draw(cases(name, dtype=np.float32))
    actual, expected = run(kernels, name, args), run(reference, name, in_float64(args))
    pairs = [(y, z) for y, z in zip(actual, expected, strict=True) if is_float(z)]
    assert all(y.dtype == np.float32 for y, _ in pairs if np.ndim(y))
    assert_close(*zip(*pairs, strict=True), 2e-5, floor=0.1)  # a tenth of what goes in


def in_float64(args):
    return {z: v.astype(np.float64) if is_float_array(v) else v for z, v in args.items()}


def is_float(value):
    return np.asarray(value).dtype.kind == "f"


@pytest.mark.parametrize("C", [1, LANES + 1])
@pytest.mark.parametrize("name", [name for name in NAMES if "pool" in name])
def test_there_may_be_more_places_than_a_byte_can_count(name, C):
    x = np.random.default_rng(0).standard_normal((1, 300, 6, C))
    given = {"x": x, "w": x[:, :2, :2], "b": np.zeros(1), "size": 2}
    args = arguments(name, {z: given[z] for z in fixed()[family_of(name)]})
    assert_close(run(kernels, name, args), run(reference, name, args), 1e-11, floor=0.1)


@pytest.mark.parametrize("sizes", [(0, 2, 2, 3), (0, 3, 27, 28)])
@pytest.mark.parametrize("name", [n for n in NAMES if "cross_entropy" not in n])
def test_no_example_at_all_gives_no_output_and_zero_gradients(name, sizes):
    args = arguments(name, fixed(*sizes)[family_of(name)])
    assert_close(run(kernels, name, args), run(reference, name, args), 0)


@pytest.mark.parametrize("ops", [kernels, reference])
@given(draw=st.data())
def test_ties_go_to_the_first(ops, draw):
    rng, size, C = draw.draw(generators()), draw.draw(st.integers(1, 3)), draw.draw(channels)
    x = rng.integers(-1, 2, (2, 2 * size + 1, 2 * size, C)).astype(np.float64)
    w = rng.integers(-1, 2, (3, 1, 1, C)).astype(np.float64)
    b = rng.integers(-1, 2, 3).astype(np.float64)

    y, winner = ops.maxpool2d(x, size)
    fused, alive = ops.conv2d_relu_maxpool2d(x, w, b, size)

    expected_y, expected_winner = first_of_the_largest(x, size)
    np.testing.assert_array_equal(y, expected_y)
    np.testing.assert_array_equal(winner, expected_winner)
    best, place = first_of_the_largest(reference.conv2d(x, w, b), size)
    np.testing.assert_array_equal(fused, np.maximum(best, 0))
    np.testing.assert_array_equal(alive, np.where(best > 0, place, size * size))


SPARSE = ("conv2d_backward_input", *(n for n in NAMES if n.startswith("conv2d_relu_maxpool2d_")))
BY_WINOGRAD = [n for n in NAMES if n.startswith("conv2d")]


@every_function
@given(data=st.data())
def test_nan_in_nan_out(name, data):
    """A NaN spreads exactly as far as in the reference, with two exceptions.

    A kernel may skip 0 * NaN; by Winograd, others in the same image or filter may become NaN too.
    """
    args = data.draw(cases(name))
    z = data.draw(st.sampled_from([z for z, v in args.items() if is_float_array(v)]))
    args[z] = args[z].copy()
    args[z].flat[data.draw(st.integers(0, args[z].size - 1))] = np.nan
    for y, expected in zip(run(kernels, name, args), run(reference, name, args), strict=True):
        found, known = np.isnan(y), np.isnan(expected)
        if name in SPARSE and z in ("x", "w"):
            found |= known
        if name in BY_WINOGRAD and z in ("x", "w", "dy") and y.ndim == 4:
            known = known | (found & known.any(axis=(1, 2), keepdims=True))
        np.testing.assert_array_equal(found, known)


@every_function
@given(data=st.data())
def test_how_an_array_lies_in_memory_makes_no_difference(name, data):
    args = data.draw(cases(name))
    free = [z for z, v in args.items() if isinstance(v, np.ndarray)]
    free = [z for z in free if z not in IN_PLACE.get(name, ())]
    layouts = {z: data.draw(st.sampled_from(list(LAYOUTS)), label=z) for z in free}
    others = args | {z: LAYOUTS[layout](args[z]) for z, layout in layouts.items()}
    before = {z: v.tobytes() for z, v in others.items() if isinstance(v, np.ndarray)}
    for y, other in zip(run(kernels, name, args), run(kernels, name, others), strict=True):
        np.testing.assert_array_equal(y, other)
        assert type(other) is type(y)
    assert all(others[z].tobytes() == b for z, b in before.items()), "an argument was changed"


@pytest.mark.skipif(CHECKED or UNCOMPILED, reason="one thread only")
@pytest.mark.parametrize("sizes", [(40, 3, 8, LANES + 3), (40, 2, LANES + 1, 3), (40, 3, 32, 28)])
@every_function
def test_bits_do_not_depend_on_how_many_threads_run(name, sizes):
    """Repeated with all threads, because a race is lost only now and then."""
    args = arguments(name, fixed(*sizes)[family_of(name)])
    expected = run(kernels, name, args)
    set_threads(None)
    try:
        for _ in range(20):
            for y, z in zip(run(kernels, name, args), expected, strict=True):
                assert np.array_equal(y, z)
    finally:
        set_threads(1)


@pytest.mark.parametrize(("side", "C", "size"), [(20, 32, 1), (20, 32, 2), (5, 3, 1)])
def test_one_image_that_is_shared_out_gets_the_bits_that_it_gets_among_others(side, C, size):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, side, side, C)), rng.normal(size=(LANES // 2, 3, 3, C))
    given = w, w[:, 0, 0, 0], size
    others, _ = kernels.conv2d_relu_maxpool2d(np.repeat(x, 8, axis=0), *given)
    set_threads(None)
    for _ in range(20):
        np.testing.assert_array_equal(kernels.conv2d_relu_maxpool2d(x, *given)[0][0], others[4])


@pytest.mark.skipif(not UNCOMPILED, reason="frames of machine code cannot be seen")
def test_an_innermost_loop_is_at_most_eight_frames_below_the_training_step():
    layers = [Conv2D(16, 3), ReLU(), MaxPool2D(2), Conv2D(16, 5), ReLU(), MaxPool2D(2)]
    layers += [Conv2D(17, 2), BatchNorm(), ReLU(), Flatten(), Dense(3)]
    model, depths = Sequential(layers, (28, 28, 2)), set()

    def watch(frame, event, arg):
        if event == "call" and frame.f_code.co_name.startswith(("gemm_", "axpy_")):
            names = [above.f_code.co_name for above, _ in traceback.walk_stack(frame)]
            depths.add(names.index("train_step"))

    sys.setprofile(watch)
    images, labels = np.full((1, 28, 28, 2), 99, np.uint8), np.zeros(1, int)
    try:
        train_step(model, SoftmaxCrossEntropy(), SGD(model, 0.1), images, labels)
    finally:
        sys.setprofile(None)
    assert max(depths) == 8
