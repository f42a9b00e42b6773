"""Layers: shapes, what they remember, what they refuse, and a network worked by hand."""

import numpy as np
import pytest

from tinycnn.errors import ShapeError
from tinycnn.nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential, Softmax
from tinycnn.nn.gradcheck import LAYERS
from tinycnn.nn.layers import he_normal

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(("layer", "input_shape"), LAYERS, ids=str)
def test_backward_needs_a_forward_in_training(layer, input_shape, rng):
    layer = type(layer)(**layer.config())
    dy = rng.standard_normal((2, *layer.build(input_shape, rng)), dtype=np.float32)
    layer.forward(rng.standard_normal((2, *input_shape), dtype=np.float32), training=False)
    with pytest.raises(RuntimeError, match="needs a forward"):
        layer.backward(dy)


def test_weights_have_the_variance_that_keeps_numbers_from_fading(rng):
    w = he_normal((300, 400), 50, rng)
    assert w.dtype == np.float32
    assert abs(w.mean()) < 0.01
    assert abs(w.std() - np.sqrt(2 / 50)) < 0.002


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Conv2D(8, 2.5), "kernel_size must be a whole number of at least 1, not 2.5"),
        (lambda: MaxPool2D(0), "size must be a whole number"),
        (lambda: Dense(None), "units must be a whole number"),
    ],
)
def test_layers_that_cannot_be_are_refused_at_once(make, words):
    with pytest.raises(ShapeError, match=words):
        make()


MISFITS = [
    (Conv2D(8, 5), (4, 28, 1), r"a 5x5 kernel does not fit into a 4x28 image"),
    (Conv2D(8, 5), (28, 28), r"Conv2D\(8, 5\) takes images \(H, W, C\), not \(28, 28\)"),
    (Dense(10), (4, 4, 8), r"Dense\(10\) takes rows \(D,\), not \(4, 4, 8\); put a Flatten before"),
    (Softmax(), (3, 3), r"Softmax\(\) takes rows"),
]


@pytest.mark.parametrize(("layer", "input_shape", "words"), MISFITS)
def test_shapes_that_a_layer_cannot_take_are_refused(layer, input_shape, words, rng):
    with pytest.raises(ShapeError, match=words):
        layer.build(input_shape, rng)


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
