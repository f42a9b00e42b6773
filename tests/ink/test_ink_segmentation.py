from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_network import recognizer

from benchmarks.quality.handwriting import DIGITS, write
from benchmarks.quality.pages import page_of
from tinycnn.errors import ImageError
from tinycnn.ink import Recognizer, read_bitmap, read_images, read_strokes, strokes_to_image
from tinycnn.ink.fragments import StrokeFragments, TextLine, find_fragments, find_lines
from tinycnn.ink.reading import PredictionCache
from tinycnn.ink.segmentation import Candidates, best_reading
from tinycnn.nn import Sequential
from tinycnn.train.folder import find_weights

READER = recognizer()
numbers = st.text("0123456789", min_size=1, max_size=5)


def bitmap(strokes, brush=9):
    return page_of([stroke / 100 for stroke in strokes], 100, brush)


@given(numbers, st.floats(20, 60), st.integers(5, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_numbers_are_read_from_bitmaps_and_from_strokes_in_any_order(text, gap, brush, seed):
    strokes = write(text, gap)
    shuffled = [strokes[i] for i in np.random.default_rng(seed).permutation(len(strokes))]
    assert read_strokes(shuffled, READER).text == text
    assert read_bitmap(bitmap(strokes, brush), READER).text == text


@given(numbers, st.floats(0.01, 100), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
@settings(max_examples=20)
def test_size_and_place_do_not_change_the_reading(text, scale, x, y):
    strokes = write(text)
    before = read_strokes(strokes, READER)
    after = read_strokes([stroke * scale + np.array([x, y]) for stroke in strokes], READER)
    assert after.text == before.text == text
    for one, other in zip(before.digits, after.digits, strict=True):
        np.testing.assert_allclose(other.confidence, one.confidence, atol=1e-3)
        x0, y0, width, height = one.box
        expected = x0 * scale + x, y0 * scale + y, width * scale, height * scale
        np.testing.assert_allclose(other.box, expected, atol=1e-6 * max(scale, 1))


@pytest.mark.parametrize("text", ["42\n17", "8\n500", "123\n4\n567", "88\n88"])
def test_lines_are_read_from_top_to_bottom(text):
    assert read_strokes(write(text), READER).text == text
    assert read_bitmap(bitmap(write(text)), READER).text == text


def test_a_digit_close_above_another_is_on_its_own_line_unless_both_look_like_one():
    column = write("3") + write("5", at=(0, 120))
    upper, lower = DIGITS["8"]
    apart = [upper, lower + (0, 12)]
    assert [len(find_lines(StrokeFragments(z))) for z in (column, apart)] == [1, 1]
    assert read_strokes(column, READER).text == "3\n5"
    assert read_strokes(apart, READER).text == "8"


def test_a_line_may_climb_and_an_eight_of_two_rings_is_one_line():
    climbing = [stroke @ np.array([[1, -0.16], [0.16, 1]]) for stroke in write("3071952")]
    assert len(find_lines(StrokeFragments(climbing))) == 1
    assert len(find_lines(StrokeFragments(DIGITS["8"]))) == 1
    assert len(find_lines(StrokeFragments(write("88")))) == 1
    assert len(find_lines(StrokeFragments(write("0\n0")))) == 2


@pytest.mark.parametrize(("text", "gap"), [("23", -3), ("64", -4), ("71", 0), ("17", -4)])
def test_touching_digits_are_separated(text, gap):
    ink = bitmap(write(text, gap), 8)
    assert len(find_fragments(ink).spans) == 1
    assert read_bitmap(ink, READER).text == text


def test_two_strokes_that_look_much_like_one_digit_are_one():
    shipped = Recognizer.of(Sequential.load(find_weights("default")))
    hook, bar = [(32, 4), (40, 0), (30, 36), (18, 48), (60, 46)], [(66, 20), (70, 24), (70, 100)]
    assert read_strokes([np.array(hook, float), np.array(bar, float)], shipped).text == "4"


def test_a_broken_digit_is_put_together():
    ink = bitmap(DIGITS["3"], 10).copy()
    ink[58:61] = 0  # a scratch
    assert read_bitmap(ink, READER).text == "3"


def test_every_stroke_belongs_to_one_digit_and_boxes_hold_their_ink():
    strokes = write("4857")
    digits = read_strokes(strokes, READER).digits
    used = [index for digit in digits for index in digit.fragments]
    assert sorted(used) == list(range(len(strokes)))
    for digit in digits:
        x, y, width, height = digit.box
        points = np.concatenate([strokes[index] for index in digit.fragments])
        np.testing.assert_allclose(points.min(axis=0), (x, y))
        np.testing.assert_allclose(points.max(axis=0), (x + width, y + height))


def test_words_are_separated_where_the_gap_is_unusual():
    strokes = write("12") + write("345", at=(400, 0))
    assert read_strokes(strokes, READER).text == "12 345"
    assert read_strokes(write("1234", gap=180), READER).text == "1234"


@pytest.mark.parametrize(
    "strokes",
    [
        [np.array([[5.0, 5.0]])],
        [np.array([[0.0, 0.0], [100.0, 4.0]])],
        [np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[50.0, 1.0]])],
    ],
)
def test_dots_and_dashes_alone_are_no_digits(strokes):
    reading = read_strokes(strokes, READER)
    assert (reading.text, reading.digits, reading.confidence) == ("", (), 0.0)
    assert reading.inked


def test_a_drawing_as_small_as_its_pen_and_a_round_spot_are_no_digits():
    y, x = np.mgrid[:60, :60]
    spot = np.where((y - 30) ** 2 + (x - 30) ** 2 < 15**2, 255, 0).astype(np.uint8)
    assert read_bitmap(spot, READER).digits == ()
    speck = [stroke * 0.08 for stroke in DIGITS["1"]]
    assert read_strokes(speck, READER).text == "1"
    assert read_strokes(speck, READER, pen=10).text == ""


def test_prepared_images_are_read_as_they_are_and_without_ink_there_is_no_answer():
    images = np.stack([strokes_to_image(DIGITS["7"]), np.zeros((28, 28), np.uint8)])
    seven, blank = read_images(images, READER)
    assert (seven.text, blank.inked) == ("7", False)
    np.testing.assert_array_equal(seven.digits[0].image, images[0])
    assert not read_strokes([], READER).inked
    assert not read_bitmap(np.zeros((9, 9), np.uint8), READER).inked


def test_scribbles_are_rejected_and_make_a_page_doubtful():
    rng = np.random.default_rng(3)
    scribble = [rng.normal(0, 30, (12, 2)).cumsum(axis=0)]
    digits = read_strokes(scribble, READER).digits
    assert digits
    assert all(digit.rejected for digit in digits)
    assert read_strokes(scribble, READER).doubtful
    clear = read_strokes(write("0123456789"), READER)
    assert not clear.doubtful
    assert not any(digit.rejected for digit in clear.digits)


def test_confidence_is_a_probability_and_the_second_guess_is_behind_it():
    reading = read_strokes(write("90"), READER)
    assert 0 < reading.confidence <= min(digit.confidence for digit in reading.digits)
    for digit in reading.digits:
        np.testing.assert_allclose(digit.probabilities.sum(), 1)
        assert digit.confidence == digit.probabilities[digit.label] == digit.probabilities.max()
        assert digit.second[1] == np.sort(digit.probabilities)[-2]
    warm = read_strokes(write("90"), Recognizer(READER.logits, READER.classes, temperature=5.0))
    assert warm.text == reading.text
    assert warm.confidence < reading.confidence


def test_a_texture_is_refused_before_it_takes_for_ever_and_stripes_are_no_digits():
    stripes = np.zeros((100, 100), np.uint8)
    stripes[::7] = 255
    assert read_bitmap(stripes, READER).digits == ()
    rng = np.random.default_rng(0)
    dots = [rng.uniform(0, 1000, (2, 2)) for _ in range(1500)]
    with pytest.raises(ImageError, match="1,500 separate pieces"):
        read_strokes(dots, READER)
    with pytest.raises(ImageError, match="10,000 separate pieces"):
        read_bitmap(np.tile(np.array([[255, 0], [0, 0]], np.uint8), (100, 100)), READER)


@given(st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_the_best_reading_is_the_best_of_all_readings(count, seed):
    rng = np.random.default_rng(seed)
    runs = [(i, k) for i in range(count) for k in range(i + 1, count + 1) if k - i <= 4]
    weights = {run: rng.normal() - 3 for run in runs}
    odds = rng.normal(0, 2, count - 1)
    row = Candidates(
        TextLine(list(range(count)), 1.0), odds, {run: tuple(range(*run)) for run in runs}
    )

    def weigh(ends):
        path = list(zip((0, *ends), (*ends, count), strict=True))
        if any(run not in weights for run in path):
            return path, -np.inf
        inner = [gap for gap in range(1, count) if gap not in ends]
        apart = sum(-np.logaddexp(0, odds[gap - 1]) for gap in ends)
        joined = sum(-np.logaddexp(0, -odds[gap - 1]) for gap in inner)
        return path, sum(weights[run] for run in path) + apart + joined

    ways = [weigh(c) for n in range(count) for c in combinations(range(1, count), n)]
    best_path, best = max(ways, key=lambda way: way[1])
    path, certainty = best_reading(row, weights)
    assert path == best_path
    total = np.logaddexp.reduce([weight for _, weight in ways])
    np.testing.assert_allclose(certainty, np.exp(best - total))


def test_a_drawing_that_grows_is_read_as_if_it_were_new_and_only_new_ink_is_classified():
    classified = []

    def logits(images):
        classified.append(len(images))
        return READER.logits(images)

    watched = Recognizer(logits, READER.classes, threshold=READER.threshold)
    cache, strokes = PredictionCache(), write("4715")
    for count in range(1, len(strokes) + 1):
        reading = read_strokes(strokes[:count], watched, cache=cache)
        fresh = read_strokes(strokes[:count], READER)
        assert reading.text == fresh.text
        for one, other in zip(reading.digits, fresh.digits, strict=True):
            np.testing.assert_allclose(one.probabilities, other.probabilities)
            np.testing.assert_array_equal(one.image, other.image)
    assert classified[-1] < classified[0] + 6
    read_strokes(strokes, watched, cache=cache)
    assert len(classified) == len(strokes), "the same drawing is not classified again"
