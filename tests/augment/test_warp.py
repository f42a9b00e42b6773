"""The maps of images, and the marks drawn on them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_warp import warp_reference

from tinycnn.augment.strokes import add_marks
from tinycnn.augment.warp import grid_size, splines, warp
from tinycnn.errors import ShapeError
from tinycnn.nn import get_threads, set_threads


def some_images(rng, B, H=28, W=28):
    return rng.integers(0, 256, (B, H, W)).astype(np.uint8)


def at_rest(B, H=28, W=28):
    """The arguments of ``warp`` that change nothing."""
    return (
        np.tile(np.eye(2, 3), (B, 1, 1)),
        np.zeros((B, grid_size(H), grid_size(W), 2)),
        np.zeros(B),
    )


def at_random(rng, B, H=28, W=28):
    affine, elastic, _ = at_rest(B, H, W)
    affine += rng.normal(0, [0.2, 0.2, 3], affine.shape)
    elastic += rng.normal(0, 2, elastic.shape)
    return affine, elastic, rng.uniform(-1, 1, B)


@settings(max_examples=25, deadline=None)
@given(B=st.integers(0, 3), H=st.integers(1, 15), W=st.integers(1, 40), seed=st.integers(0, 2**32))
def test_warp_is_what_its_reference_says(B, H, W, seed):
    rng = np.random.default_rng(seed)
    images, maps = some_images(rng, B, H, W), at_random(rng, B, H, W)
    copies = [z.copy() for z in (images, *maps)]
    warped = warp(images, *maps)
    assert all(np.array_equal(z, copy) for z, copy in zip((images, *maps), copies, strict=True))
    expected = warp_reference(images, *(z.astype(np.float32) for z in maps))
    assert warped.dtype == np.uint8
    assert warped.shape == expected.shape
    assert np.abs(warped - expected).max(initial=0) < 0.502  # rounded to whole gray levels


def test_warp_gives_the_same_bits_whatever_the_threads_and_the_batch():
    rng = np.random.default_rng(1)
    images, maps = some_images(rng, 40), at_random(rng, 40)
    threads = get_threads()
    try:
        set_threads(1)
        by_one = warp(images, *maps)
    finally:
        set_threads(threads)
    alone = [warp(images[n : n + 1], *(z[n : n + 1] for z in maps)) for n in range(40)]
    assert np.array_equal(by_one, np.concatenate(alone))
    for _ in range(10):
        assert np.array_equal(warp(images, *maps), by_one)


def test_a_shift_moves_the_content_and_blank_enters_and_nothing_comes_from_nowhere():
    images = some_images(np.random.default_rng(4), 1)
    affine, elastic, thickness = at_rest(1)
    affine[0, :, 2] = np.nan
    assert not warp(images, affine, elastic, thickness).any()
    affine[0, :, 2] = 3, -2
    warped = warp(images, affine, elastic, thickness)
    assert np.array_equal(warped[0, :-3, 2:], images[0, 3:, :-2])
    assert not warped[0, -3:].any()
    assert not warped[0, :, :2].any()


def test_spline_weights_add_up_to_one_and_are_those_of_a_cubic():
    weights = splines(28)
    assert weights.sum(axis=1) == pytest.approx(np.ones(28), abs=1e-6)
    assert weights[7] == pytest.approx([1 / 6, 4 / 6, 1 / 6, 0], abs=1e-6)


@pytest.mark.parametrize("wrong", range(4))
def test_warp_refuses_what_does_not_fit(wrong):
    arguments = [some_images(np.random.default_rng(8), 2), *at_rest(2)]
    arguments[wrong] = arguments[wrong][:, :1] if wrong < 3 else arguments[wrong][:1]
    with pytest.raises(ShapeError, match="shapes"):
        warp(*arguments)


def test_a_mark_has_its_length_and_width_in_ink():
    blank = np.zeros((1, 28, 28), np.uint8)
    marked = add_marks(blank, np.array([[[[5, 14], [20, 14.0]]]]), np.array([3.0]))
    assert not blank.any()
    assert marked[0, 12].sum() / 255 == pytest.approx(3, abs=0.02)
    assert marked[0, :, 14].sum() / 255 == pytest.approx(15 + 3, abs=0.2)
    slanted = add_marks(blank, np.array([[[[5, 6], [20, 21.0]]]]), np.array([2.0]))
    area = 2 * np.hypot(15, 15) + np.pi  # and a round end at either side
    assert slanted.sum() / 255 == pytest.approx(area, rel=0.05)


def test_marks_darken_only_and_those_without_numbers_or_far_away_are_left_out():
    rng = np.random.default_rng(9)
    images, marks = some_images(rng, 3), rng.uniform(-10, 40, (3, 5, 2, 2))
    assert (add_marks(images, marks, np.full(3, 2.0)) >= images).all()
    nowhere = np.array([[[[3, np.nan], [9, 9]], [[np.inf, 0], [0, 0]], [[50, 50], [90, 90]]]])
    assert np.array_equal(add_marks(images[:1], nowhere, np.array([2.0])), images[:1])
