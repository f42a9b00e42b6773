"""What several tabs draw: a legend of the colors, a number with its sign, a reason to wait."""

from collections.abc import Sequence

import numpy as np

from apps.sketchpad import primitives, theme
from apps.sketchpad.canvas import Area, Canvas
from apps.sketchpad.context import Look

LEAST = 400.0, 200.0  # width and height that a tab needs
LEGEND = 46.0  # width of the colors
SHADE = 0.35  # of ink under colors
MOST_CHIPS = 12


def is_ready(canvas: Canvas, look: Look, what: str) -> bool:
    """Whether there is a digit and a network to look into; says what is missing."""
    large = canvas.width >= LEAST[0] and canvas.height >= LEAST[1]
    ready = look.engine is not None and look.engine.compiled and look.image is not None
    if ready and large:
        return True
    words = f"write a digit to see {what}"
    if not large:
        words = "Enter gives this more room"
    elif look.engine is None:
        words = "the network is being loaded"
    elif not look.engine.compiled and look.image is not None:
        words = "kernels are being compiled, the first time only"
    canvas.text(0, 20, words, theme.FAINT)
    return False


def number(value: float) -> str:
    """A number with as many digits as people can use, and a real minus sign."""
    if value == 0:
        return "0"
    size = abs(value)
    text = f"{size:.2f}" if 0.1 <= size < 10 else f"{size:.2g}" if size < 0.1 else f"{size:.3g}"
    return f"\N{MINUS SIGN}{text}" if value < 0 else text


def legend(canvas: Canvas, right: float, y: float, most: float) -> float:
    """The colors and what full color means, ending at ``right``; returns their width."""
    high = canvas.text(right, y, number(most), theme.QUIET, theme.SMALLEST, anchor="right")
    x = right - high - 6 - LEGEND
    canvas.signed((x, y - 6, LEGEND, 12), np.linspace(-1, 1, 23)[None], 1.0)
    low = canvas.text(x - 6, y, number(-most), theme.QUIET, theme.SMALLEST, anchor="right")
    return high + low + 12 + LEGEND


def largest(values: np.ndarray) -> float:
    """The scale of some numbers: the largest without its sign, never 0."""
    return max(float(np.abs(values).max(initial=0.0)), 1e-9)


def chips(
    canvas: Canvas, at: tuple[float, float], names: Sequence[str], chosen: int, word: str
) -> float:
    """A row of classes to choose one from; a click is ``("tab", word, its number)``."""
    x, y = at
    names = names[:MOST_CHIPS]
    texts = [canvas.text_width(name, theme.SMALLEST) for name in names]
    spare = (canvas.width - x - sum(texts)) / len(names) - 3  # on which none is cut off
    for index, (name, text) in enumerate(zip(names, texts, strict=True)):
        width = max(text + min(spare, 12), min(text + spare, 25))
        canvas.button((x, y, width, 25), name, ("tab", word, index), pressed=index == chosen)
        x += width + 3
    return x - at[0]


def overlaid(canvas: Canvas, area: Area, values: np.ndarray, image: np.ndarray) -> None:
    """Signed numbers (H,W) in color, the ink of ``image`` (H,W) as a shade over them."""
    pixels = primitives.diverging(values, largest(values))
    shade = 1 - SHADE * np.clip(image, 0, 1)[..., None]
    canvas.picture(area, (pixels * shade).astype(np.uint8))


def inked(canvas: Canvas, area: Area, image: np.ndarray) -> None:
    """An image (H,W) of numbers from 0 to 1, white on black."""
    canvas.gray(area, (255 * np.clip(image, 0, 1)).astype(np.uint8))


def function(canvas: Canvas, x: float, y: float, name: str, anchor: str = "left") -> float:
    """The function that computes what is seen; without its formula, or not, if it has no room."""
    room = x if anchor == "right" else canvas.width - x
    short = (name, name.partition(":")[0], "")
    name = next(one for one in short if canvas.text_width(one, theme.SMALLEST) <= max(room, 0))
    return canvas.text(x, y, name, theme.FUNCTION, theme.SMALLEST, anchor=anchor)
