"""Every backward pass is compared with finite differences, and planted mistakes must be found."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import DIFFERENTIABLE, family_of, fixed, functions

from tinycnn import kernels
from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.nn import (
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    reference,
)
from tinycnn.nn.gradcheck import GradientError, check_model, check_operation

pytestmark = pytest.mark.usefixtures("one_thread")

FULL = 10 if UNCOMPILED else 100
"""Larger arrays are moved along a random direction; without compilation each move is slow."""

seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("operation", DIFFERENTIABLE)
@pytest.mark.parametrize("ops", [reference, kernels])
@given(data=st.data())
def test_gradients_match_finite_differences(ops, operation, data):
    arguments = data.draw(DIFFERENTIABLE[operation])
    check_operation(operation, arguments, ops, seed=data.draw(seeds), full=FULL)


@pytest.mark.parametrize("fused", [True, False])
def test_a_whole_network_matches_finite_differences(fused):
    stack = [Conv2D(3, 3), ReLU(), MaxPool2D(2), Conv2D(4, 2), ReLU(), MaxPool2D(2)]
    model = Sequential([*stack, Flatten(), Dense(6), ReLU(), Dense(4)], (9, 8, 2), 0, fused)
    x, labels = np.random.default_rng(0).random((5, 9, 8, 2)), np.array([0, 3, 1, 1, 2])
    comparisons = check_model("network", model, SoftmaxCrossEntropy(), x, labels)
    assert " ".join(c.argument for c in comparisons) == "x 0.w 0.b 3.w 3.b 7.w 7.b 9.w 9.b"


# --------------------------------------------------------------------------- planted mistakes

MISTAKES = []


def mistake(name):
    """Collect a subtly wrong function that replaces ``reference.name``."""

    def collect(function):
        MISTAKES.append(pytest.param(name, function, id=function.__name__))
        return function

    return collect


@mistake("conv2d_backward_params")
def dw_with_rows_and_columns_of_the_kernel_swapped(dy, x, kernel_size):
    dw, db = reference.conv2d_backward_params(dy, x, kernel_size)
    return dw.transpose(0, 2, 1, 3), db


@mistake("conv2d_backward_params")
def db_summed_over_the_wrong_axis(dy, x, kernel_size):
    dw, _ = reference.conv2d_backward_params(dy, x, kernel_size)
    return dw, dy.sum(axis=(0, 1, 3))


@mistake("conv2d_backward_input")
def dx_with_the_kernel_not_turned(dy, w):
    return reference.conv2d_backward_input(dy, w[:, ::-1, ::-1])


@mistake("conv2d_relu_maxpool2d_backward_params")
def dw_of_silenced_winners_too(dy, winner, x, kernel_size, size):
    all_alive = winner % (size * size)
    return reference.conv2d_relu_maxpool2d_backward_params(dy, all_alive, x, kernel_size, size)


@mistake("conv2d_relu_maxpool2d_backward_input")
def dx_of_silenced_winners_too(dy, winner, w, input_size, size):
    all_alive = winner % (size * size)
    return reference.conv2d_relu_maxpool2d_backward_input(dy, all_alive, w, input_size, size)


@mistake("batchnorm_backward")
def dx_as_if_mean_and_variance_were_constants(dy, x, w, mean, variance, epsilon):
    _, dw, db = reference.batchnorm_backward(dy, x, w, mean, variance, epsilon)
    return dy * w / np.sqrt(variance + epsilon), dw, db


@mistake("batchnorm_backward")
def dw_of_x_as_it_came(dy, x, w, mean, variance, epsilon):
    dx, _, db = reference.batchnorm_backward(dy, x, w, mean, variance, epsilon)
    return dx, (dy * x).sum(axis=tuple(range(x.ndim - 1))), db


@mistake("maxpool2d_backward")
def winners_with_rows_and_columns_swapped(dy, winner, input_size, size):
    v, u = np.divmod(winner, size)
    return reference.maxpool2d_backward(dy, u * size + v, input_size, size)


@mistake("relu_backward")
def a_mask_that_masks_nothing(dy, y):
    return np.where(y >= 0, dy, 0)


@mistake("dense_backward_params")
def db_summed_over_outputs(dy, x):
    return x.T @ dy, dy.sum(axis=1)


@mistake("dense_backward_input")
def dx_with_the_weights_not_transposed(dy, w):
    return dy @ w


@mistake("softmax_backward")
def only_the_diagonal_of_the_jacobian(dp, p):
    return dp * p * (1 - p)


@mistake("softmax_cross_entropy_backward")
def the_mean_forgotten(p, labels):
    return reference.softmax_cross_entropy_backward(p, labels) * len(labels)


@pytest.mark.parametrize(("name", "wrong"), MISTAKES)
def test_planted_mistakes_are_found(name, wrong):
    operation = family_of(name)
    arguments = fixed(N=4, F=4)[operation]  # sizes that agree where a mistake needs them to
    check_operation(operation, arguments, reference)
    with pytest.raises(GradientError, match=rf"{operation}: d\w+\[.*\] is \S+, but finite"):
        check_operation(
            operation, arguments, SimpleNamespace(**{**functions(reference), name: wrong})
        )


def test_every_gradient_has_a_planted_mistake():
    gradients = {name for name in functions(reference) if "_backward" in name}
    assert {param.values[0] for param in MISTAKES} == gradients
