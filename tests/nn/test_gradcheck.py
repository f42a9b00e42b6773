"""The gradient checker finds what is wrong, says where, and lets pass what is right."""

import inspect
import re

import numpy as np
import pytest
from strategies import DIFFERENTIABLE

from tinycnn import kernels
from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.nn import (
    Dense,
    Flatten,
    Layer,
    Sequential,
    SoftmaxCrossEntropy,
    gradcheck,
    layers,
    losses,
    more_layers,
    open_set,
)
from tinycnn.nn.gradcheck import (
    GradientError,
    check,
    check_layer,
    check_loss,
    check_model,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_message_names_operation_argument_index_and_both_numbers():
    z = np.array([[1.0, 2.0], [3.0, 4.0]])
    wrong = 2 * z + [[0, 0], [0.25, 0]]
    with pytest.raises(GradientError) as caught:
        check("square", lambda: z**2, {"z": (z, wrong)}, np.ones((2, 2)))
    assert str(caught.value) == (
        "square: dz[1, 0] is 6.25, but finite differences give 6 "
        "(relative error 4.0e-02, limit 1e-06)"
    )


def test_a_number_that_is_wrong_among_many_is_found_along_a_random_direction():
    z = np.random.default_rng(1).standard_normal(1000)
    dz = 2 * z
    dz[500] += 0.1
    with pytest.raises(GradientError, match=r"dz along a random direction is"):
        check("square", lambda: z**2, {"z": (z, dz)}, np.ones(1000))


def test_what_is_checked_is_put_back():
    z = np.random.default_rng(1).standard_normal((5, 3))
    before = z.copy()
    check("square", lambda: z**2, {"z": (z, 2 * z)}, np.ones((5, 3)))
    check("square", lambda: z**2, {"z": (z, 2 * z)}, np.ones((5, 3)), full=0)
    assert np.array_equal(z, before)


def test_nan_is_never_right():
    z = np.ones(3)
    for dz in (np.full(3, np.nan), np.array([2, np.nan, 2])):
        for full in (0, 10):
            with pytest.raises(GradientError):
                check("square", lambda: z**2, {"z": (z, dz)}, np.ones(3), full=full)
    with pytest.raises(GradientError):
        check("nothing", lambda: z * np.nan, {"z": (z, z)}, np.ones(3))


# ------------------------------------------------------------------------- layers of your own


class Scale(Layer):
    """A right layer: every number times a weight of its own, y = x * w."""

    def shapes(self, input_shape):
        return input_shape, {"w": input_shape}

    def initial(self, key, shape, rng):
        return rng.standard_normal(shape).astype(np.float32)

    def forward(self, x, training=False):
        self._x = x
        return x * self.params["w"]

    def backward(self, dy, input_gradient=True):
        self.grads = {"w": (dy * self._x).sum(axis=0)}
        return dy * self.params["w"]


class WrongWeightGradient(Scale):
    def backward(self, dy, input_gradient=True):
        self.grads = {"w": (dy * self._x).mean(axis=0)}
        return dy * self.params["w"]


class WrongInputGradient(Scale):
    def backward(self, dy, input_gradient=True):
        super().backward(dy)
        return dy * self._x


class ChangesX(Scale):
    def forward(self, x, training=False):
        x *= self.params["w"]
        self._x = x
        return x


class ChangesDy(Scale):
    def backward(self, dy, input_gradient=True):
        dx = super().backward(dy)
        dy *= self.params["w"]
        return dx


class AddsUp(Scale):
    def backward(self, dy, input_gradient=True):
        before = self.grads.get("w", 0)
        dx = super().backward(dy)
        self.grads["w"] += before
        return dx


class GivesARandomAnswer(Scale):
    rng = np.random.default_rng(0)

    def forward(self, x, training=False):
        self._x = x
        return x * self.params["w"] * self.rng.random()


BROKEN = {
    WrongWeightGradient: r"WrongWeightGradient\(\), N = 3: dw\[\d, \d\] is",
    WrongInputGradient: r"WrongInputGradient\(\), N = 1: dx\[0, \d, \d\] is",
    ChangesX: "leave x untouched",
    ChangesDy: "leaves dy untouched",
    AddsUp: "adds nothing up",
    GivesARandomAnswer: "the same for the same",
}


def test_a_layer_of_ones_own_passes_when_it_is_right():
    layer = Scale()
    comparisons = check_layer(layer, (4, 3))
    assert [c.argument for c in comparisons] == ["x", "w", "x", "w"]
    assert layer.params == {}  # a copy was built


@pytest.mark.parametrize("broken", BROKEN)
def test_a_layer_that_breaks_a_promise_is_told_which(broken):
    with pytest.raises(AssertionError, match=BROKEN[broken]):
        check_layer(broken(), (4, 3))


def test_a_wrong_layer_inside_a_model_is_named():
    model = Sequential([Flatten(), WrongWeightGradient(), Dense(3)], (2, 3))
    x, labels = np.random.default_rng(0).random((4, 2, 3)), np.array([0, 1, 2, 1])
    with pytest.raises(GradientError) as caught:
        check_model("model", model, SoftmaxCrossEntropy(), x, labels)
    assert re.findall(r"d(\S+) along", str(caught.value)) == ["1.w"]


# ----------------------------------------------------------------------------------- the table


def classes(module):
    """The classes that a module defines itself."""
    members = inspect.getmembers(module, inspect.isclass)
    return {kind for _, kind in members if kind.__module__ == module.__name__}


def test_the_table_holds_every_operation_every_layer_and_every_loss():
    assert set(gradcheck.OPERATIONS) == set(DIFFERENTIABLE)
    kinds = (classes(layers) | classes(more_layers)) - {Layer}
    assert {type(layer) for layer, _ in gradcheck.LAYERS} == kinds
    checked = {type(run.args[0]) for run in gradcheck.library() if run.func is check_loss}
    assert checked == classes(losses) | classes(open_set)


@pytest.mark.skipif(UNCOMPILED, reason="lenet takes minutes without compilation")
def test_the_table_says_that_all_is_right(capsys):
    assert gradcheck.main([]) == 0
    table = capsys.readouterr().out
    assert re.search(r"^conv2d +w +36 +\d\.\de-\d\d  ok$", table, re.MULTILINE)
    assert re.search(r"^lenet +7.w +131,072 +\d\.\de-\d\d  ok, along", table, re.MULTILINE)
    assert re.search(r"\n\d+ gradients, all right\n$", table)


def test_the_table_says_what_is_wrong_and_the_command_fails(capsys, monkeypatch):
    monkeypatch.setattr(kernels, "relu_backward", lambda dy, y: dy)
    small = Sequential([Flatten(), Dense(10)], (28, 28, 1))
    monkeypatch.setattr(gradcheck, "OPERATIONS", ["relu", "softmax"])
    monkeypatch.setattr(gradcheck, "LAYERS", [(ChangesX(), (2,))])
    monkeypatch.setattr(gradcheck, "build", lambda name: small)
    assert gradcheck.main([]) == 1
    table = capsys.readouterr().out
    assert re.search(r"^relu +x +180 +1.0e\+00  WRONG$", table, re.MULTILINE)
    assert re.search(r"^softmax +logits +12 +\S+  ok$", table, re.MULTILINE)
    assert "relu: dx[" in table
    assert "broken promise: forward and backward leave x untouched" in table
    assert table.endswith("NOT all right\n")
