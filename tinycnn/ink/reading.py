"""Reading a page of ink: lines, digits, and a number with its confidence.

This is where segmentation and the recognizer meet. Every run of pieces that could be a digit
becomes a 28 x 28 image, the recognizer looks at all of them at once, and the best way to cut
each line is read out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tinycnn.ink.bitmaps import box_of
from tinycnn.ink.components import BitmapPieces
from tinycnn.ink.fragments import (
    Box,
    Group,
    Ink,
    Pieces,
    Span,
    StrokePieces,
    refuse_texture,
    span,
    to_image,
)
from tinycnn.ink.lines import FLAT, find_lines
from tinycnn.ink.rasterize import Lines
from tinycnn.ink.segmentation import Candidates, best_reading, candidates
from tinycnn.ink.trace import Show, unseen
from tinycnn.nn.classifier import Recognizer

SMALL = 0.35  # line heights: ink smaller than that is a dot, a comma, an apostrophe
TINY = 0.15  # line heights: a dot for certain
LONE_DOT, LONE_MARK = 0.5, 0.02  # probabilities that such ink is no part of a digit
USUAL_WIDTH = 0.8  # line heights: wider digits are rarer
RARER = 4.0  # by this much in log-probability for each line height
MARGIN = 2.0  # of the score above the threshold: real digits have more, halves and pairs have not
WORD_GAP = 1.0  # line heights between words, at least


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit on the page."""

    box: Box
    """x, y, width, height in the units of the input."""

    label: int
    """Number of the likeliest class."""

    name: str
    """What that class is called: a character."""

    confidence: float
    """Its probability, calibrated if the weights are."""

    rejected: bool
    """True if it looks like none of the classes; the label is then a guess."""

    second: tuple[str, float]
    """Name and probability of the next best class."""

    probabilities: np.ndarray
    """(K,): of all classes."""

    score: float
    """How much it looks like any class: ``rejected`` compares it with a threshold."""

    image: np.ndarray
    """uint8 (28,28): what the network saw."""

    ink: Ink
    """Its own ink; ``to_image`` makes ``image`` of it, step by step."""

    pieces: Group
    """Which strokes of the drawing make it up; of a bitmap, which pieces."""


@dataclass(frozen=True)
class Reading:
    """All digits of a page in reading order, and what they say."""

    text: str
    """Lines are parted by line ends, words by blanks; dots and dashes stand only between digits."""

    digits: tuple[Digit, ...]

    confidence: float
    """Probability that all of ``text`` is right; 0 if no digit was found."""

    inked: bool = True
    """False if the page is empty."""


EMPTY = Reading("", (), 0.0, inked=False)


class Memory:
    """What a recognizer saw in the drawing before this one.

    Most of a drawing that grows stroke by stroke is not new; only what is gets looked at. One
    memory belongs to one recognizer.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[bytes, ...], _Sight] = {}

    def look(self, inks: Sequence[Ink], recognizer: Recognizer) -> "list[_Sight]":
        """What there is to see in each of ``inks``; all else is forgotten."""
        keys = [tuple(piece.tobytes() for piece in ink) for ink in inks]
        new = {key: ink for key, ink in zip(keys, inks, strict=True) if key not in self._seen}
        fresh = dict(zip(new, _see(list(new.values()), recognizer), strict=True))
        self._seen = {key: self._seen.get(key) or fresh[key] for key in keys}
        return [self._seen[key] for key in keys]


def read_strokes(
    strokes: Lines, recognizer: Recognizer, pen: float = 0.0, memory: Memory | None = None
) -> Reading:
    """Read a drawing, polylines (n,2) with y down in any unit.

    pen: width of the pen in that unit, if known; ink hardly larger than its pen is a dot.
    """
    look = memory.look if memory else _see
    return _read(StrokePieces(strokes, pen), recognizer, look) if strokes else EMPTY


def read_bitmap(ink: np.ndarray, recognizer: Recognizer, show: Show = unseen) -> Reading:
    """Read a bitmap, uint8 (H,W), 255 is ink and 0 is paper; boxes are in pixels."""
    pieces = BitmapPieces(ink)
    show("in pieces", pieces.view(ink.shape))
    return _read(pieces, recognizer) if len(pieces.boxes) else EMPTY


def read_images(images: np.ndarray, recognizer: Recognizer) -> list[Reading]:
    """Read images that are prepared already, one digit in each: uint8 (N,H,W)."""
    opinion = recognizer(images)
    readings = []
    for image, probabilities, score in zip(
        images, opinion.probabilities, opinion.scores, strict=True
    ):
        if not image.any():
            readings.append(EMPTY)
            continue
        y0, x0, y1, x1 = box_of(image > 0)
        sight = _Sight(image, probabilities, score)
        digit = _digit((x0, y0, x1 - x0, y1 - y0), image, (0,), sight, recognizer)
        readings.append(Reading(digit.name, (digit,), digit.confidence))
    return readings


def is_mark(pieces: Pieces, group: Group, height: float) -> bool:
    """Whether ink is too small or too flat for a digit of a line of that ``height``."""
    x0, y0, x1, y1 = span(pieces, group)
    small = max(x1 - x0, y1 - y0) <= max(SMALL * height, pieces.pen)
    return small or y1 - y0 < FLAT * (x1 - x0)


def _read(pieces: Pieces, recognizer: Recognizer, look: "_Look | None" = None) -> Reading:
    refuse_texture(len(pieces.boxes))
    rows = [candidates(pieces, line) for line in find_lines(pieces)]
    seen = _digits(pieces, rows, recognizer, look or _see)
    readings = [_read_row(pieces, row, seen, recognizer.threshold) for row in rows]
    digits = tuple(digit for reading in readings for digit in reading.digits)
    text = "\n".join(reading.text for reading in readings if reading.text)
    confidence = float(np.prod([reading.confidence for reading in readings]))
    return Reading(text, digits, confidence if digits else 0.0)


def _digits(
    pieces: Pieces, rows: list[Candidates], recognizer: Recognizer, look: "_Look"
) -> dict[Group, Digit]:
    """What the recognizer sees in each group of pieces that is not a mere mark."""
    groups = [
        group
        for row in rows
        for group in row.groups.values()
        if not is_mark(pieces, group, row.line.height)
    ]
    inks = [pieces.ink(group) for group in groups]
    return {
        group: _digit(pieces.frame(group), ink, group, sight, recognizer)
        for group, ink, sight in zip(groups, inks, look(inks, recognizer), strict=True)
    }


class _Sight(NamedTuple):
    """One image and what the recognizer thinks of it."""

    image: np.ndarray
    probabilities: np.ndarray
    score: float


_Look = Callable[[Sequence[Ink], Recognizer], list[_Sight]]


def _see(inks: Sequence[Ink], recognizer: Recognizer) -> list[_Sight]:
    """Have the recognizer look at all of them at once."""
    if not inks:
        return []
    images = np.array([to_image(ink) for ink in inks])
    opinion = recognizer(images)
    return list(map(_Sight, images, opinion.probabilities, opinion.scores))


def _digit(box: Box, ink: Ink, pieces: Group, sight: _Sight, recognizer: Recognizer) -> Digit:
    names = recognizer.classes
    best, second = np.argsort(-sight.probabilities, kind="stable")[:2]
    return Digit(
        box=box,
        label=int(best),
        name=names[best],
        confidence=float(sight.probabilities[best]),
        rejected=bool(sight.score < recognizer.threshold),
        second=(names[second], float(sight.probabilities[second])),
        probabilities=sight.probabilities,
        score=float(sight.score),
        image=sight.image,
        ink=ink,
        pieces=pieces,
    )


def _read_row(
    pieces: Pieces, row: Candidates, seen: Mapping[Group, Digit], threshold: float
) -> Reading:
    """The most probable reading of one line."""
    weights = {
        run: _digit_weight(seen[group], pieces, row, threshold)
        if group in seen
        else _mark_weight(pieces, group, row)
        for run, group in row.groups.items()
    }
    path, certainty = best_reading(row, weights)
    found = [(row.groups[run], seen.get(row.groups[run])) for run in path]
    digits = tuple(digit for _, digit in found if digit)
    confidence = certainty * float(np.prod([digit.confidence for digit in digits]))
    return Reading(_text(pieces, found, row.line.height), digits, confidence)


def _digit_weight(digit: Digit, pieces: Pieces, row: Candidates, threshold: float) -> float:
    """Log-probability that a group is one digit: like this class, like a digit, not too wide."""
    x0, _, x1, _ = span(pieces, digit.pieces)
    excess = max((x1 - x0) / row.line.height - USUAL_WIDTH, 0.0)
    like_a_digit = -np.logaddexp(0, threshold + MARGIN - digit.score)
    return float(np.log(digit.confidence) + like_a_digit - RARER * excess)


def _mark_weight(pieces: Pieces, group: Group, row: Candidates) -> float:
    """Log-probability that a dot or a dash stands alone, and is no part of a digit."""
    x0, y0, x1, y1 = span(pieces, group)
    tiny = max(x1 - x0, y1 - y0) < TINY * row.line.height
    return float(np.log(LONE_DOT if tiny else LONE_MARK))


def _text(pieces: Pieces, found: Sequence[tuple[Group, Digit | None]], height: float) -> str:
    """The characters of a line; between digits also dots, dashes and blanks."""
    spans = [span(pieces, group) for group, _ in found]
    gap = _word_gap([s for s, (_, digit) in zip(spans, found, strict=True) if digit], height)
    text, last, sign = "", None, ""
    for here, (_, digit) in zip(spans, found, strict=True):
        if digit is None:
            sign = _sign(here, last, height) if last else ""
            continue
        if last:
            text += sign or (" " if here[0] - last[2] > gap else "")
        text += digit.name
        last, sign = here, ""
    return text


def _sign(mark: Span, before: Span, height: float) -> str:
    """What a mark to the right of a digit means: ".", "-" or nothing."""
    x0, y0, x1, y1 = mark
    place = ((y0 + y1) / 2 - before[1]) / max(before[3] - before[1], 0.5 * height)
    if x0 < before[2]:
        return ""
    if 0.3 < place < 0.7 and x1 - x0 > 0.2 * height:
        return "-"
    return "." if 0.7 <= place < 1.4 and x1 - x0 <= 0.2 * height else ""


def _word_gap(spans: Sequence[Span], height: float) -> float:
    """Digits further apart than this are different words: far, and further than is usual here."""
    gaps = [right[0] - left[2] for left, right in pairwise(spans)]
    usual = float(np.median(gaps)) if len(gaps) > 1 else np.inf
    return max(WORD_GAP * height, 2.5 * usual)
