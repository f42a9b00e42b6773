"""No kernel is reachable with arguments that do not fit: compiled loops would not notice."""

import importlib
import pkgutil
import re

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from strategies import (
    LAYOUTS,
    arguments,
    compiled,
    family_of,
    fixed,
    functions,
    is_float_array,
    run,
)

from tinycnn import kernels
from tinycnn.errors import ShapeError
from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.nn.gradcheck import call

every_function = pytest.mark.parametrize("name", sorted(functions(kernels)))


def zeros_of(*shape, dtype=np.float64):
    return np.zeros(shape, dtype)


READ_ONLY, UNALIGNED = (LAYOUTS[x](np.zeros((2, 3))) for x in ("read-only", "unaligned"))

REFUSED = [
    ("conv2d", {"x": zeros_of(6, 5, 2)}, "x has shape (6, 5, 2), expected (N, H, W, 2)"),
    ("conv2d", {"w": zeros_of(3, 3, 2)}, "w has shape (3, 3, 2), expected (F, KH, KW, C)"),
    ("conv2d", {"w": zeros_of(3, 2, 2, 4)}, "x has shape (2, 6, 5, 2), expected (N, H, W, 4)"),
    ("conv2d", {"b": zeros_of(1)}, "b has shape (1,), expected (3,)"),
    ("conv2d", {"w": zeros_of(3, 7, 2, 2)}, "a 7x2 kernel does not fit into a 6x5 image"),
    ("conv2d", {"w": zeros_of(3, 0, 2, 2)}, "a 0x2 kernel does not fit"),
    (
        "conv2d_backward_params",
        {"dy": zeros_of(1, 5, 4, 3)},
        "dy has shape (1, 5, 4, 3), expected (2, 5, 4, F)",
    ),
    ("conv2d_backward_params", {"kernel_size": (3, 2)}, "expected (2, 4, 4, F)"),
    ("conv2d_backward_params", {"kernel_size": (9, 9)}, "9x9 kernel does not fit"),
    ("conv2d_backward_params", {"kernel_size": (-1, 1)}, "-1x1 kernel does not fit"),
    ("conv2d_backward_input", {"dy": zeros_of(2, 5, 4, 4)}, "expected (N, OH, OW, 3)"),
    ("conv2d_backward_input", {"dy": zeros_of(5, 4, 3)}, "expected (N, OH, OW, 3)"),
    ("conv2d_relu_maxpool2d", {"size": 5}, "5x5 do not fit into a 5x4 image"),
    ("conv2d_relu_maxpool2d", {"size": 0}, "0x0 do not fit"),
    (
        "conv2d_relu_maxpool2d_backward_params",
        {"winner": zeros_of(2, 2, 2, 3)},
        "winner is float64 up to 0",
    ),
    ("conv2d_relu_maxpool2d_backward_params", {"kernel_size": (3, 3)}, "expected (2, 2, 1, F)"),
    ("conv2d_relu_maxpool2d_backward_params", {"x": zeros_of(1, 6, 5, 2)}, "expected (1, 2, 2, F)"),
    ("conv2d_relu_maxpool2d_backward_input", {"input_size": (9, 9)}, "expected (N, 4, 4, 3)"),
    ("conv2d_relu_maxpool2d_backward_input", {"w": zeros_of(4, 2, 2, 2)}, "expected (N, 2, 2, 4)"),
    ("maxpool2d", {"size": 16}, "the largest are 15x15"),
    ("maxpool2d", {"size": -1}, "do not fit"),
    ("maxpool2d", {"x": zeros_of(2, 6, 5)}, "expected (N, H, W, C)"),
    ("maxpool2d_backward", {"input_size": (8, 5)}, "expected (N, 4, 2, C)"),
    ("maxpool2d_backward", {"dy": zeros_of(2, 3, 2, 1)}, "winner has shape (2, 3, 2, 2)"),
    ("relu_backward", {"y": zeros_of(5, 4)}, "dy has shape (4, 5), expected (5, 4)"),
    ("dense", {"x": zeros_of(5)}, "x has shape (5,), expected (N, 5)"),
    ("dense", {"w": zeros_of(6, 4)}, "x has shape (3, 5), expected (N, 6)"),
    ("dense", {"b": zeros_of(5)}, "b has shape (5,), expected (4,)"),
    ("dense_backward_params", {"dy": zeros_of(4, 4)}, "dy has shape (4, 4), expected (3, K)"),
    ("dense_backward_input", {"dy": zeros_of(3, 5)}, "dy has shape (3, 5), expected (N, 4)"),
    ("softmax", {"logits": zeros_of(5)}, "expected (N, K)"),
    ("softmax", {"logits": zeros_of(2, 0)}, "K, is 0, expected at least 1"),
    ("softmax_backward", {"dp": zeros_of(4, 6)}, "dp has shape"),
    ("softmax_cross_entropy", {"labels": np.array([0, 1, 2, 5])}, "label 5 of example 3 is not"),
    ("softmax_cross_entropy", {"labels": np.array([0, -1, 2, 1])}, "label -1 of example 1"),
    (
        "softmax_cross_entropy",
        {"labels": np.array([0, 1, 2])},
        "labels has shape (3,), expected (4,)",
    ),
    ("softmax_cross_entropy", {"labels": zeros_of(4)}, "labels are float64, expected integers"),
    (
        "softmax_cross_entropy",
        {"logits": zeros_of(0, 5), "labels": zeros_of(0, dtype=int)},
        "no examples",
    ),
    ("sgd_update", {"velocity": zeros_of(2)}, "velocity has shape (2,), expected (2, 3)"),
    ("sgd_update", {"velocity": zeros_of(2, 3, dtype="f4")}, "velocity is float32"),
    ("sgd_update", {"dz": zeros_of(3, 2)}, "dz has shape (3, 2), expected (2, 3)"),
    ("sgd_update", {"z": zeros_of(3, 2).T}, "z is changed in place and must be contiguous"),
    (
        "sgd_update",
        {"velocity": LAYOUTS["read-only"](zeros_of(2, 3))},
        "velocity is changed in place",
    ),
    ("adam_update", {"square": LAYOUTS["unaligned"](zeros_of(2, 3))}, "square is changed in place"),
    ("adam_update", {"mean": zeros_of(1, 3)}, "mean has shape (1, 3), expected (2, 3)"),
]


@pytest.fixture
def no_kernel_may_run(monkeypatch):
    """Put in the place of every compiled function one that fails the test."""

    def kernel_ran(*args):
        pytest.fail("a kernel ran")

    for _, name, _ in pkgutil.iter_modules(kernels.__path__, kernels.__name__ + "."):
        module = importlib.import_module(name)
        for attribute, value in list(vars(module).items()):
            if isinstance(value, Dispatcher) or hasattr(value, "__wrapped__"):
                monkeypatch.setattr(module, attribute, kernel_ran)


@pytest.mark.parametrize(("name", "changes", "words"), REFUSED)
def test_arguments_that_do_not_fit_are_refused_before_a_kernel_runs(
    name, changes, words, no_kernel_may_run
):
    args = {**arguments(name, fixed()[family_of(name)]), **changes}
    with pytest.raises(ShapeError, match=re.escape(words)):
        call(functions(kernels)[name], args)


@pytest.mark.parametrize("dtype", ["i4", "f2", "f4", "c16", "?", "O", "U3"])
@every_function
def test_numbers_of_other_types_are_refused(name, dtype, no_kernel_may_run):
    args = arguments(name, fixed()[family_of(name)])
    arrays = [z for z, v in args.items() if is_float_array(v)]
    for z in arrays:
        if dtype != "f4" or len(arrays) > 1:  # two precisions are not mixed
            with pytest.raises(ShapeError, match=r"dtype|float32"):
                call(functions(kernels)[name], {**args, z: args[z].astype(dtype)})


@pytest.mark.parametrize("place", [4, 5, 255])
def test_a_winner_outside_its_window_is_refused(place, no_kernel_may_run):
    for name, first_wrong in [("maxpool2d", 4), ("conv2d_relu_maxpool2d", 5)]:
        for gradient in functions(kernels):
            if gradient.startswith(name + "_backward") and place >= first_wrong:
                args = arguments(gradient, fixed()[name])
                args["winner"][0, 0, 0, 0] = place
                with pytest.raises(ShapeError, match=f"winner is uint8 up to {place}"):
                    call(functions(kernels)[gradient], args)


@pytest.mark.skipif(UNCOMPILED, reason="without compilation, kernels are ordinary functions")
@pytest.mark.parametrize("name", sorted(compiled(kernels)))
def test_no_kernel_may_run_notices_kernels(name, no_kernel_may_run):
    with pytest.raises(pytest.fail.Exception, match="a kernel ran"):
        run(kernels, name, arguments(name, fixed()[family_of(name)]))
