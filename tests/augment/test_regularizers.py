"""Layers that help a network to learn: in training and in inference."""

import numpy as np
import pytest

from tinycnn.errors import ShapeError
from tinycnn.kernels import batchnorm
from tinycnn.nn import BatchNorm, Dropout, Sequential

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def layer(rng):
    layer = BatchNorm()
    layer.build((4, 3, 2), rng)
    return layer


def images(rng, N=50):
    return (rng.standard_normal((N, 4, 3, 2)) * [0.5, 3] + [1, -2]).astype(np.float32)


def test_in_training_every_channel_gets_mean_b_and_deviation_w(layer, rng):
    layer.params["w"][:], layer.params["b"][:] = [2, 5], [-1, 3]
    y = layer.forward(images(rng), training=True)
    assert y.mean(axis=(0, 1, 2)) == pytest.approx([-1, 3], abs=1e-5)
    assert y.std(axis=(0, 1, 2)) == pytest.approx([2, 5], rel=1e-4)


def test_one_number_a_channel_is_too_little_to_learn_from():
    layer = BatchNorm()
    layer.build((1, 1, 2), np.random.default_rng(0))
    x = np.ones((1, 1, 1, 2), np.float32)
    with pytest.raises(ShapeError, match=r"one number a channel.* use batches of two or more"):
        layer.forward(x, training=True)
    assert layer.state["variance"].tolist() == [1, 1]
    np.testing.assert_allclose(layer.forward(x), x, rtol=1e-4)


def test_averages_follow_the_batches_and_answers_use_them(layer, rng):
    for _ in range(100):
        layer.forward(images(rng), training=True)
    assert layer.state["mean"] == pytest.approx([1, -2], abs=0.1)
    assert layer.state["variance"] == pytest.approx([0.25, 9], rel=0.1)
    x = images(rng, 1000)
    y = layer.forward(x)
    assert np.array_equal(y[:3], layer.forward(x[:3]))  # whatever else is in the batch
    assert y.mean(axis=(0, 1, 2)) == pytest.approx([0, 0], abs=0.1)
    assert y.std(axis=(0, 1, 2)) == pytest.approx([1, 1], rel=0.1)


def test_large_numbers_keep_their_small_differences(rng):
    """A sum of squares less the square of the sum would have lost all digits."""
    x = (1000 + rng.standard_normal((64, 9, 9, 1))).astype(np.float32)
    _, mean, variance = batchnorm(x, np.ones(1, np.float32), np.zeros(1, np.float32), 1e-5)
    assert mean == pytest.approx(x.mean(dtype=np.float64), rel=1e-6)
    assert variance == pytest.approx(x.var(dtype=np.float64), rel=1e-3)


def test_a_share_of_numbers_is_silenced_in_training_and_the_mean_stays(rng):
    layer = Dropout(0.3)
    layer.build((40, 50), rng)
    x = rng.uniform(1, 2, (20, 40, 50)).astype(np.float32)
    y, other = (layer.forward(x, training=True) for _ in range(2))
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert y[y != 0] == pytest.approx(x[y != 0] / 0.7)
    assert not np.array_equal(y == 0, other == 0)
    assert layer.forward(x) is x


def test_a_network_hands_one_generator_to_all_its_layers(rng):
    network = Sequential([Dropout(0.5), Dropout(0.5)], (300,))
    x, results = rng.random((2, 300), np.float32), []
    for seed in (7, 7, 8):
        network.draw_from(np.random.default_rng(seed))
        results.append(network.forward(x, training=True))
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])
    assert (results[0] == 0).mean() == pytest.approx(0.75, abs=0.08), "each has a mask of its own"


@pytest.mark.parametrize("rate", [1, -0.1, np.nan])
def test_a_rate_that_leaves_nothing_is_refused(rate):
    with pytest.raises(ShapeError, match="rate must be a share from 0 to below 1"):
        Dropout(rate)
