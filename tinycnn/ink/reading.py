"""Reading a page of ink: lines, digits, and a number with its confidence.

Every run of fragments that could be a digit becomes a 28 x 28 image, the network classifies all of
them in one batch, and the best way to divide each line is read out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from tinycnn.errors import ImageError
from tinycnn.ink.bitmaps import bitmap_steps, box_of, find_components, refuse_texture
from tinycnn.ink.fragments import (
    FLAT,
    BitmapFragments,
    Fragments,
    StrokeFragments,
    find_fragments,
    find_lines,
)
from tinycnn.ink.furniture import furniture_of
from tinycnn.ink.lines import Output, Seen, digit_of, find_signs, read_line
from tinycnn.ink.photos import picture_steps
from tinycnn.ink.pictures import Picture
from tinycnn.ink.results import EMPTY, Box, Group, Ink, Mark, Reading
from tinycnn.ink.segmentation import MARGIN, SMALL, candidates
from tinycnn.ink.strokes import Step, Strokes, last, strokes_steps
from tinycnn.nn.classifier import Recognizer

MOST_CANDIDATES = 10_000  # digits on one page that are tried: a page of 500 needs 3,000


class PredictionCache:
    """The predictions for the last drawing, so that only new ink is classified in the next one.

    A drawing that grows stroke by stroke is mostly the same. A cache belongs to one recognizer.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, ...], Output] = {}

    def classify(self, inks: Sequence[Ink], recognizer: Recognizer) -> list[Output]:
        """The predictions for ``inks``; all others are forgotten."""
        keys = [tuple(row.tobytes() for row in ink) for ink in inks]
        new = {key: ink for key, ink in zip(keys, inks, strict=True) if key not in self._known}
        outputs = _classify([last(image_steps(ink)) for ink in new.values()], recognizer)
        found = dict(zip(new, outputs, strict=True))
        self._known = {key: self._known.get(key) or found[key] for key in keys}
        return [self._known[key] for key in keys]


def read_picture(picture: Picture, recognizer: Recognizer, *, single: bool = False) -> Reading:
    """Read all digits in a picture, or its ``single`` one; boxes are in pixels of its file.

    A picture that is an MNIST image already, in size and place, goes to the network untouched.
    """
    prepared = picture.prepared()
    if prepared is not None:
        return read_images(prepared[None], recognizer)[0]
    reading = read_bitmap(last(picture_steps(picture.gray)), recognizer, single=single)

    def enlarged(box: Box) -> Box:
        x, y, width, height = (length * picture.scale for length in box)
        return x, y, width, height

    digits = tuple(replace(digit, box=enlarged(digit.box)) for digit in reading.digits)
    marks = tuple(replace(mark, box=enlarged(mark.box)) for mark in reading.marks)
    return replace(reading, digits=digits, marks=marks)


def picture_trace(picture: Picture) -> Iterator[Step]:
    """The steps of ``read_picture`` up to the fragments of ink, with their titles."""
    prepared = picture.prepared()
    if prepared is not None:
        yield "prepared already", prepared
        return
    for step in picture_steps(picture.gray):
        yield step
    yield "in pieces", find_fragments(np.asarray(step[1])).view(picture.gray.shape)


def read_bitmap(ink: np.ndarray, recognizer: Recognizer, *, single: bool = False) -> Reading:
    """Read a bitmap, uint8 (H,W), 255 is ink and 0 is paper; boxes are in pixels.

    single: all ink is one digit.
    """
    if single:
        return _read_single(BitmapFragments(find_components(ink), 0.0), recognizer)
    return _read(find_fragments(ink), recognizer)


def read_strokes(
    strokes: Strokes,
    recognizer: Recognizer,
    pen: float = 0.0,
    cache: PredictionCache | None = None,
    *,
    single: bool = False,
) -> Reading:
    """Read a drawing, polylines (n,2) with y down in any unit.

    pen: width of the pen in that unit, if known; ink hardly larger than its pen is a dot.
    single: all ink is one digit.
    """
    refuse_texture(len(strokes))
    left_out = furniture_of(strokes)
    kept = [index for index in range(len(strokes)) if index not in left_out]
    fragments = StrokeFragments([strokes[index] for index in kept], pen)
    reading = (_read_single if single else _read)(fragments, recognizer.of_strokes(), cache)
    if not left_out:
        return reading
    page = StrokeFragments(strokes, pen)
    marks = tuple(Mark(page.box((index,)), "", 0.0, read=False) for index in left_out)
    digits = tuple(
        replace(digit, fragments=tuple(kept[number] for number in digit.fragments))
        for digit in reading.digits
    )
    return replace(reading, digits=digits, marks=reading.marks + marks)


def read_images(images: np.ndarray, recognizer: Recognizer) -> list[Reading]:
    """Read images that are prepared already, one digit in each: uint8 (N,H,W)."""
    readings = []
    for image, output in zip(images, _classify(images, recognizer), strict=True):
        if not image.any():
            readings.append(EMPTY)
            continue
        y0, x0, y1, x1 = box_of(image > 0)
        digit = digit_of((x0, y0, x1 - x0, y1 - y0), image, (0,), output, recognizer)
        readings.append(Reading(digit.name, (digit,), digit.confidence))
    return readings


def image_steps(ink: Ink) -> Iterator[Step]:
    """The steps that prepare the ink of one digit as MNIST would, with their titles."""
    return bitmap_steps(ink) if isinstance(ink, np.ndarray) else strokes_steps(ink)


def _read_single(
    fragments: Fragments, recognizer: Recognizer, cache: PredictionCache | None = None
) -> Reading:
    """All ink as one digit."""
    group = tuple(range(len(fragments.spans)))
    if not group:
        return EMPTY
    digit = _digits(fragments, [group], recognizer, cache)[group]
    return Reading(digit.name, (digit,), digit.confidence)


def _read(
    fragments: Fragments, recognizer: Recognizer, cache: PredictionCache | None = None
) -> Reading:
    count = len(fragments.spans)
    refuse_texture(count)
    if not count:
        return EMPTY

    lines = find_lines(fragments, partial(_is_digit, fragments, recognizer))
    rows = [candidates(fragments, line) for line in lines]
    groups = [
        group
        for row in rows
        for group in row.groups.values()
        if not _is_mark(fragments, group, row.line.height)
    ]
    if len(groups) > MOST_CANDIDATES:
        raise ImageError(
            f"its ink could be {len(groups):,} digits, more than the {MOST_CANDIDATES:,} that are "
            "tried; cut the digits out of the picture"
        )
    seen = _digits(fragments, groups, recognizer, cache)
    signs = find_signs(fragments, rows, seen, recognizer.threshold)
    readings = [read_line(fragments, row, seen, signs, recognizer) for row in rows]
    digits = tuple(digit for reading in readings for digit in reading.digits)
    marks = tuple(mark for reading in readings for mark in reading.marks)
    text = "\n".join(reading.text for reading in readings if reading.text)
    confidence = float(np.prod([reading.confidence for reading in readings if reading.digits]))
    return Reading(text, digits, confidence if digits else 0.0, marks=marks)


def _is_digit(fragments: Fragments, recognizer: Recognizer, group: Group) -> bool:
    """Whether ink looks as much like one digit as digits do."""
    return _digits(fragments, [group], recognizer)[group].score >= recognizer.threshold + MARGIN


def _is_mark(fragments: Fragments, group: Group, height: float) -> bool:
    """Whether ink is too small or too flat for a digit of a line of that ``height``."""
    x0, y0, x1, y1 = fragments.span(group)
    small = max(x1 - x0, y1 - y0) <= max(SMALL * height, fragments.pen)
    return small or y1 - y0 < FLAT * (x1 - x0)


def _digits(
    fragments: Fragments,
    groups: Sequence[Group],
    recognizer: Recognizer,
    cache: PredictionCache | None = None,
) -> Seen:
    """Each group taken for a digit."""
    inks = [fragments.ink(group) for group in groups]
    outputs = (cache or PredictionCache()).classify(inks, recognizer)
    return {
        group: digit_of(fragments.box(group), ink, group, output, recognizer)
        for group, ink, output in zip(groups, inks, outputs, strict=True)
    }


def _classify(images: Sequence[np.ndarray] | np.ndarray, recognizer: Recognizer) -> list[Output]:
    """The network's output for prepared images, in one batch."""
    if not len(images):
        return []
    prediction = recognizer(np.asarray(images))
    return list(zip(images, prediction.probabilities, prediction.scores, strict=True))
