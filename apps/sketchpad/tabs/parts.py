"""The base of all tabs, and elements of several: chips, colors and their scale."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.sketchpad import primitives, theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.layout import Area

SHADE = 0.35  # of ink under colors
MOST_CHIPS = 12
TIMES = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"
ARROW = "\N{RIGHTWARDS ARROW}"


class Tab:
    """One view of the selected digit; subclasses override ``draw_digit`` and ``act``."""

    title = ""  # on the tab bar: one word
    purpose = ""  # one line, for the list of keys
    shows = ""  # completes the sentence "write a digit to see ..."

    def draw(self, canvas: Canvas, context: Context) -> None:
        """Draw the tab and list its clickable areas, or say what is missing."""
        engine, image = context.engine, context.image
        if engine is None or not (engine.compiled or image is None):
            words = "the network is getting ready; the first time, this takes some seconds"
        elif image is None:
            words = f"write a digit to see {self.shows}"
        else:
            self.draw_digit(canvas, context)
            return
        canvas.text(0, 20, words[0].upper() + words[1:], theme.TEXT)
        if image is None:
            canvas.buttons(0, 40, ("Test digit", ("digit",), "one of the test set (T)", False))

    def draw_digit(self, canvas: Canvas, context: Context) -> None:
        """Draw the tab for a digit and a compiled network, where there is enough room."""

    def act(self, action: Sequence[Any], context: Context) -> None:
        """Do the command ``("tab", *action)``; an unknown one changes nothing."""


def number(value: float) -> str:
    """A number with as many digits as a reader can use, and a real minus sign."""
    if value == 0:
        return "0"
    size = abs(value)
    text = f"{size:.2f}" if 0.1 <= size < 10 else f"{size:.2g}" if size < 0.1 else f"{size:.3g}"
    return f"{MINUS}{text}" if value < 0 else text


def bar(canvas: Canvas, zero: float, y: float, length: float, height: float) -> None:
    """A bar from ``zero`` to the right in blue, or to the left in orange for a negative length."""
    color = theme.BLUE if length >= 0 else theme.ORANGE
    area = (min(zero, zero + length), y - height / 2, max(abs(length), 1), height)
    canvas.fill(area, color)


def largest(values: np.ndarray) -> float:
    """The scale of some numbers: the largest without its sign, never 0."""
    return max(float(np.abs(values).max(initial=0.0)), 1e-9)


def chips(canvas: Canvas, x: float, names: Sequence[str], chosen: int, word: str) -> None:
    """A row of classes to choose one from; a click is ``("tab", word, its number)``."""
    names = names[:MOST_CHIPS]
    texts = [canvas.text_width(name, theme.SMALLEST) for name in names]
    spare = (canvas.width - x - sum(texts)) / len(names) - 3  # on which none is cut off
    for index, (name, text) in enumerate(zip(names, texts, strict=True)):
        width = max(text + min(spare, 12), min(text + spare, 25))
        canvas.button((x, 0, width, 25), name, ("tab", word, index), pressed=index == chosen)
        x += width + 3


def overlaid(canvas: Canvas, area: Area, values: np.ndarray, image: np.ndarray) -> None:
    """Signed numbers (H,W) in color, the ink of ``image`` (H,W) as a shade over them."""
    pixels = primitives.diverging(values, largest(values))
    shade = 1 - SHADE * np.clip(image, 0, 1)[..., None]
    canvas.picture(area, (pixels * shade).astype(np.uint8))


def inked(canvas: Canvas, area: Area, image: np.ndarray) -> None:
    """An image (H,W) of numbers from 0 to 1, white on black."""
    canvas.picture(area, (255 * np.clip(image, 0, 1)).astype(np.uint8))


def function(canvas: Canvas, x: float, y: float, name: str, anchor: str = "left") -> None:
    """For developers: the function that computed a picture; its formula if there is room."""
    room = x if anchor == "right" else canvas.width - x
    if not canvas.jargon:
        return
    short = (name, name.partition(":")[0], "")
    name = next(one for one in short if canvas.text_width(one, theme.SMALLEST) <= max(room, 0))
    canvas.text(x, y, name, theme.FUNCTION, theme.SMALLEST, anchor=anchor)
