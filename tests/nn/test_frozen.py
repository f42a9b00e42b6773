"""A frozen model gives the model's answers, and keeps giving them while the model is trained."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.nn import (
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    Frozen,
    MaxPool2D,
    ReLU,
    Sequential,
    Softmax,
    reference,
    set_threads,
)


@pytest.fixture
def images():
    return np.random.default_rng(5).integers(0, 256, (6, 17, 15), dtype=np.uint8)


def network(*ending):
    """A wide second convolution goes through Winograd's transforms, the first one does not."""
    layers = [Conv2D(30, 3), ReLU(), MaxPool2D(2), Conv2D(18, 3), ReLU(), MaxPool2D(2), Flatten()]
    return Sequential([*layers, Dense(11), ReLU(), Dense(4), *ending], (17, 15, 1), seed=7)


@pytest.mark.parametrize("threads", [1, None])
@pytest.mark.parametrize("ending", [(), (Softmax(),)], ids=["logits", "softmax layer"])
def test_frozen_answers_as_the_model_does(images, ending, threads):
    set_threads(threads)
    model = network(*ending)
    frozen = Frozen(model)
    for image, expected in zip(images, model.predict_proba(images), strict=True):
        np.testing.assert_allclose(frozen.predict_proba(image), expected, atol=1e-6)
    set_threads(None)


def test_frozen_takes_scaled_float_images(images):
    model = network()
    x = model.prepare(images[:1])
    np.testing.assert_allclose(
        Frozen(model).predict_proba(x[0]), model.predict_proba(images[:1])[0], atol=1e-6
    )


def test_frozen_keeps_its_answers_while_the_model_changes(images):
    model = network()
    frozen = Frozen(model)
    before = frozen.predict_proba(images[0]).copy()
    for layer in model:
        for z in layer.params.values():
            z += 0.1
    np.testing.assert_array_equal(frozen.predict_proba(images[0]), before)
    assert not np.allclose(model.predict_proba(images[:1])[0], before)


def test_frozen_keeps_its_answers_while_layers_without_a_faster_way_change(images):
    layers = [Conv2D(3, 3), BatchNorm(), ReLU(), Flatten(), Dense(4)]
    model = Sequential(layers, (17, 15, 1), seed=7)
    frozen = Frozen(model)
    before = frozen.predict_proba(images[0]).copy()
    for z in model.arrays().values():
        z += 0.1
    np.testing.assert_array_equal(frozen.predict_proba(images[0]), before)


def test_a_single_image_meets_the_weights_of_now_however_they_were_changed(images):
    """What is packed for one image is kept for the next, as long as it is the same."""
    model = network()

    def agree():
        expected = model.on(reference).predict_proba(images[:1])
        np.testing.assert_allclose(model.predict_proba(images[:1]), expected, atol=1e-5)

    agree()
    params = model.layers[3].params
    params["w"][5, 1, 2, 7] += 3
    agree()
    params["b"][4] += 3
    agree()
    params["w"] = params["w"] * -1
    agree()


def test_threads_that_share_a_frozen_model_do_not_disturb_each_other(images):
    model = network()
    frozen = Frozen(model)
    expected = model.predict_proba(images).argmax(axis=1)
    together = threading.Barrier(len(images))

    def ask(n):
        together.wait()
        answers = [frozen.predict_proba(images[n]).copy() for _ in range(3 if UNCOMPILED else 300)]
        return sum(int(p.argmax() != expected[n]) for p in answers), answers[0]

    with ThreadPoolExecutor(len(images)) as threads:
        for n, (wrong, p) in enumerate(threads.map(ask, range(len(images)))):
            assert wrong == 0
            np.testing.assert_allclose(p, model.predict_proba(images[n : n + 1])[0], atol=1e-6)
