"""What a model keeps for its next answer never shows, whatever happens to it between two calls."""

import copy
import ctypes
import gc
import pickle
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.nn import SGD, SoftmaxCrossEntropy, build, reference, set_threads
from tinycnn.nn.fit import train_step


@pytest.fixture
def images():
    return np.random.default_rng(5).integers(0, 256, (6, 17, 15), dtype=np.uint8)


@pytest.fixture(params=["", " Softmax"], ids=["logits", "softmax"])
def model(request):
    """A wide second convolution goes through Winograd's transforms, the others do not.

    Two BatchNorms are folded into the layers before and behind them; the first has no such layer.
    """
    pooled = "Conv2D(30, 3) ReLU MaxPool2D(2) Conv2D(18, 3) ReLU MaxPool2D(2)"
    middle = "BatchNorm LeakyReLU Dropout(0.5) Conv2D(5, 2) BatchNorm ReLU Flatten"
    rest = "Dense(11) ReLU BatchNorm Dropout(0.5) Dense(4)"
    return build(f"{pooled} {middle} {rest}{request.param}", (17, 15, 1), seed=7)


def right(model, images):
    return model.on(reference).predict_proba(images)


def test_an_answer_has_the_same_bits_on_any_number_of_threads(model, images):
    for count in (1, 3, 6):
        answers = set()
        for threads in (1, None):
            set_threads(threads)
            answers.add(model.predict_proba(images[:count]).tobytes())
        assert len(answers) == 1


@pytest.mark.parametrize("threads", [1, None])
def test_any_number_of_images_is_answered_as_by_the_reference(threads, model, images):
    set_threads(threads)
    for count in (1, 6, 3, 1, 2, 4, 5, 1):
        expected = right(model, images[:count])
        for given in (images[:count], model.prepare(images[:count])):
            np.testing.assert_allclose(model.predict_proba(given), expected, atol=1e-6)
    set_threads(None)


def write_in_place(model):
    model.layers[3].params["w"][5, 1, 2, 7] += 300


def write_statistics(place):
    def change(model):
        model.layers[place].state["mean"] += 0.5

    return change


def assign_all(model):
    model.layers[17].params = {key: z * -2 for key, z in model.layers[17].params.items()}


def assign_a_view(model):
    w = model.layers[9].params["w"]
    model.layers[9].params["w"] = np.repeat(w, 2, axis=-1)[..., ::2]
    model.predict_proba(np.zeros((1, 17, 15), np.uint8))
    model.layers[9].params["w"][0] *= 2


def train(model):
    x, labels = np.full((2, 17, 15), 99, np.uint8), np.array([1, 2])
    train_step(model, SoftmaxCrossEntropy(), SGD(model, 0.1), x, labels)


def owned_elsewhere(params):
    memory = np.ones((2, *params["w"].shape), np.float32)
    params["w"] = memory[1]
    return {"w": memory}


KEPT = {
    "a dict": lambda params: params,
    "a view": lambda params: {"w": params["w"][2:]},
    "a buffer": lambda params: {"w": memoryview(params["w"])},
    "the owner of a view": owned_elsewhere,
    "a weak reference": lambda params: {"w": weakref.ref(params["w"])},
}


@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
def test_weights_are_written_by_code_that_has_kept_them(kept, model, images):
    params = kept(model.layers[3].params)
    before = [model.predict_proba(images[:1]) for _ in range(3)]
    w = params["w"]
    np.asarray(w() if callable(w) else w)[...] *= -1
    after = model.predict_proba(images[:1])
    assert not np.allclose(after, before[-1], atol=1e-4)
    np.testing.assert_allclose(after, right(model, images[:1]), atol=1e-5)


def test_weights_that_no_other_code_can_have_are_not_compared(model, images):
    address = model.layers[3].params["w"].ctypes.data
    before = [model.predict_proba(images[:1]) for _ in range(3)]
    ctypes.memset(address, 0, 4)
    np.testing.assert_array_equal(model.predict_proba(images[:1]), before[-1])
    assert model.layers[3].params["w"][0, 0, 0, 0] == 0  # which asks for them
    assert not np.array_equal(model.predict_proba(images[:1]), before[-1])


CHANGES = [write_in_place, assign_all, assign_a_view, train, *map(write_statistics, (6, 10, 15))]


@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_is_that_of_the_weights_of_now_however_they_were_changed(change, model, images):
    before = [model.predict_proba(images[:1]) for _ in range(3)]  # the last two by what was kept
    kept = before[0].copy()
    change(model)
    after = model.predict_proba(images[:1])
    np.testing.assert_allclose(after, right(model, images[:1]), atol=1e-5)
    assert not np.allclose(after, kept, atol=1e-4)
    assert all(np.array_equal(p, kept) for p in before), "an earlier answer has changed"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda z: pickle.loads(pickle.dumps(z))])
def test_a_copy_of_a_model_that_has_answered_answers_for_itself(copied, model, images):
    expected = model.predict_proba(images[:1])
    twin = copied(model)
    np.testing.assert_array_equal(twin.predict_proba(images[:1]), expected)
    train(twin)
    assert not np.array_equal(twin.predict_proba(images[:1]), expected)
    np.testing.assert_array_equal(model.predict_proba(images[:1]), expected)


def test_threads_that_share_a_model_do_not_disturb_each_other(model, images):
    expected = model.predict_proba(images)
    together = threading.Barrier(len(images))

    def ask(n):
        together.wait()
        answers = [model.predict_proba(images[n]) for _ in range(3 if UNCOMPILED else 300)]
        return max(abs(p - expected[n]).max() for p in answers)

    with ThreadPoolExecutor(len(images)) as threads:
        assert max(threads.map(ask, range(len(images)))) < 1e-6


def test_nothing_is_kept_of_a_model_that_is_gone(images):
    model = build("Flatten Dense(3)", (17, 15, 1))
    model.predict(images)
    layer = weakref.ref(model.layers[1])
    del model
    gc.collect()
    assert layer() is None
