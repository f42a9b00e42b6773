"""What was read: digits, marks, and the text they make."""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from tinycnn import notebook
from tinycnn.ink.fragments import Box, Group, Ink


@dataclass(frozen=True, eq=False)
class Mark:
    """Ink on the page that is no digit."""

    box: Box  # x, y, width, height in the units of the input
    name: str  # the sign that it is; empty if it is none that is known
    confidence: float  # how probable it is that it is this sign; 0 if it is none
    read: bool  # whether it is in the text; else it was left out


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit on the page."""

    box: Box  # x, y, width, height in the units of the input
    label: int  # number of the likeliest class
    name: str  # name of that class: a character
    confidence: float  # its probability, calibrated if the weights are
    rejected: bool  # true if it looks like none of the classes; the label is then a guess
    second: tuple[str, float]  # name and probability of the next best class
    probabilities: np.ndarray  # (K,): of all classes
    score: float  # how much it looks like any class: ``rejected`` compares it with a threshold
    image: np.ndarray  # uint8 (28,28): the input of the network
    ink: Ink  # its own ink; ``to_image`` makes ``image`` of it
    fragments: Group  # the numbers of the strokes, or of the bitmap's fragments, that make it up


@dataclass(frozen=True)
class Reading:
    """All digits of a page in reading order, and their text."""

    text: str  # what is written: digits, and the signs beside them; line breaks separate lines
    digits: tuple[Digit, ...]

    confidence: float  # probability that all of ``text`` is right; 0 if no digit was found
    inked: bool = True  # false if the page is empty
    marks: tuple[Mark, ...] = ()  # all other ink; what could not be read is not in the text

    @property
    def doubtful(self) -> bool:
        """Whether most of the page is no digit: lines, letters, a drawing."""
        rejected = sum(digit.rejected for digit in self.digits)
        unread = sum(not mark.read for mark in self.marks)
        return 2 * rejected > len(self.digits) or unread > 4 * len(self.digits)

    def _repr_html_(self) -> str:
        """Show the digits where they were read, and the text, in a notebook."""
        if not self.digits:
            return "<p>no digits</p>"
        labels = [
            f"{z.name}{'?' if z.rejected else ''} {min(100 * z.confidence, 99.9):.1f} %"
            for z in self.digits
        ]
        images, places = zip(*((z.image, z.box) for z in self.digits), strict=True)
        return notebook.boxes(images, places, labels) + f"<pre>{escape(self.text)}</pre>"


EMPTY = Reading("", (), 0.0, inked=False)


def as_record(reading: Reading) -> dict[str, Any]:
    """Text, confidence and digits of a reading, ready for ``json.dumps``."""
    digits = [
        {
            "box": [round(length, 3) for length in digit.box],
            "label": digit.label,
            "name": digit.name,
            "confidence": round(digit.confidence, 6),
            "rejected": digit.rejected,
            "score": round(digit.score, 4),
            "second": {"name": digit.second[0], "confidence": round(digit.second[1], 6)},
        }
        for digit in reading.digits
    ]
    marks = [
        {
            "box": [round(length, 3) for length in mark.box],
            "name": mark.name,
            "confidence": round(mark.confidence, 6),
            "read": mark.read,
        }
        for mark in reading.marks
    ]
    confidence = round(reading.confidence, 6)
    return {"text": reading.text, "confidence": confidence, "digits": digits, "marks": marks}
