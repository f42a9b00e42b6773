"""Metrics, compared with examples worked by hand and with scipy."""

import numpy as np
import pytest
from scipy.stats import binomtest

from tinycnn.metrics import (
    PairedComparison,
    Score,
    calibration_bins,
    calibration_error,
    confusion_matrix,
    coverage,
    design_effect,
    percent,
    text_table,
)

ANSWERS = np.array([[0.9, 0.1, 0], [0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0, 0.05, 0.95]])
LABELS = np.array([0, 1, 1, 0], np.uint8)


def test_a_confusion_matrix_has_truth_in_rows_and_answers_in_columns():
    assert confusion_matrix(ANSWERS, LABELS).tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]


def test_a_confusion_matrix_is_large_enough_for_many_classes():
    answers = np.eye(40)[[39, 39, 0]]
    matrix = confusion_matrix(answers, np.array([39, 3, 0], np.uint8))
    assert (matrix[39, 39], matrix[3, 39], matrix[0, 0], matrix.sum()) == (1, 1, 1, 3)


def test_without_the_least_confident_answers_there_are_fewer_errors():
    everything, surest, least = coverage(ANSWERS, LABELS, (1, 0.5, 0))
    assert (everything.score, everything.confidence) == (Score(4, 2), 0.5)
    assert (surest.score, surest.confidence) == (Score(2, 1), 0.9)
    assert least.as_dict() == {"share": 0, "n": 1, "errors": 1, "confidence": 0.95, "accuracy": 0}


def test_bins_hold_all_answers_and_their_gaps_are_the_calibration_error():
    bins = calibration_bins(ANSWERS, LABELS)
    assert [b.score.n for b in bins] == [1, 1, 1, 1]
    assert sum(b.score.errors for b in bins) == 2
    gaps = sum(b.score.n * abs(b.score.accuracy - b.confidence) for b in bins) / 4
    assert calibration_error(ANSWERS, LABELS) == pytest.approx(gaps)
    assert gaps == pytest.approx((0.1 + 0.8 + 0.5 + 0.95) / 4)


def test_certainty_itself_belongs_to_the_last_bin():
    (only,) = calibration_bins(np.eye(3), np.arange(3))
    assert (only.score, only.confidence) == (Score(3, 0), 1)


@pytest.mark.parametrize("counts", [(0, 1), (3, 3), (9, 17), (17, 9), (0, 40), (400, 480)])
def test_mcnemar_is_the_exact_binomial_test(counts):
    assert PairedComparison(999, *counts, 0).p_value == pytest.approx(binomtest(counts[0], sum(counts)).pvalue)


def test_two_readers_are_compared_image_by_image():
    labels = np.array([1, 2, 3, 4, 5])
    assert PairedComparison(9, 0, 0, 9).p_value == 1
    compared = PairedComparison.of(np.array([1, 2, 0, 0, 0]), np.array([1, 0, 3, 0, 5]), labels)
    assert compared == PairedComparison(n=5, only_first=1, only_second=2, neither=1)
    assert compared.sentence() == "McNemar's test: p = 1; it may be chance"
    assert PairedComparison(99, 9, 0, 9).sentence().endswith("p = 0.0039; the first is better")
    assert PairedComparison(99, 0, 30, 9).sentence().endswith("below 0.0001; the second is better")


def test_an_interval_widens_with_the_design_effect():
    assert Score(400, 40, effect=4.0).interval == Score(100, 10).interval


def test_columns_of_a_table_are_aligned():
    rows = [("a", "1", "b"), ("abc", "1,000", "")]
    lines = text_table(("", "number", "text"), rows, left=(0, 2)).splitlines()
    assert lines == ["     number  text", "a         1  b", "abc   1,000"]
    assert [percent(0.12345), percent(None)] == ["12.35 %", "-"]


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
