import numpy as np
import pytest

from tinycnn.nn import BatchNorm, Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential, Softmax
from tinycnn.nn.plain import forward
from tinycnn.nn.presets import PRESETS, build


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_answers_alike_without_kernels(name):
    model = build(name, seed=1)
    x = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    np.testing.assert_allclose(forward(model, x), model.forward(x), rtol=1e-4, atol=1e-5)


def test_all_kinds_of_layers_answer_alike_without_kernels():
    layers = [Conv2D(4, 3), BatchNorm(), ReLU(), MaxPool2D(3), Flatten(), Dense(5), Softmax()]
    model = Sequential(layers, (12, 12, 2), seed=0)
    rng = np.random.default_rng(1)
    model.layers[1].state["mean"][...] = rng.random(4)
    x = rng.random((4, 12, 12, 2), np.float32)
    np.testing.assert_allclose(forward(model, x), model.forward(x), rtol=1e-4, atol=1e-5)
