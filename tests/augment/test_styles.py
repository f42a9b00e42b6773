"""Styles that MNIST hardly knows, and what is no digit at all."""

import numpy as np
import pytest
from scipy import ndimage

from tinycnn.augment.negatives import MAKERS, almost_blank, make_non_digits
from tinycnn.augment.refit import FAINT, columns_with_ink, refitted, resized, rows_with_ink
from tinycnn.augment.styles import STYLES, brushed, stretched
from tinycnn.data import load_dataset
from tinycnn.data.mnist import BOX, offset_to_center

STYLE = {digit: rewrite for source, rewrite, digit, _ in STYLES if source == digit}


@pytest.fixture(scope="module")
def digits():
    dataset = load_dataset("mnist10k")
    return dataset.test_images[:600], dataset.test_labels[:600]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def of(digits, label):
    images, labels = digits
    return images[labels == label]


def longer_side(images):
    (top, bottom), (left, right) = rows_with_ink(images, FAINT), columns_with_ink(images, FAINT)
    return np.maximum(bottom - top, right - left) + 1


def ink(images):
    return images.sum(axis=(1, 2), dtype=np.int64)


def test_refitting_undoes_a_change_of_size_and_place(digits, rng):
    images = of(digits, 3)
    size = np.repeat(rng.uniform(0.5, 1.1, (len(images), 1)), 2, axis=1)
    changed = refitted(resized(images, size, rng.uniform(-2, 2, (len(images), 2))))
    assert abs(longer_side(changed) - BOX).max() <= 2
    assert abs(np.array([offset_to_center(image) for image in changed])).max() <= 1
    overlap = (np.minimum(changed, images).sum(axis=(1, 2)) / ink(images)).mean()
    assert overlap > 0.6


@pytest.mark.parametrize("style", STYLES, ids=lambda style: f"{style[0]}-{style[2]}")
def test_a_style_gives_other_images_in_mnists_frame_and_leaves_its_own_alone(digits, rng, style):
    source, rewrite, _, _ = style
    images = of(digits, source)
    kept = images.copy()
    rewritten = refitted(rewrite(images, rng))
    assert np.array_equal(images, kept)
    assert rewritten.dtype == np.uint8
    assert (rewritten != images).any(axis=(1, 2)).mean() > 0.7
    assert abs(longer_side(rewritten) - BOX).max() <= 2


FLAG, FOOT, BAR, FOOT_OF_SEVEN = np.s_[:, :12], np.s_[:, 18:], np.s_[:, 8:17], np.s_[:, 19:]
MIDDLE, HOOK = np.s_[:, 12:16, 12:16], np.s_[:, 20:, :13]

ADDED = [(1, FLAG, 500, 0.5, 1), (1, FOOT, 500, 0.3, 1)]
ADDED += [(7, BAR, 1000, 0.3, 0.9), (7, FOOT_OF_SEVEN, 1000, 0.2, 0.8)]
ADDED += [(0, MIDDLE, 500, 0.6, 1), (9, HOOK, 1, 0.6, 1)]
"""Digit, where its style adds ink, at least how much, and to which share of images."""


@pytest.mark.parametrize(("label", "place", "least", "low", "high"), ADDED)
def test_a_style_adds_ink_where_it_should(digits, rng, label, place, least, low, high):
    before = of(digits, label)
    added = np.maximum(STYLE[label](before, rng), before) - before
    assert low < (ink(added[place]) >= least).mean() <= high


def test_a_nine_made_of_a_three_has_a_closed_loop(digits, rng):
    threes = of(digits, 3)
    (make,) = (rewrite for source, rewrite, *_ in STYLES if source == 3)
    before, after = (
        [ndimage.label(np.pad(z, 1) < 64)[1] - 1 for z in x] for x in (threes, make(threes, rng))
    )
    assert np.mean(before) < 0.3
    assert np.mean(after) > 0.8


@pytest.mark.parametrize("label", [5, 6])
def test_a_lifted_digit_has_a_gap_below_its_top(digits, rng, label):
    whole = of(digits, label)
    lifted = STYLE[label](whole, rng)
    assert (lifted <= whole).all()
    thinnest = [z.max(axis=2)[:, 7:15].min(axis=1) for z in (whole, lifted)]
    assert (thinnest[0] < 100).mean() < 0.4  # MNIST's writers lift the pen now and then
    assert (thinnest[1] < 100).mean() > 0.9


def test_a_stretched_digit_is_as_tall_and_up_to_four_times_as_wide(digits, rng):
    ones = of(digits, 1)
    wide = stretched(ones, rng)
    width, before = (np.ptp(columns_with_ink(z), axis=0) for z in (wide, ones))
    assert abs(np.ptp(rows_with_ink(wide), axis=0) - np.ptp(rows_with_ink(ones), axis=0)).max() <= 3
    assert (width / before).mean() > 1.4
    assert width.max() < BOX + 3


def test_a_thick_brush_fills_small_loops_and_a_thin_one_does_not():
    ring = np.zeros((60, 28, 28), np.uint8)
    ring[:, 4:24, 9:19] = 255
    ring[:, 6:22, 11:17] = 0  # tall, and
    ring[:, 13:15, 11:17] = 255
    ring[:, 6:13, 13:15] = 255  # its upper half divided
    loops = [ndimage.label(z < 128)[1] - 1 for z in brushed(ring, np.random.default_rng(0))]
    assert set(loops) == {1, 3}


@pytest.mark.parametrize("make", [m for m in MAKERS if m is not almost_blank])
def test_non_digits_fill_mnists_frame_with_about_its_ink(digits, rng, make):
    def some_of(labels, count):
        return np.concatenate([of(digits, label) for label in labels])[:count]

    made = refitted(make(some_of, 40, rng))
    assert made.dtype == np.uint8
    assert made.shape == (40, 28, 28)
    assert abs(longer_side(made) - BOX).max() <= 4
    assert 0.5 < ink(made).mean() / ink(digits[0]).mean() < 2.5


def test_non_digits_are_of_all_kinds_and_need_no_digit_in_particular(digits):
    drawn = [make_non_digits(*digits, 1, np.random.default_rng(seed)) for seed in range(30)]
    assert len({image.tobytes() for image in drawn}) > 20
    assert sum(MAKERS.values()) == pytest.approx(1)
    ones = np.full((2, 28, 28), 200, np.uint8)
    for count in (0, 50):
        made = make_non_digits(ones, np.array([1, 1]), count, np.random.default_rng(0))
        assert made.shape == (count, 28, 28)
