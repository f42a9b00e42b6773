"""Layers: shapes, what they remember, what they refuse, and a network worked by hand."""

import numpy as np
import pytest

from tinycnn.errors import ShapeError
from tinycnn.nn import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Sequential, Softmax
from tinycnn.nn.layers import he_normal

pytestmark = pytest.mark.usefixtures("one_thread")

ALL = {
    "Conv2D": (Conv2D(4, 3), (6, 5, 2), (4, 3, 4)),
    "MaxPool2D": (MaxPool2D(2), (7, 4, 3), (3, 2, 3)),
    "ReLU": (ReLU(), (3, 4, 2), (3, 4, 2)),
    "Flatten": (Flatten(), (3, 4, 2), (24,)),
    "Dense": (Dense(4), (7,), (4,)),
    "Softmax": (Softmax(), (5,), (5,)),
}
every_layer = pytest.mark.parametrize(
    ("layer", "input_shape", "output_shape"), ALL.values(), ids=ALL
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# ---------------------------------------------------------------------------------- every layer


@every_layer
def test_backward_needs_a_forward_in_training(layer, input_shape, output_shape, rng):
    layer = type(layer)(**layer.config())
    layer.build(input_shape, rng)
    dy = rng.standard_normal((2, *output_shape), dtype=np.float32)
    with pytest.raises(RuntimeError, match="needs a forward"):
        layer.backward(dy)
    layer.forward(rng.standard_normal((2, *input_shape), dtype=np.float32), training=False)
    with pytest.raises(RuntimeError, match="needs a forward"):
        layer.backward(dy)


class Leaky(ReLU):
    def __init__(self, slope):
        super().__init__()
        self.slope = slope


def test_a_layer_of_ones_own_is_described_by_the_arguments_that_it_keeps():
    assert Leaky(0.1).config() == {"slope": 0.1}
    assert repr(Leaky(0.1)) == "Leaky(0.1)"


def test_weights_have_the_variance_that_keeps_numbers_from_fading(rng):
    w = he_normal((300, 400), 50, rng)
    assert w.dtype == np.float32
    assert abs(w.mean()) < 0.01
    assert abs(w.std() - np.sqrt(2 / 50)) < 0.002


def test_a_bare_layer_says_what_is_missing():
    with pytest.raises(NotImplementedError):
        Layer().forward(np.zeros((1, 2)))


# ------------------------------------------------------------------------------------- refusals

IMPOSSIBLE = [
    (lambda: Conv2D(0, 3), "filters must be a whole number of at least 1, not 0"),
    (lambda: Conv2D(8, -1), "kernel_size must be a whole number of at least 1, not -1"),
    (lambda: Conv2D(8, 2.5), "kernel_size must be a whole number"),
    (lambda: Conv2D("8", 3), "filters must be a whole number of at least 1, not '8'"),
    (lambda: MaxPool2D(0), "size must be a whole number"),
    (lambda: Dense(None), "units must be a whole number"),
]

MISFITS = [
    (Conv2D(8, 5), (4, 28, 1), r"a 5x5 kernel does not fit into a 4x28 image"),
    (Conv2D(8, 5), (28, 28), r"Conv2D\(8, 5\) takes images \(H, W, C\), not \(28, 28\)"),
    (MaxPool2D(3), (2, 9, 1), r"windows of 3x3 do not fit into a 2x9 image"),
    (MaxPool2D(16), (32, 32, 1), "the largest are 15x15"),
    (MaxPool2D(2), (784,), r"MaxPool2D\(2\) takes images"),
    (Dense(10), (4, 4, 8), r"Dense\(10\) takes rows \(D,\), not \(4, 4, 8\); put a Flatten before"),
    (Softmax(), (3, 3), r"Softmax\(\) takes rows"),
]


@pytest.mark.parametrize(("make", "words"), IMPOSSIBLE)
def test_layers_that_cannot_be_are_refused_at_once(make, words):
    with pytest.raises(ShapeError, match=words):
        make()


@pytest.mark.parametrize(("layer", "input_shape", "words"), MISFITS)
def test_shapes_that_a_layer_cannot_take_are_refused_when_it_is_built(
    layer, input_shape, words, rng
):
    with pytest.raises(ShapeError, match=words):
        layer.build(input_shape, rng)


def test_a_gradient_that_does_not_belong_to_the_last_forward_is_refused(rng):
    layer = Conv2D(2, 3)
    layer.build((5, 5, 1), rng)
    layer.forward(np.zeros((2, 5, 5, 1), np.float32), training=True)
    with pytest.raises(ShapeError, match="dy has shape"):
        layer.backward(np.zeros((2, 4, 4, 2), np.float32))


# ------------------------------------------------------------------------- one network by hand


@pytest.mark.parametrize("fused", [True, False])
def test_a_network_worked_by_hand(fused):
    """Convolution, ReLU, pooling and two outputs on one image of 3 x 3, there and back.

        x       1 2 0     w    1 0     b  0.5          sums  2.5  4.5
                0 1 3         -1 1                          -0.5  0.5
                2 1 0

    The ReLU silences -0.5; the pooling keeps 4.5, whose window is the upper right one:

                2 0
                1 3

    With weights 1, -1 and biases -4, 4 the outputs are 4.5 - 4 = 0.5 and -4.5 + 4 = -0.5.
    """
    model = Sequential(
        [Conv2D(1, 2), ReLU(), MaxPool2D(2), Flatten(), Dense(2)], (3, 3, 1), 0, fused
    )
    conv, dense = model.layers[0], model.layers[4]
    conv.params["w"][...] = np.reshape([1, 0, -1, 1], (1, 2, 2, 1))
    conv.params["b"][...] = 0.5
    dense.params["w"][...] = [[1, -1]]
    dense.params["b"][...] = [-4, 4]
    x = np.reshape([1, 2, 0, 0, 1, 3, 2, 1, 0], (1, 3, 3, 1)).astype(np.float32)

    y = model.forward(x, training=True)
    dx = model.backward(np.array([[3, 1]], np.float32), input_gradient=True)

    np.testing.assert_array_equal(y, [[0.5, -0.5]])
    # Both outputs saw the 4.5, and pull at it with 3 * 1 + 1 * -1 = 2.
    np.testing.assert_array_equal(dense.grads["w"], [[3 * 4.5, 1 * 4.5]])
    np.testing.assert_array_equal(dense.grads["b"], [3, 1])
    # That 2 reaches the weights through the winning window, and the window through the weights.
    np.testing.assert_array_equal(conv.grads["w"][0, :, :, 0], [[2 * 2, 2 * 0], [2 * 1, 2 * 3]])
    np.testing.assert_array_equal(conv.grads["b"], [2])
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 2, 0], [0, -2, 2], [0, 0, 0]])


def test_pooling_leaves_out_what_fills_no_window_and_gives_it_no_gradient():
    x = np.arange(15, dtype=np.float32).reshape(1, 3, 5, 1)
    layer = MaxPool2D(2)
    np.testing.assert_array_equal(layer.forward(x, training=True).ravel(), [6, 8])
    dx = layer.backward(np.array([10, 20], np.float32).reshape(1, 1, 2, 1))
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 0, 0, 0, 0], [0, 10, 0, 20, 0], [0] * 5])
