"""The gradient checker finds what is wrong, says where, and lets pass what is right."""

import inspect
import re

import numpy as np
import pytest
from strategies import DIFFERENTIABLE

from tinycnn import kernels
from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.nn import Layer, build, gradcheck, layers, losses, more_layers, open_set
from tinycnn.nn.gradcheck import GradientError, check, check_layer, check_loss

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_number_that_is_wrong_among_many_is_found_along_a_random_direction():
    z = np.random.default_rng(1).standard_normal(1000)
    z[1] = 3
    dz = 2 * z
    dz[500] += 0.1
    with pytest.raises(GradientError, match=r"square: dz along a random direction is"):
        check("square", lambda: z**2, {"z": (z, dz)}, np.ones(1000))
    with pytest.raises(
        GradientError, match=r"dz\[1\] is 6.25, but finite differences give 6 \(rel"
    ):
        check("square", lambda: z[:2] ** 2, {"z": (z[:2], np.array([2 * z[0], 6.25]))}, np.ones(2))


@pytest.mark.parametrize("full", [0, 10])
def test_nan_is_never_right(full):
    z, dz = np.ones(3), np.array([2, np.nan, 2])
    with pytest.raises(GradientError):
        check("square", lambda: z**2, {"z": (z, dz)}, np.ones(3), full=full)


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


class WrongGradient(Scale):
    def backward(self, dy, input_gradient=True):
        dx = super().backward(dy)
        self.grads["w"] /= len(dy)
        return dx


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


BROKEN = {
    WrongGradient: r"WrongGradient\(\), N = 3: dw\[\d, \d\] is",
    ChangesX: "leave x untouched",
    ChangesDy: "leaves dy untouched",
    AddsUp: "adds nothing up",
}


def test_a_layer_of_ones_own_passes_when_it_is_right():
    layer = Scale()
    assert [c.argument for c in check_layer(layer, (4, 3))] == ["x", "w", "x", "w"]
    assert layer.params == {}  # a copy was built


@pytest.mark.parametrize("broken", BROKEN)
def test_a_layer_that_breaks_a_promise_is_told_which(broken):
    with pytest.raises(AssertionError, match=BROKEN[broken]):
        check_layer(broken(), (4, 3))


def classes(module):
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
    small = build("Flatten Dense(10)")
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
