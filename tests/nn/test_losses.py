"""The loss is the mean surprise at the truth, finite whatever the logits."""

import math

import numpy as np
import pytest
from hypothesis import given
from strategies import softmax_cross_entropy

from tinycnn.errors import ShapeError
from tinycnn.nn import NO_CLASS, OpenSetCrossEntropy, SoftmaxCrossEntropy

pytestmark = pytest.mark.usefixtures("one_thread")


@given(given=softmax_cross_entropy())
def test_loss_is_the_mean_logarithm_of_what_was_given_to_the_truth(given):
    logits, labels = given["logits"], given["labels"]
    expected = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        odds = [math.exp(logit) for logit in row]
        expected -= math.log(odds[label] / math.fsum(odds)) / len(labels)
    assert math.isclose(SoftmaxCrossEntropy().forward(logits, labels), expected, abs_tol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_logits_stay_finite(dtype):
    loss = SoftmaxCrossEntropy()
    logits = np.array([[1e4, 0, -1e4], [-1e4, 1e4, 0]], dtype)
    assert loss.forward(logits, np.array([0, 1])) == 0
    assert loss.forward(logits, np.array([2, 0])) == 2e4
    np.testing.assert_array_equal(loss.backward(), np.array([[1, 0, -1], [-1, 1, 0]], dtype) / 2)
    assert loss.backward().dtype == dtype


def test_an_example_of_no_class_is_the_mean_over_all_classes():
    logits = np.random.default_rng(0).standard_normal((1, 7))
    usual = [SoftmaxCrossEntropy().forward(logits, np.array([k])) for k in range(7)]
    loss = OpenSetCrossEntropy()
    assert math.isclose(loss.forward(logits, np.array([NO_CLASS])), np.mean(usual))


@pytest.mark.parametrize("labels", [[3, 0], [-2, 0], [0], [0, 0.5]])
def test_open_set_refuses_labels_that_are_none(labels):
    with pytest.raises(ShapeError, match="labels must be 2 classes below 3, or -1 for none"):
        OpenSetCrossEntropy().forward(np.zeros((2, 3)), np.array(labels))
