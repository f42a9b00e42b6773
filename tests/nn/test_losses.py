"""The loss is the mean surprise at the truth, finite whatever the logits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import gentle, softmax_cross_entropy

from tinycnn.errors import ShapeError
from tinycnn.nn import NO_CLASS, OpenSetCrossEntropy, SoftmaxCrossEntropy
from tinycnn.nn.gradcheck import check_loss

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def loss():
    return SoftmaxCrossEntropy()


@given(given=gentle(softmax_cross_entropy()))
def test_gradient_matches_finite_differences(given):
    check_loss(SoftmaxCrossEntropy(), given["logits"], given["labels"])


@given(given=softmax_cross_entropy())
def test_loss_is_the_mean_logarithm_of_what_was_given_to_the_truth(given):
    logits, labels = given["logits"], given["labels"]
    expected = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        odds = [math.exp(logit) for logit in row]
        expected -= math.log(odds[label] / math.fsum(odds)) / len(labels)
    assert math.isclose(SoftmaxCrossEntropy().forward(logits, labels), expected, abs_tol=1e-12)


def test_one_example_by_hand(loss):
    # p = e^log 3 : e^0 = 3 : 1, so the surprise at class 1 is -log 1/4.
    logits = np.array([[math.log(3), 0.0]])
    assert math.isclose(loss.forward(logits, np.array([1])), math.log(4))
    np.testing.assert_allclose(loss.p, [[0.75, 0.25]])
    np.testing.assert_allclose(loss.backward(), [[0.75, -0.75]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_stay_finite(loss, dtype):
    logits = np.array([[1e4, 0, -1e4], [-1e4, 1e4, 0]], dtype)
    assert loss.forward(logits, np.array([0, 1])) == 0
    assert loss.forward(logits, np.array([2, 0])) == 2e4
    np.testing.assert_array_equal(loss.backward(), np.array([[1, 0, -1], [-1, 1, 0]], dtype) / 2)
    assert loss.backward().dtype == dtype


@given(dtype=st.sampled_from(["i1", "u1", "i8", "u8", ">i4"]))
def test_labels_may_be_integers_of_any_kind(dtype):
    logits, labels = np.random.default_rng(0).standard_normal((3, 4)), np.array([3, 0, 2])
    expected = SoftmaxCrossEntropy().forward(logits, labels)
    assert SoftmaxCrossEntropy().forward(logits, labels.astype(dtype)) == expected


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 1, 4], "label 4 of example 2 is not one of 4 classes"),
        ([0, -1, 4], "label -1 of example 1"),
        ([0, 1], r"labels has shape \(2,\), expected \(3,\)"),
        ([0.0, 1.0, 2.0], "labels are float64, expected integers"),
        ([[0, 0, 0, 1]] * 3, "labels has shape"),
    ],
)
def test_labels_that_are_none_are_refused(loss, labels, words):
    with pytest.raises(ShapeError, match=words):
        loss.forward(np.zeros((3, 4)), np.array(labels))


# ------------------------------------------------------------------------ examples of no class


@st.composite
def open_set(draw):
    """Logits and labels, among them some of no class."""
    given = draw(softmax_cross_entropy())
    unknown = np.random.default_rng(draw(st.integers(0, 99))).random(len(given["labels"])) < 0.5
    return {**given, "labels": np.where(unknown, NO_CLASS, given["labels"])}


@given(given=gentle(open_set()))
def test_open_set_gradient_matches_finite_differences(given):
    check_loss(OpenSetCrossEntropy(), given["logits"], given["labels"])


def test_an_example_of_no_class_is_the_mean_over_all_classes():
    logits = np.random.default_rng(0).standard_normal((1, 7))
    usual = [SoftmaxCrossEntropy().forward(logits, np.array([k])) for k in range(7)]
    loss = OpenSetCrossEntropy()
    assert math.isclose(loss.forward(logits, np.array([NO_CLASS])), np.mean(usual))


def test_open_set_keeps_the_dtype_and_leaves_its_arguments_alone():
    logits = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    labels = np.array([2, NO_CLASS, 0])
    kept = logits.copy(), labels.copy()
    loss = OpenSetCrossEntropy()
    loss.forward(logits, labels)
    assert loss.backward().dtype == np.float32
    assert np.array_equal(logits, kept[0])
    assert np.array_equal(labels, kept[1])


@pytest.mark.parametrize("labels", [[3, 0], [-2, 0], [0], [0, 0.5], []])
def test_open_set_refuses_labels_that_are_none(labels):
    with pytest.raises(ShapeError, match="labels must be 2 classes below 3, or -1 for none"):
        OpenSetCrossEntropy().forward(np.zeros((2, 3)), np.array(labels))
