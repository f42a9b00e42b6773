import gzip
import json

import pytest

from benchmarks.quality.handwriting import DIGITS
from tinycnn.errors import ImageError
from tinycnn.ink import read_drawings


def line(**record):
    return json.dumps(record).encode() + b"\n"


def strokes(digit):
    return [stroke.tolist() for stroke in DIGITS[digit]]


def test_every_line_is_a_drawing():
    payload = line(strokes=strokes("4"), label=4, writer="w1") + b"\n" + line(strokes=[], pen=3)
    for packed in (payload, gzip.compress(payload)):
        first, second = read_drawings(packed)
        assert (len(first.strokes), first.label, first.writer, first.pen) == (2, 4, "w1", 0.0)
        assert (second.strokes, second.label, second.pen) == ([], None, 3.0)


@pytest.mark.parametrize(
    "damaged",
    [
        b"{",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"strokes": [[[0, 1e999]]]}',
        b'{"strokes": [], "label": true}',
        b'{"strokes": [], "pen": NaN}',
        b'{"strokes": [], "pen": true}',
        b'{"strokes": ' + b"[" * 100_000,
        b'{"strokes": [[[' + b"9" * 5000 + b", 1]]]}",
    ],
)
def test_a_damaged_line_says_why_and_the_others_are_read(damaged):
    before, bad, after = read_drawings(line(strokes=[]) + damaged + b"\n" + line(strokes=[]))
    assert isinstance(bad, ImageError)
    assert before.strokes == after.strokes == []


def test_a_damaged_gzip_file_gives_what_came_before():
    packed = gzip.compress(b"".join(line(strokes=strokes("8"), label=n) for n in range(500)))
    *drawings, error = read_drawings(packed[: len(packed) // 2])
    assert [drawing.label for drawing in drawings] == list(range(len(drawings)))
    assert isinstance(error, ImageError)


def test_an_endless_line_and_a_file_without_drawings_are_refused():
    for payload in (b"", gzip.compress(b"\n \n")):
        (error,) = read_drawings(payload)
        assert "no drawing in it" in str(error)
    (error,) = read_drawings(gzip.compress(b"[" * (17 * 2**20)))
    assert "longer than 4 MB" in str(error)
