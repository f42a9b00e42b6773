"""How a reading is put into words and colours; nothing is ever certain."""

from typing import TYPE_CHECKING

from apps.sketchpad import theme
from apps.sketchpad.theme import Colour

if TYPE_CHECKING:
    from tinycnn.ink import Digit, Reading

SURE = 0.9
MOST = 0.999


def percent(probability: float) -> str:
    """A probability for people: 100 % is never said."""
    shown = min(probability, MOST)
    return f"{100 * shown:.1f} %"


def verdict(digit: "Digit") -> str:
    """How far to trust a digit: "sure", "unsure", or "none" if it looks like none."""
    if digit.rejected:
        return "none"
    return "sure" if digit.confidence >= SURE else "unsure"


def colour_of(digit: "Digit", label: str | None = None) -> Colour:
    """Blue is sure, orange unsure, grey no digit; what a person said is dark."""
    if label is not None:
        return theme.INK
    return {"sure": theme.BLUE, "unsure": theme.ORANGE, "none": theme.QUIET}[verdict(digit)]


def sentence(digit: "Digit") -> str:
    """The same in a sentence."""
    second, probability = digit.second
    guess = f"{digit.name} ({percent(digit.confidence)})"
    match verdict(digit):
        case "none":
            return f"looks like no digit; if it is one, {guess}"
        case "unsure":
            return f"unsure: {guess} or {second} ({percent(probability)})"
        case _:
            return f"surely a {guess}"


def spelled(reading: "Reading") -> list[tuple[str, int | None]]:
    """The text in pieces, each with the number of the digit that it is, None for what is between.

    Lines are parted by a stroke.
    """
    pieces: list[tuple[str, int | None]] = []
    rest = reading.text
    for index, digit in enumerate(reading.digits):
        between, found, after = rest.partition(digit.name)
        if between:
            pieces.append((between.replace("\n", " / "), None))
        pieces.append((found, index))
        rest = after
    return pieces
