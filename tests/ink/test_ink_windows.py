"""Digits that touch: the best reading of windows, and the network that looks through them."""

import configparser
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from template_network import recognizer

from benchmarks.quality.handwriting import write
from benchmarks.quality.pages import page_of
from tinycnn.ink import Recognizer, read_bitmap, reading
from tinycnn.ink.windows import NEW, WEIGHTS, best_middles
from tinycnn.nn import Sequential

READER = recognizer()


def overlapping(text, gap, lower=0):
    """A picture of digits that overlap, the second and fourth ``lower`` than the others."""
    digits = [write(digit) for digit in text]
    lefts = np.cumsum([0, *(max(z[:, 0].max() for z in digit) + gap for digit in digits)])
    moves = [(left, lower * (k % 2)) for k, left in enumerate(lefts)]
    strokes = [(z + move) / 100 for digit, move in zip(digits, moves, strict=False) for z in digit]
    return page_of(strokes, 100, 8)


def test_the_best_reading_of_windows_is_the_best_of_all_readings():
    rng = np.random.default_rng(0)
    for _ in range(20):
        seen = np.log(rng.dirichlet(np.full(3, 0.3), 6) + 1e-3)

        def weigh(way, seen=seen):
            begun = sum(z < 2 for z, before in zip(way, (2, *way), strict=False) if z != before)
            return sum(seen[k, z] for k, z in enumerate(way)) - NEW * begun

        best = np.array(max(product(range(3), repeat=6), key=weigh))
        starts = [k for k in range(6) if best[k] < 2 and (not k or best[k] != best[k - 1])]
        ends = [next((j for j in range(k, 6) if best[j] != best[k]), 6) for k in starts]
        expected = [(k + end - 1) // 2 for k, end in zip(starts, ends, strict=True)]
        assert best_middles(seen, NEW) == expected


def test_digits_that_overlap_are_read_in_order_though_their_ink_is_taller_than_each_of_them():
    for text, gap, lower in (("38", -6, 0), ("2064", -5, 0), ("5082", -5, 10), ("8023", -4, 10)):
        reading = read_bitmap(overlapping(text, gap, lower), READER)
        assert reading.text == text
        lefts = [digit.box[0] for digit in reading.digits]
        assert lefts == sorted(lefts)
        assert 0 < reading.confidence <= min(digit.confidence for digit in reading.digits)


def test_a_second_digit_that_is_hardly_seen_is_read_and_doubted():
    one, five = read_bitmap(overlapping("15", -6), READER).digits
    assert (one.name, five.name, one.rejected) == ("1", "5", True)


@pytest.mark.parametrize(("probable", "text"), [(0.6, "938"), (0.99, "9%")])
def test_digits_that_touch_are_no_sign_unless_it_is_certain(monkeypatch, probable, text):
    def find_percent(fragments, rows, seen, threshold):
        widest = max((z for z in seen if len(z) == 1), key=lambda z: fragments.box(z)[2])
        return {widest: ("%", probable)}

    monkeypatch.setattr(reading, "find_signs", find_percent)
    digits = zip("938", (0, 90, 132), strict=True)
    strokes = [(z + (x, 0)) / 100 for digit, x in digits for z in write(digit)]
    assert read_bitmap(page_of(strokes, 100, 8), READER).text == text


def test_a_network_of_other_classes_reads_touching_ink_as_one():
    letters = Recognizer(READER.logits, tuple("abcdefghij"), threshold=READER.threshold)
    assert len(read_bitmap(overlapping("38", -6), letters).digits) == 1


def test_the_weights_of_the_windows_are_small_part_of_the_package_and_say_how_they_were_made():
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    assert WEIGHTS in set(WEIGHTS.parent.glob(setup["options.package_data"]["tinycnn.ink"]))
    assert WEIGHTS.stat().st_size < 950_000
    training = Sequential.load(WEIGHTS).description["training"]
    assert (training["dataset"], training["recipe"]["augment"]) == ("mnist", "rows")
