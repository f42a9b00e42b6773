"""The words and colors for a reading; nothing is ever certain."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from apps.sketchpad import theme
from apps.sketchpad.theme import Color

if TYPE_CHECKING:
    from tinycnn.ink import Digit, Reading

UNREAD = "?"  # in place of ink that was refused


def percent(probability: float) -> str:
    """A probability for people: never 100 %."""
    from tinycnn.ink.results import percent as capped

    return capped(probability)


def verdict(digit: "Digit", label: str | None = None) -> str:
    """How far to trust a digit: "sure" with a label of the user, "unsure", "none": no digit."""
    from tinycnn.ink.results import CERTAIN

    if label is None and digit.rejected:
        return "none"
    return "sure" if label is not None or digit.confidence >= CERTAIN else "unsure"


def color_of(digit: "Digit", label: str | None = None) -> Color:
    """Blue is sure, orange unsure, gray no digit; a label of the user is dark."""
    if label is not None:
        return theme.INK
    return {"sure": theme.BLUE, "unsure": theme.ORANGE, "none": theme.QUIET}[verdict(digit)]


def sentence(digit: "Digit") -> str:
    """A digit and how far to trust it, in a sentence."""
    second, probability = digit.second
    guess = f"{digit.name} ({percent(digit.confidence)})"
    match verdict(digit):
        case "none":
            return f"Not a digit, I think. Closest: {guess}"
        case "unsure":
            return f"Unsure: {guess} or {second} ({percent(probability)})"
        case _:
            return f"Surely {article(digit.name)} {guess}"


def article(name: str) -> str:
    """The indefinite article for the name of a class, as it is spoken."""
    spoken = "aefhilmnorsx" if len(name) == 1 else "aeiou"
    return "an" if name.lower().startswith((*spoken, "8", "11", "18")) else "a"


def spelled(reading: "Reading", labels: Sequence[str | None] = ()) -> list[tuple[str, int | None]]:
    """The text in pieces, each with the index of its digit, None for text between digits.

    ``labels`` are the user's, None for a digit without one. A digit that looks like none is
    UNREAD; a digit that the user calls none is left out.
    """
    pieces: list[tuple[str, int | None]] = []
    rest = reading.text
    for index, digit in enumerate(reading.digits):
        between, found, after = rest.partition(digit.name)
        if between:
            pieces.append((between, None))
        label = labels[index] if labels else None
        read = UNREAD if digit.rejected else found
        pieces.append((read if label is None else label, index))
        rest = after
    return [*pieces, (rest, None)] if rest else pieces
