"""The pad: what pen, eraser and undo make of a page."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.sketchpad.document import Sheet
from apps.sketchpad.editor import UNDO_STEPS, Pad

numbers = st.floats(-2000, 3000)
places = st.tuples(numbers, numbers)


def draw(pad, *line):
    pad.down(*line[0])
    for place in line[1:]:
        pad.move(*place)
    pad.up()


def lines(pad):
    return [stroke.points.tolist() for stroke in pad.page.strokes]


@pytest.mark.parametrize(
    ("line", "strokes"),
    [
        ([(10, 20), (30, 40), (30, 40), (50, 20)], [[[10, 20], [30, 40], [50, 20]]]),
        ([(10, 20)], [[[10, 20]]]),
        (
            [(50, 50), (150, 50), (150, 80), (50, 80)],
            [[[50, 50], [100, 50]], [[100, 80], [50, 80]]],
        ),
        ([(-50, 50), (-20, 50)], []),
        ([(-50, 50), (50, 50)], [[[0, 50], [50, 50]]]),
    ],
    ids=["a line", "a click", "out and in again", "beside the paper", "from beside it"],
)
def test_a_stroke_is_what_the_pen_went_through_on_the_paper(line, strokes):
    pad = Pad((100, 100))
    draw(pad, *line)
    assert lines(pad) == strokes
    assert pad.can_undo == bool(strokes)
    pad.undo()
    assert lines(pad) == []


def test_the_paper_holds_what_is_written_while_the_window_shrinks():
    pad = Pad((600.0, 500.0))
    pad.down(590.0, 480.0)
    pad.move(610.0, 470.0)
    pad.move(590.0, 460.0)
    pad.room = 300.0, 200.0
    assert pad.size == (600.0, 480.0)
    pad.up()
    assert pad.size == (600.0, 480.0)
    pad.down(590.0, 490.0)  # beside the paper, until the window grows
    pad.room = 700.0, 600.0
    pad.move(590.0, 495.0)
    assert pad.live == [[(590.0, 490.0), (590.0, 495.0)]]


@given(st.lists(places, min_size=1, max_size=8))
def test_no_ink_is_beside_the_paper(line):
    pad = Pad((300, 200))
    draw(pad, *line)
    for stroke in pad.page.strokes:
        assert (stroke.points >= 0).all()
        assert (stroke.points <= (300, 200)).all()
    assert pad.size == (300, 200)


def test_places_that_are_no_numbers_do_no_harm():
    pad = Pad()
    draw(pad, (float("nan"), 5), (float("inf"), 10), (20, 20))
    assert all(np.isfinite(stroke.points).all() for stroke in pad.page.strokes)


def test_undo_takes_back_strokes_clears_and_labels_one_by_one():
    pad = Pad()
    pages = [pad.page]
    for step in (
        lambda: draw(pad, (10, 10), (20, 20)),
        lambda: draw(pad, (30, 30)),
        lambda: pad.label(frozenset({1}), "4"),
        pad.clear,
    ):
        step()
        pages.append(pad.page)
    pad.clear()
    assert pad.page is pages[-1], "to clear an empty page is no step"
    for page in pages[-2::-1]:
        pad.undo()
        assert pad.page is page
    for page in pages[1:]:
        pad.redo()
        assert pad.page is page
    pad.undo()
    draw(pad, (2, 2))
    assert not pad.can_redo, "a new stroke ends what could be done again"


def test_undo_remembers_many_steps_but_not_endlessly():
    pad = Pad()
    for number in range(UNDO_STEPS + 50):
        pad.label(frozenset({number}), "1")
    for _ in range(UNDO_STEPS + 50):
        pad.undo()
    assert not pad.can_undo
    assert 0 < len(pad.page.labels) < 60


def test_the_rubber_splits_a_stroke_and_is_one_step():
    pad = Pad()
    draw(pad, (100, 100), (300, 100))
    pad.rub(200, 60)
    pad.rub(200, 140)
    pad.up()
    left, right = pad.page.strokes
    reach = 16 + pad.brush / 2
    assert left.points[:, 0].max() == pytest.approx(200 - reach, abs=8)
    assert right.points[:, 0].min() == pytest.approx(200 + reach, abs=8)
    assert len({1, left.number, right.number}) == 3, "what is left is new strokes"
    pad.undo()
    assert lines(pad) == [[[100, 100], [300, 100]]]
    pad.undo()
    pad.rub(200, 300)
    pad.up()
    assert pad.can_redo, "to touch nothing is no step"
    pad.redo()
    pad.rub(0, 100)
    pad.rub(600, 100)
    pad.up()
    assert not pad.page.strokes, "a fast rubber misses nothing on its way"


def test_a_stroke_takes_the_place_of_a_picture_and_undo_brings_it_back():
    pad, blank = Pad(), np.zeros((28, 28), np.uint8)
    pad.show(Sheet("a test digit", blank, blank))
    draw(pad, (10, 10), (20, 20))
    assert pad.page.sheet is None
    pad.undo()
    assert pad.page.sheet is not None


def test_a_label_given_twice_is_taken_back_and_another_one_replaces_it():
    pad = Pad()
    version = pad.version
    pad.label(frozenset({1, 2}), "4")
    pad.label(frozenset({2, 3}), "7")
    assert pad.page.labels == {frozenset({2, 3}): "7"}, "a stroke belongs to one digit"
    pad.label(frozenset({2, 3}), "7")
    assert pad.page.labels == {}
    pad.set_brush(30)
    assert pad.version == version, "labels and brush are nothing new to read"
