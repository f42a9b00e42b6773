"""Spoiled images are spoiled by as much as is said, and by nothing else."""

import numpy as np
import pytest

from tinycnn.augment.corruptions import (
    CORRUPTIONS,
    add_noise,
    blur,
    occlude,
    rotate,
    scale,
    shift,
    thicken,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def component(B=6, size=28, half=4):
    """Images with a square of ink in the middle."""
    images = np.zeros((B, size, size), np.uint8)
    images[:, size // 2 - half : size // 2 + half, size // 2 - half : size // 2 + half] = 255
    return images


def centers(images):
    weights = images / images.sum(axis=(1, 2), keepdims=True)
    places = np.arange(images.shape[1])
    return np.stack([weights.sum(axis=2) @ places, weights.sum(axis=1) @ places], axis=1)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda c: c.name)
@pytest.mark.parametrize("size", [16, 28])
def test_a_corruption_keeps_its_promises(corruption, size):
    images = component(size=size, half=3)
    before = images.copy()
    assert corruption.harmless in corruption.levels
    assert list(corruption.levels) == sorted(corruption.levels)
    for level in corruption.levels:
        spoiled = corruption(images, level)
        assert (spoiled.shape, spoiled.dtype) == (images.shape, np.uint8)
        np.testing.assert_array_equal(spoiled, corruption(images, level))
        assert np.array_equal(spoiled, images) == (level == corruption.harmless), level
    np.testing.assert_array_equal(images, before)


def test_a_shift_is_as_long_as_its_level_in_all_directions(rng):
    moves = centers(shift(component(50), 3, rng)) - centers(component(50))
    np.testing.assert_allclose(np.linalg.norm(moves, axis=1), 3, atol=0.05)
    assert (np.ptp(moves, axis=0) > 5).all()


def test_the_same_image_is_shifted_the_same_way_at_every_level():
    near, far = (centers(CORRUPTIONS[0](component(), level)) - 13.5 for level in (2, 4))
    np.testing.assert_allclose(2 * near, far, atol=0.05)


def test_a_quarter_turn_is_counterclockwise(rng):
    images = rng.integers(0, 256, (3, 28, 28), np.uint8)
    turned = rotate(images, 90, rng)
    np.testing.assert_allclose(turned, np.rot90(images, axes=(1, 2)), atol=1)


@pytest.mark.parametrize("level", [0.5, 0.8, 1.4])
def test_scaled_ink_covers_the_square_of_the_level(rng, level):
    spoiled = scale(component(), level, rng)
    np.testing.assert_allclose(spoiled.sum(axis=(1, 2)) / (64 * 255), level**2, rtol=0.06)
    np.testing.assert_allclose(centers(spoiled), 13.5, atol=0.01)


@pytest.mark.parametrize("level", [-2, -0.5, 1, 4])
def test_a_line_becomes_wider_by_the_level(rng, level):
    bar = np.zeros((2, 28, 28), np.uint8)
    bar[:, :, 10:16] = 255
    widths = thicken(bar, level, rng)[:, 5:-5].sum(axis=2) / 255
    np.testing.assert_allclose(widths, 6 + level, atol=0.02)


def test_noise_has_the_deviation_that_is_asked_for(rng):
    gray = np.full((4, 28, 28), 128, np.uint8)
    assert add_noise(gray, 10, rng).std() == pytest.approx(25.5, rel=0.05)


def test_blur_spreads_ink_and_keeps_it(rng):
    spoiled = blur(component(), 1.5, rng)
    np.testing.assert_allclose(spoiled.sum(axis=(1, 2)), component().sum(axis=(1, 2)), rtol=0.02)
    assert spoiled.max() < 255


def test_a_patch_of_paper_has_its_size_and_lies_on_the_box(rng):
    hidden = occlude(np.full((200, 28, 28), 255, np.uint8), 6, rng) == 0
    assert (hidden.sum(axis=(1, 2)) == 36).all()
    rows = np.argwhere(hidden)[:, 1]
    assert rows.min() >= 4 - 3
    assert rows.max() < 24 + 3
