"""The training step and its loop, and a network that runs on the readable operations."""

import copy

import numpy as np
import pytest

from tinycnn import kernels
from tinycnn.nn import (
    PRESETS,
    SGD,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    Softmax,
    SoftmaxCrossEntropy,
    build,
    reference,
)
from tinycnn.nn.differences import check
from tinycnn.nn.fit import fit, train_step

pytestmark = pytest.mark.usefixtures("one_thread")

INPUT = (9, 8, 2)


def network(*ending):
    first = [Conv2D(4, 3), ReLU(), MaxPool2D(2), Conv2D(3, 2), BatchNorm(), ReLU(), Flatten()]
    return Sequential([*first, Dropout(0.2), Dense(6), ReLU(), Dense(4), *ending], INPUT, seed=2)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (12, *INPUT), dtype=np.uint8)


@pytest.fixture
def labels():
    return np.arange(12) % 4


def equal(a, b):
    return all(np.array_equal(z, b.arrays()[name]) for name, z in a.arrays().items())


# ------------------------------------------------------------------------------- the training step


def test_a_step_is_prepare_forward_loss_backward_and_step(images, labels):
    by_hand, model = network(), network()
    loss, optimizer = SoftmaxCrossEntropy(), SGD(by_hand, lr=0.1)
    value = loss.forward(by_hand.forward(by_hand.prepare(images), training=True), labels)
    by_hand.backward(loss.backward())
    optimizer.step()
    assert train_step(model, SoftmaxCrossEntropy(), SGD(model, lr=0.1), images, labels) == value
    assert equal(model, by_hand)


@pytest.mark.parametrize("fused", [True, False])
def test_a_step_does_not_compute_the_gradient_of_the_images(images, labels, fused, monkeypatch):
    layers = [Conv2D(4, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(4)]
    model = Sequential(layers, INPUT, seed=1, fused=fused)
    for operation in ("conv2d_backward_input", "conv2d_relu_maxpool2d_backward_input"):
        monkeypatch.setattr(kernels, operation, None)
    train_step(model, SoftmaxCrossEntropy(), SGD(model, 0.1), images, labels)
    with pytest.raises(TypeError):
        model.backward(np.ones((12, 4), np.float32), input_gradient=True)


def test_shares_of_a_batch_that_are_added_up_make_the_step_of_the_whole_batch(images, labels):
    layers = [Flatten(), Dense(4)]
    one, two, whole = (Sequential(copy.deepcopy(layers), INPUT, seed=1) for _ in range(3))
    loss = train_step(whole, SoftmaxCrossEntropy(), SGD(whole, 0.1), images, labels)
    shares = {}

    def keep(gradients, value):
        shares["one"] = [dz.copy() for dz in gradients], value / 2
        return value

    def add_up(gradients, value):
        for dz, other in zip(gradients, shares["one"][0], strict=True):
            dz += other
        return value / 2 + shares["one"][1]

    train_step(one, SoftmaxCrossEntropy(), SGD(one, 0.1), images[:6], labels[:6], 12, keep)
    optimizer = SGD(two, 0.1)
    value = train_step(two, SoftmaxCrossEntropy(), optimizer, images[6:], labels[6:], 12, add_up)
    assert value == pytest.approx(loss, rel=1e-6)
    for name, z in whole.arrays().items():
        np.testing.assert_allclose(two.arrays()[name], z, rtol=1e-5, atol=1e-7)


def test_fit_goes_over_all_images_and_its_seed_decides_their_order(images, labels):
    one, same, other = network(), network(), network()
    losses = fit(one, images, labels, SGD(one, 0.05), epochs=8, batch_size=5, seed=3)
    assert len(losses) == 8
    assert losses[-1] < losses[0]
    fit(same, images, labels, SGD(same, 0.05), epochs=8, batch_size=5, seed=3)
    fit(other, images, labels, SGD(other, 0.05), epochs=8, batch_size=5, seed=4)
    assert equal(one, same)
    assert not equal(one, other)


# ------------------------------------------------------------------- on the readable operations


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


def test_a_part_shares_parameters_but_no_memory(images):
    model = network(Softmax())
    x = model.prepare(images)
    head, tail = model.part(0, 6), model.part(6, len(model.layers))
    np.testing.assert_allclose(tail.forward(head.forward(x)), model.forward(x), atol=1e-6)
    model.layers[0].params["b"] += 0.5
    np.testing.assert_allclose(tail.forward(head.forward(x)), model.forward(x), atol=1e-6)
    y = model.forward(x, training=True)
    head.forward(x)
    assert model.backward(np.ones_like(y), input_gradient=True).shape == x.shape


# ------------------------------------------------------------------------- gradients of an answer


@pytest.mark.parametrize("layer", [BatchNorm(), Dropout(0.4)], ids=repr)
def test_in_inference_a_layer_has_gradients_too(layer):
    rng = np.random.default_rng(0)
    layer.build((3, 2), rng)
    layer.inference = True
    layer.params = {key: rng.random(z.shape) for key, z in layer.params.items()}
    layer.state = {key: rng.random(z.shape) for key, z in layer.state.items()}
    before = copy.deepcopy(layer.state)
    x, dy = rng.random((4, 3, 2)), rng.random((4, 3, 2))
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    gradients = {"x": (x, dx)} | {z: (layer.params[z], layer.grads[z]) for z in layer.params}
    check(repr(layer), lambda: layer.forward(x, training=True), gradients, dy)
    np.testing.assert_array_equal(layer.forward(x), y)
    assert all(np.array_equal(z, before[key]) for key, z in layer.state.items())
