import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from template_network import difference

from benchmarks.quality.handwriting import DIGITS
from tinycnn.data.mnist import PEN, offset_to_center
from tinycnn.errors import ImageError
from tinycnn.ink import strokes_to_image
from tinycnn.ink.strokes import check_strokes, draw, resample


@st.composite
def drawings(draw_from):
    """Random polylines with random numbers of points."""
    rng = np.random.default_rng(draw_from(st.integers(0, 2**32 - 1)))
    lengths = draw_from(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    return [rng.uniform(-50, 50, 2) + rng.normal(0, 20, (n, 2)).cumsum(axis=0) for n in lengths]


@given(drawings())
def test_the_longer_side_is_20_and_the_mass_is_centered(strokes):
    image = strokes_to_image(strokes)
    if len(np.unique(np.concatenate(strokes), axis=0)) > 1:
        assert max(np.ptp(np.nonzero(image), axis=1)) == 19
    rows, columns = offset_to_center(image)
    touches = image[0].any() or image[-1].any() or image[:, 0].any() or image[:, -1].any()
    assert (rows, columns) == (0, 0) or touches


@given(drawings(), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_a_drawing_gives_the_same_image_at_any_size_and_place(strokes, scale, x, y):
    moved = [(stroke + np.array([x, y])) * scale for stroke in strokes]
    np.testing.assert_array_equal(strokes_to_image(moved), strokes_to_image(strokes))


@given(drawings(), st.integers(2, 5))
def test_more_points_on_the_same_lines_change_nothing(strokes, times):
    finer = []
    for stroke in strokes:
        places = np.linspace(0, len(stroke) - 1, (len(stroke) - 1) * times + 1)
        known = np.arange(len(stroke))
        finer.append(np.column_stack([np.interp(places, known, stroke[:, k]) for k in (0, 1)]))
    np.testing.assert_array_equal(strokes_to_image(finer), strokes_to_image(strokes))


@pytest.mark.parametrize("digit", list(DIGITS))
def test_neither_size_nor_order_nor_direction_matters_for_symmetric_digits_too(digit):
    strokes = [stroke.copy() for stroke in DIGITS[digit]]
    image = strokes_to_image(strokes)
    for scale in (1e-300, 1e-4, 1 / 3, 7.0, 12345.6):
        moved = [stroke[::-1] * scale + 3.7 * scale for stroke in strokes[::-1]]
        np.testing.assert_array_equal(strokes_to_image(moved), image)
    for stroke, original in zip(strokes, DIGITS[digit], strict=True):
        np.testing.assert_array_equal(stroke, original)  # left alone


def test_a_trembling_hand_looks_like_a_steady_one():
    rng = np.random.default_rng(0)
    for strokes in DIGITS.values():
        fine = [resample(stroke, 1.0) for stroke in strokes]
        trembling = [stroke + rng.normal(0, 0.7, stroke.shape) for stroke in fine]
        assert difference(strokes_to_image(strokes), strokes_to_image(trembling)) < 0.04


def test_a_single_point_is_a_dot_as_wide_as_the_pen():
    image = strokes_to_image([np.array([[3.0, 4.0]])])
    assert image.sum() / 255 == pytest.approx(np.pi * (PEN / 2) ** 2, rel=0.02)


def test_the_area_of_ink_is_the_area_of_the_line():
    rng = np.random.default_rng(1)
    for _ in range(20):
        start, end = rng.uniform(8, 20, (2, 2))
        image = draw([np.array([start, end])], 3.0, (28, 28))
        area = 3.0 * np.hypot(*(end - start)) + np.pi * 1.5**2
        assert image.sum() / 255 == pytest.approx(area, rel=0.01)


def test_ink_outside_the_image_is_cut_off():
    image = draw([np.array([[-1e4, 14.0], [1e4, 14.0]]), np.array([[500.0, 500.0]])], 2, (28, 28))
    np.testing.assert_array_equal(image[13:15], 255)
    assert not image[:12].any()
    assert not image[16:].any()


@pytest.mark.parametrize(
    "strokes",
    [
        None,
        {"x": 1},
        [[1, 2, 3]],
        [[[1, 2], [3]]],
        [[["1", "2"]]],
        [[(1, 2), (False, 4)]],
        [[[0, float("nan")]]],
        [[[0, 10**400]]],
        [[[None, None]]],
        [5],
    ],
)
def test_invalid_strokes_are_refused(strokes):
    with pytest.raises(ImageError, match="stroke"):
        check_strokes(strokes)


def test_without_strokes_the_image_is_blank_and_strokes_without_points_are_left_out():
    assert not strokes_to_image([]).any()
    assert check_strokes([]) == []
    assert check_strokes([[]]) == []
    assert len(check_strokes([[], [[1, 2], [3, 4]]])) == 1
