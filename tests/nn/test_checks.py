"""No kernel is reachable with arguments that do not fit: compiled loops would not notice."""

import importlib
import pkgutil
import re

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher
from strategies import LAYOUTS, arguments, family_of, fixed, functions, is_float_array

from tinycnn import kernels
from tinycnn.errors import ShapeError
from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.nn.gradcheck import call

every_function = pytest.mark.parametrize("name", sorted(functions(kernels)))


def zeros(*shape, dtype=np.float64):
    return np.zeros(shape, dtype)


READ_ONLY, UNALIGNED = (LAYOUTS[layout](zeros(2, 3)) for layout in ("read-only", "unaligned"))
NONE = {"logits": zeros(0, 5), "labels": zeros(0, dtype=int)}
GRADIENT = "conv2d_relu_maxpool2d_backward_params"

REFUSED = [
    ("conv2d", {"x": zeros(6, 5, 2)}, "x has shape (6, 5, 2), expected (N, H, W, 2)"),
    ("conv2d", {"w": zeros(3, 3, 2)}, "w has shape (3, 3, 2), expected (F, KH, KW, C)"),
    ("conv2d", {"w": zeros(3, 7, 2, 2)}, "a 7x2 kernel does not fit into a 6x5 image"),
    ("conv2d_backward_input", {"dy": zeros(2, 5, 4, 4)}, "expected (N, OH, OW, 3)"),
    ("conv2d_relu_maxpool2d", {"size": 5}, "5x5 do not fit into a 5x4 image"),
    (GRADIENT, {"winner": zeros(2, 2, 2, 3)}, "winner is float64"),
    ("conv2d_relu_maxpool2d_backward_input", {"input_size": (9, 9)}, "expected (N, 4, 4, 3)"),
    ("maxpool2d", {"size": 16}, "the largest are 15x15"),
    ("maxpool2d_backward", {"input_size": (8, 5)}, "expected (N, 4, 2, C)"),
    ("batchnorm", {"x": zeros(2, 0)}, "x has shape (2, 0), expected (N, ..., 2)"),
    ("softmax", {"logits": zeros(2, 0)}, "K, is 0, expected at least 1"),
    ("softmax_cross_entropy", {"labels": np.array([0, 1, 2, 5])}, "label 5 of example 3 is not"),
    ("softmax_cross_entropy", {"labels": np.array([0, -1, 2, 1])}, "label -1 of example 1"),
    ("softmax_cross_entropy", {"labels": zeros(4)}, "labels are float64, expected integers"),
    ("softmax_cross_entropy", NONE, "no examples"),
    ("sgd_update", {"velocity": zeros(2, 3, dtype="f4")}, "velocity is float32"),
    ("sgd_update", {"z": zeros(3, 2).T}, "z is changed in place and must be contiguous"),
    ("sgd_update", {"velocity": READ_ONLY}, "velocity is changed in place"),
    ("adam_update", {"square": UNALIGNED}, "square is changed in place"),
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


@pytest.mark.skipif(UNCOMPILED, reason="without compilation, kernels are ordinary functions")
@pytest.mark.parametrize("name", ["conv2d", "dense_backward_params", "sgd_update"])
def test_a_kernel_that_may_not_run_is_noticed(name, no_kernel_may_run):
    with pytest.raises(pytest.fail.Exception, match="a kernel ran"):
        call(functions(kernels)[name], arguments(name, fixed()[family_of(name)]))


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
