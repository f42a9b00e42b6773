import numpy as np
import pytest
from template_network import recognizer

from benchmarks.quality.handwriting import DIGITS, arc, line, write
from benchmarks.quality.pages import page_of
from tinycnn.ink import read_bitmap, read_strokes
from tinycnn.ink.furniture import furniture_of
from tinycnn.ink.results import as_record

READER = recognizer()
S = np.vstack([arc(25, 27, 44, 44, -30, -270), arc(25, 74, 48, 48, -90, 150)])
# Strokes of each sign, beside digits that are 100 high.
SIGNS = {
    ".": [arc(1, 99, 3, 3)],
    ",": [line((8, 92), (7, 102), (0, 115))],
    "'": [line((6, -4), (0, 18))],
    "-": [line((0, 55), (42, 54))],
    ":": [arc(1, 35, 3, 3), arc(1, 85, 3, 3)],
    "/": [line((42, -9), (0, 111))],
    "+": [line((0, 55), (46, 55)), line((23, 32), (23, 78))],
    "=": [line((0, 42), (45, 43)), line((0, 67), (45, 66))],
    "%": [arc(14, 20, 24, 32), line((62, 0), (10, 105)), arc(60, 80, 24, 34)],
    "$": [S, line((25, -10), (25, 110))],
    "€": [arc(35, 50, 64, 100, -45, -315), line((-5, 41), (45, 42)), line((-5, 60), (42, 60))],
}


def written(text, gap=24.0):
    strokes, x = [], 0.0
    for character in text:
        x += 75 * (character == " ")
        shape = SIGNS.get(character) or DIGITS.get(character, [])
        if shape:
            left, right = (f(np.concatenate(shape)[:, 0]) for f in (np.min, np.max))
            strokes += [stroke + (x - left, 0) for stroke in shape]
            x += right - left + gap
    return strokes


AMOUNTS = ["3.75", "3,75", "8'250", "2,350.00", "-53", "27:30", "32/08/2025", "3+2=5", "50%", "$35"]
AMOUNTS += ["35€", "2025-08-02", "0623 325 678"]


@pytest.mark.parametrize("text", AMOUNTS)
def test_numbers_are_read_as_people_write_them(text):
    strokes = written(text)
    assert read_strokes(strokes, READER).text == text
    assert read_bitmap(page_of([z / 100 for z in strokes], 100, 8), READER).text == text


def test_every_sign_is_a_mark_with_its_place_and_what_is_not_read_is_there_too():
    reading = read_strokes(written("3.75"), READER)
    (mark,) = as_record(reading)["marks"]
    assert (mark["name"], mark["read"]) == (".", True)
    assert 0.5 < mark["confidence"] < 1
    assert mark["box"][1] > 90
    (mark,) = read_strokes(written("375."), READER).marks
    assert (mark.name, mark.read) == (".", False)
    assert not any(mark.read for mark in read_strokes(SIGNS["€"], READER).marks)


BOX = line((-40, -30), (105, -30), (105, 130), (-40, 130), (-40, -30))
FRAMES = {
    "a box in one stroke": [BOX],
    "a box in four strokes": [BOX[k : k + 2] for k in range(4)],
    "an underline": [line((-60, 118), (160, 120))],
    "the axes of a plot": [line((-45, -40), (-45, 140)), line((-45, 140), (180, 140))],
    "a ring": [arc(30, 50, 160, 180)],
}


@pytest.mark.parametrize("frame", list(FRAMES))
@pytest.mark.parametrize("digit", list("0358"))
def test_strokes_around_a_digit_are_left_out_and_said_to_be(digit, frame):
    strokes = FRAMES[frame] + DIGITS[digit]
    reading = read_strokes(strokes, READER)
    assert reading.text == digit
    assert [z for d in reading.digits for z in d.fragments] == list(
        range(len(FRAMES[frame]), len(strokes))
    )
    assert len(reading.marks) == len(FRAMES[frame])
    assert not any(mark.read for mark in reading.marks)


def test_a_tall_bar_close_to_its_hook_is_part_of_an_open_four():
    hook, bar = line((0, 42), (2, 64), (32, 65)), line((36, 0), (41, 100))
    assert not furniture_of([hook, bar])
    assert furniture_of([hook, bar + (20, 0)]) == [1]


def test_a_slash_inside_a_zero_is_part_of_it():
    reading = read_strokes([*DIGITS["0"], line((52, 4), (8, 96))], READER)
    assert len(reading.digits) == 1


def test_what_is_one_digit_is_read_as_one():
    strokes = write("12")
    assert len(read_strokes(strokes, READER).digits) == 2
    assert len(read_strokes(strokes, READER, single=True).digits) == 1
    ink = page_of([z / 100 for z in strokes], 100, 8)
    assert len(read_bitmap(ink, READER, single=True).digits) == 1
    assert not read_bitmap(np.zeros((9, 9), np.uint8), READER, single=True).inked
