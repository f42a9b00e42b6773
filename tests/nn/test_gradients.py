"""Every backward pass is compared with finite differences, and planted mistakes must be found."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import DIFFERENTIABLE, family_of, fixed, functions

from tinycnn import kernels
from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.nn import Sequential, SoftmaxCrossEntropy, reference
from tinycnn.nn.gradcheck import GradientError, check_model, check_operation
from tinycnn.nn.text import layers_of

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
    pooled = "Conv2D(3, 3) ReLU MaxPool2D(2) Conv2D(4, 2) ReLU MaxPool2D(2)"
    layers = layers_of(f"{pooled} Flatten Dense(6) ReLU Dense(4)")
    model = Sequential(layers, (9, 8, 2), 0, fused)
    x, labels = np.random.default_rng(0).random((5, 9, 8, 2)), np.array([0, 3, 1, 1, 2])
    comparisons = check_model("network", model, SoftmaxCrossEntropy(), x, labels)
    assert " ".join(c.argument for c in comparisons) == "x 0.w 0.b 3.w 3.b 7.w 7.b 9.w 9.b"


def with_one_number_wrong(gradient, place):
    """The same function, but the largest number of one of its results is 1 % too large."""

    @functools.wraps(gradient)
    def wrong(*args):
        results = gradient(*args)
        changed = [z.copy() for z in (results if isinstance(results, tuple) else [results])]
        dz = changed[place % len(changed)]
        dz.flat[abs(dz).argmax()] *= 1.01
        return tuple(changed) if isinstance(results, tuple) else changed[0]

    return wrong


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("name", [name for name in functions(reference) if "_backward" in name])
def test_planted_mistakes_are_found(name, place):
    operation = family_of(name)
    arguments = fixed()[operation]
    check_operation(operation, arguments, reference)
    wrong = with_one_number_wrong(getattr(reference, name), place)
    ops = SimpleNamespace(**{**functions(reference), name: wrong})
    with pytest.raises(GradientError, match=rf"{operation}: d\w+\[.*\] is \S+, but finite"):
        check_operation(operation, arguments, ops)
