"""How sure a network may be."""

import math

import numpy as np
import pytest

from benchmarks.quality.pages import page_of
from tinycnn.data import load_dataset
from tinycnn.data.catalogue import DIGITS
from tinycnn.errors import WeightsError
from tinycnn.ink import Picture, Recognizer, read_picture, read_strokes
from tinycnn.nn import Dense, Flatten, Sequential
from tinycnn.train.calibration import calibrate, choose_threshold, fit_temperature


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def softmax(logits):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def honest(rng, N=20_000, K=10):
    """Logits (N,K), and labels drawn with just the probabilities that they give."""
    logits = 3 * rng.standard_normal((N, K))
    labels = (softmax(logits).cumsum(axis=1) < rng.random((N, 1))).sum(axis=1)
    return logits, np.minimum(labels, K - 1)


@pytest.mark.parametrize("factor", [0.5, 1, 2.5])
def test_the_temperature_undoes_what_made_logits_too_large_or_too_small(rng, factor):
    logits, labels = honest(rng)
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor, rel=0.03)


def test_few_errors_say_little_of_the_temperature_and_none_do_not_sharpen(rng):
    """Sure answers of which all, or all but one, are right: neither is a reason to be surer."""
    labels = rng.integers(0, 10, 800)
    sure = rng.standard_normal((800, 10)) + 12 * np.eye(10)[labels]
    assert fit_temperature(sure, labels) == pytest.approx(1, abs=0.05)
    labels[0] = (labels[0] + 1) % 10
    assert 1 <= fit_temperature(sure, labels) < 1.5
    assert fit_temperature(sure[:0], labels[:0]) == 1


def test_the_threshold_parts_what_can_be_parted(rng):
    digits, others = rng.normal(10, 1, 1000), rng.normal(2, 1, 300)
    threshold = choose_threshold(digits, others)
    assert others.max() <= threshold <= digits.min() + 1e-3


def test_digits_get_a_threshold_and_other_things_only_a_temperature():
    data = load_dataset("mnist10k")
    images, labels = data.test_images[:300], data.test_labels[:300]
    model = Sequential([Flatten(), Dense(10)], (28, 28, 1), seed=1)
    calibration = calibrate(model, images, labels, DIGITS)
    assert set(calibration) == {"temperature", "threshold"}
    assert calibration == calibrate(model, images, labels, DIGITS)
    assert set(calibrate(model, images, labels, tuple("abcdefghij"))) == {"temperature"}
    drawn = calibrate(model, images, labels, DIGITS, "drawings")
    assert drawn["threshold"] == calibration["threshold"]
    assert drawn["temperature_of_strokes"] > drawn["temperature"] != calibration["temperature"]


def linear(**description):
    model = Sequential([Flatten(), Dense(3)], (4, 4, 1), seed=2)
    model.description = description
    return model


def test_the_recognizer_of_some_weights_has_their_names_and_their_calibration(rng):
    calibration = {"temperature": 2.0, "threshold": 1.0}
    model = linear(classes=["cat", "dog", "cow"], calibration=calibration)
    recognizer = Recognizer.of(model)
    images = rng.integers(256, size=(5, 4, 4), dtype=np.uint8)
    logits = model.forward(model.prepare(images))
    opinion = recognizer(images)
    assert (recognizer.classes, recognizer.threshold) == (("cat", "dog", "cow"), 1)
    np.testing.assert_allclose(opinion.probabilities, softmax(logits / 2), rtol=1e-6)
    np.testing.assert_allclose(opinion.scores, np.log(np.exp(logits).sum(axis=1)), rtol=1e-6)


def test_drawings_have_a_temperature_of_their_own_where_the_weights_name_one(rng):
    logits, strokes = rng.standard_normal((1, 10)), [np.array([[0, 0], [9, 0], [3, 20.0]])]
    for given in ({"temperature": 0.5}, {"temperature": 0.5, "temperature_of_strokes": 2.0}):
        reader = Recognizer(lambda images: logits.repeat(len(images), 0), DIGITS, **given)
        drawing = read_strokes(strokes, reader, single=True)
        picture = read_picture(Picture(255 - page_of(strokes, 5, 5)), reader, single=True)
        T = given.get("temperature_of_strokes", 0.5)
        assert drawing.confidence == pytest.approx(softmax(logits / T).max())
        assert picture.confidence == pytest.approx(softmax(logits / 0.5).max())


NONSENSE = [
    {"calibration": 3},
    *({"calibration": {"temperature": z}} for z in (10**400, 1e9, 1e-300, 0, -1, math.nan, "x")),
    *({"calibration": {"threshold": z}} for z in (10**400, math.nan, "x")),
    {"calibration": {"temperature_of_strokes": 1e9}},
    {"calibration": {"humidity": 0.4}},
    {"classes": ["cat", "dog"]},
    {"classes": ["a", "b", "a"]},
    {"classes": ["a", "", "c"]},
]


@pytest.mark.parametrize("description", NONSENSE)
def test_a_description_that_is_nonsense_is_refused(description):
    with pytest.raises(WeightsError, match="these weights"):
        Recognizer.of(linear(**description))
