"""The training step and its loop, and a network that runs on the readable operations."""

import numpy as np
import pytest

from tinycnn.nn import PRESETS, SGD, SoftmaxCrossEntropy, build, reference
from tinycnn.nn.fit import fit, train_step

pytestmark = pytest.mark.usefixtures("one_thread")

INPUT = (9, 8, 2)
LAYERS = (
    "Conv2D(4, 3) ReLU MaxPool2D(2) Conv2D(3, 2) BatchNorm ReLU Flatten Dropout(0.2) "
    "Dense(6) ReLU Dense(4)"
)


def network():
    return build(LAYERS, INPUT, seed=2)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (12, *INPUT), dtype=np.uint8)


@pytest.fixture
def labels():
    return np.arange(12) % 4


def equal(a, b):
    return all(np.array_equal(z, b.arrays()[name]) for name, z in a.arrays().items())


def test_fit_goes_over_all_images_and_its_seed_decides_their_order(images, labels):
    one, same, other = network(), network(), network()
    losses = fit(one, images, labels, SGD(one, 0.05), epochs=8, batch_size=5, seed=3)
    assert len(losses) == 8
    assert losses[-1] < losses[0]
    fit(same, images, labels, SGD(same, 0.05), epochs=8, batch_size=5, seed=3)
    fit(other, images, labels, SGD(other, 0.05), epochs=8, batch_size=5, seed=4)
    assert equal(one, same)
    assert not equal(one, other)


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_gives_the_same_on_the_reference(name):
    model = build(name, seed=1)
    x = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    np.testing.assert_allclose(
        model.on(reference).forward(x), model.forward(x), rtol=1e-4, atol=1e-5
    )


def test_a_whole_step_gives_the_same_on_the_reference(images, labels):
    model, readable = network(), network().on(reference)
    for each in (model, readable):
        each.draw_from(np.random.default_rng(2))
    value = train_step(model, SoftmaxCrossEntropy(), SGD(model, 0.1), images, labels)
    loss, optimizer = SoftmaxCrossEntropy(), SGD(readable, 0.1)
    loss.ops = optimizer.ops = reference
    assert train_step(readable, loss, optimizer, images, labels) == pytest.approx(value, rel=1e-5)
    for name, z in model.arrays().items():
        np.testing.assert_allclose(readable.arrays()[name], z, rtol=1e-4, atol=1e-5)
