"""Metrics, compared with examples worked by hand and with scipy."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from tinycnn import metrics
from tinycnn.data.provenance import SAMPLE, sample_of, share_known
from tinycnn.metrics import PairedComparison, Score, design_effect, is_among_the_best

ANSWERS = np.array([[0.9, 0.1, 0], [0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0, 0.05, 0.95]])
LABELS = np.array([0, 1, 1, 0], np.uint8)


def test_a_confusion_matrix_has_truth_in_rows_and_answers_in_columns():
    assert metrics.confusion_matrix(ANSWERS, LABELS).tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]

    answers = np.eye(40)[[39, 39, 0]]
    matrix = metrics.confusion_matrix(answers, np.array([39, 3, 0], np.uint8))
    assert (matrix[39, 39], matrix[3, 39], matrix[0, 0], matrix.sum()) == (1, 1, 1, 3)


def test_bins_hold_all_answers_and_their_gaps_are_the_calibration_error():
    bins = metrics.calibration_bins(ANSWERS, LABELS)
    assert [score.n for _, score in bins] == [1, 1, 1, 1]
    assert sum(score.errors for _, score in bins) == 2
    gaps = sum(score.n * abs(score.accuracy - confidence) for confidence, score in bins) / 4
    assert metrics.calibration_error(ANSWERS, LABELS) == pytest.approx(gaps)
    assert gaps == pytest.approx((0.1 + 0.8 + 0.5 + 0.95) / 4)
    (only,) = metrics.calibration_bins(np.eye(3), np.arange(3))
    assert only == (1, Score(3, 0))


@pytest.mark.parametrize("counts", [(0, 1), (3, 3), (9, 17), (17, 9), (0, 40), (400, 480)])
def test_mcnemar_is_the_exact_binomial_test(counts):
    assert PairedComparison(999, *counts, 0).p_value == pytest.approx(
        binomtest(counts[0], sum(counts)).pvalue
    )


def test_two_readers_are_compared_image_by_image():
    labels = np.array([1, 2, 3, 4, 5])
    assert PairedComparison(9, 0, 0, 9).p_value == 1
    compared = PairedComparison.of(np.array([1, 2, 0, 0, 0]), np.array([1, 0, 3, 0, 5]), labels)
    assert compared == PairedComparison(n=5, only_first=1, only_second=2, neither=1)
    assert compared.sentence() == "McNemar's test: p = 1; it may be chance"
    assert PairedComparison(99, 9, 0, 9).sentence().endswith("p = 0.0039; the first is better")
    assert PairedComparison(99, 0, 30, 9).sentence().endswith("below 0.0001; the second is better")
    assert Score(400, 40, effect=4.0).interval == Score(100, 10).interval


def test_columns_of_a_table_are_aligned():
    rows = [("a", "1", "b"), ("abc", "1,000", "")]
    lines = metrics.text_table(("", "number", "text"), rows, left=(0, 2)).splitlines()
    assert lines == ["     number  text", "a         1  b", "abc   1,000"]
    assert [metrics.percent(0.12345), metrics.percent(None)] == ["12.35 %", "-"]


def test_the_design_effect_is_the_variance_over_writers_by_that_of_independent_answers():
    rng = np.random.default_rng(0)
    writers = np.repeat(np.arange(40), 25)
    skill = rng.beta(8, 2, (3000, 40))
    right = rng.random((3000, 1000)) < np.repeat(skill, 25, axis=1)
    accuracies = right.mean(axis=1)
    true = accuracies.var() / (0.8 * 0.2 / 1000)
    found = np.mean([design_effect(answers, writers) for answers in right[:300]])
    assert true > 2
    assert found == pytest.approx(true, rel=0.1)


def test_without_clusters_there_is_no_design_effect():
    rng = np.random.default_rng(1)
    right = rng.random(2000) < 0.9
    assert design_effect(right, np.arange(2000)) == pytest.approx(1, abs=0.01)
    assert design_effect(right, rng.integers(0, 20, 2000)) < 2
    assert design_effect(right, np.zeros(2000)) == 1
    assert design_effect(np.ones(10, bool), np.arange(10)) == 1


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (1, 3), (9934, 10_000), (1959, 2000)])
def test_the_interval_is_wilson_s(right, n):
    expected = binomtest(right, n).proportion_ci(method="wilson")

    np.testing.assert_allclose(metrics.wilson_interval(right, n), expected, atol=1e-12)


def test_a_score_by_hand():
    answers = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [1.0, 0.0]], np.float32)
    labels = np.array([0, 1, 1, 1], np.uint8)
    score = Score.of(answers.argmax(axis=1), labels)

    assert (score.n, score.errors, score.accuracy) == (4, 2, 0.5)
    tiny = float(np.finfo(np.float32).tiny)
    expected = -(math.log(0.9) + math.log(0.8) + math.log(0.4) + math.log(tiny)) / 4
    assert metrics.cross_entropy(answers, labels) == pytest.approx(expected, rel=1e-6)
    assert Score(10_000, 66).sentence().startswith("99.34 % right (66 errors of 10,000; 95 %")


def test_a_sample_tells_what_share_of_images_was_trained_on():
    images = np.random.default_rng(2).integers(0, 256, (6000, 4, 4), dtype=np.uint8)
    sample = sample_of(images[:4000])

    assert len(sample) < 12_000
    assert share_known(images[:100], sample) in (0.0, 1.0)  # few of 100 have a small hash
    assert share_known(images[:4000], sample) == 1
    assert share_known(images[4000:], sample) == 0
    assert share_known(images[2000:], sample) == pytest.approx(0.5, abs=0.08)
    assert share_known(images[:3], sample_of(images[2 : SAMPLE - 1])) == pytest.approx(1 / 3)


def test_of_epochs_within_one_standard_error_the_last_is_the_best():
    # 16 errors of 800: the standard error is that of 17 in 802, 4.1 errors.
    assert is_among_the_best([0.5], 800)
    assert is_among_the_best([0.5, 0.9], 800)
    assert is_among_the_best([0.98, 780 / 800], 800)
    assert not is_among_the_best([0.98, 779 / 800], 800)
    assert not is_among_the_best([0.98, 780 / 800, 779 / 800], 800)
    assert not is_among_the_best([0.98, 0.975], 8000)


@pytest.mark.parametrize("n", [1, 2, 10, 800, 10**6])
def test_never_does_one_image_decide_which_epoch_is_kept(n):
    for fewest in range(min(n, 3)):
        assert is_among_the_best([1 - fewest / n, 1 - (fewest + 1) / n], n)
    assert n < 10 or not is_among_the_best([1.0, 1 - 2 / n], n)
