import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from template_network import difference

from benchmarks.quality.handwriting import DIGITS
from benchmarks.quality.pages import paint
from tinycnn.ink import bitmap_to_image, strokes_to_image
from tinycnn.ink.bitmaps import signed_distance

CLOSE = 0.035  # mean difference of gray levels, as a share of 255


def canvas(strokes, brush, side=280, longer=200, at=(40, 40)):
    """Strokes on a square canvas, the longer side of the ink ``longer`` pixels."""
    points = np.concatenate(strokes)
    corner = points.min(axis=0)
    scale = (longer - brush) / np.ptp(points, axis=0).max()
    moved = [(stroke - corner) * scale + brush / 2 + at for stroke in strokes]
    return paint(moved, brush, (side, side))


@pytest.mark.parametrize("brush", [4, 8, 16, 24, 32])
def test_any_brush_gives_the_image_that_the_strokes_give(brush):
    for strokes in DIGITS.values():
        image = bitmap_to_image(canvas(strokes, brush))
        assert difference(image, strokes_to_image(strokes)) < CLOSE


def test_an_image_goes_through_a_second_time_almost_unchanged():
    for strokes in DIGITS.values():
        image = strokes_to_image(strokes)
        assert difference(bitmap_to_image(image), image) < CLOSE


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_the_longer_side_is_20_for_any_ink(seed):
    rng = np.random.default_rng(seed)
    H, W = rng.integers(1, 120, 2)
    gray = ndimage.gaussian_filter(rng.normal(size=(H, W)), rng.uniform(0.3, 6))
    ink = np.where(gray > rng.normal() * gray.std(), 255, 0).astype(np.uint8)
    ink[rng.integers(H), rng.integers(W)] = 255
    image = bitmap_to_image(ink)
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert max(rows[-1] - rows[0], columns[-1] - columns[0]) == 19


@pytest.mark.parametrize("digit", ["0", "8"])
def test_a_digit_whose_loops_a_thick_brush_filled_is_not_thinned_to_a_line(digit):
    narrow = [stroke * (0.5, 1) for stroke in DIGITS[digit]]
    image = bitmap_to_image(canvas(narrow, 32, longer=88))
    assert (image >= 64).sum() > 100


def test_a_hairline_on_a_huge_canvas_survives_and_faint_ink_is_none():
    assert not bitmap_to_image(np.full((30, 40), 90, np.uint8)).any()
    strokes = [stroke * 18 + 50 for stroke in DIGITS["2"]]
    image = bitmap_to_image(paint(strokes, 1, (2000, 2000)))
    assert difference(image, strokes_to_image(DIGITS["2"])) < 2 * CLOSE


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30), st.floats(0.01, 0.99))
def test_the_signed_distance_is_scipys_distance(seed, height, width, share):
    mask = np.random.default_rng(seed).random((height, width)) < share
    depth = signed_distance(mask.astype(float))
    if mask.any() and not mask.all():
        expected = ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)
        np.testing.assert_allclose(depth, expected, atol=1e-9)
        np.testing.assert_array_equal(depth > 0, mask)
    else:
        assert ((depth > 1e9) == mask).all()  # no edge anywhere
    ramp = np.tile([0.0, 0.0, 0.5, 1.0, 1.0, 1.0], (5, 1))  # a half covered pixel is the edge
    np.testing.assert_allclose(signed_distance(ramp)[2, 1:], [-1, 0, 1, 2, 3], atol=0.01)


@pytest.mark.parametrize("length", [1, 2, 193, 5000])
@pytest.mark.parametrize("thickness", [1, 2, 8])
def test_a_straight_line_of_any_length_keeps_the_width_of_the_pen(length, thickness):
    ink = np.full((length, thickness), 255, np.uint8)
    for image in (bitmap_to_image(ink), bitmap_to_image(np.ascontiguousarray(ink.T)).T):
        rows, columns = (np.ptp(np.flatnonzero(image.any(axis=axis))) + 1 for axis in (1, 0))
        assert max(rows, columns) == 20
        assert length < 16 * thickness or columns <= 5
