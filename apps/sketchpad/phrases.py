"""How a reading is put into words and colors; nothing is ever certain."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from apps.sketchpad import theme
from apps.sketchpad.theme import Color

if TYPE_CHECKING:
    from tinycnn.ink import Digit, Reading

SURE = 0.9
MOST = 0.999
UNREAD = "?"  # in place of ink that was refused


def percent(probability: float) -> str:
    """A probability for people: 100 % is never said."""
    shown = min(probability, MOST)
    return f"{100 * shown:.1f} %"


def verdict(digit: "Digit") -> str:
    """How far to trust a digit: "sure", "unsure", or "none" if it looks like none."""
    if digit.rejected:
        return "none"
    return "sure" if digit.confidence >= SURE else "unsure"


def color_of(digit: "Digit", label: str | None = None) -> Color:
    """Blue is sure, orange unsure, gray no digit; what a person said is dark."""
    if label is not None:
        return theme.INK
    return {"sure": theme.BLUE, "unsure": theme.ORANGE, "none": theme.QUIET}[verdict(digit)]


def sentence(digit: "Digit") -> str:
    """The same in a sentence."""
    second, probability = digit.second
    guess = f"{digit.name} ({percent(digit.confidence)})"
    match verdict(digit):
        case "none":
            return f"Not a digit, I think. Closest: {guess}"
        case "unsure":
            return f"unsure: {guess} or {second} ({percent(probability)})"
        case _:
            return f"surely {article(digit.name)} {guess}"


def article(name: str) -> str:
    """What stands before the name of a class, as it is spoken."""
    spoken = "aefhilmnorsx" if len(name) == 1 else "aeiou"
    return "an" if name.lower().startswith((*spoken, "8", "11", "18")) else "a"


def spelled(reading: "Reading", labels: Sequence[str | None] = ()) -> list[tuple[str, int | None]]:
    """The text in pieces, each with the number of the digit that it is, None for what is between.

    ``labels`` are what a person says the digits are, None for nothing. What looks like no digit
    is UNREAD, and what a person calls none is left out.
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
    return pieces
