"""How the drawing became 28 x 28, step by step, and beside it the naive way."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Area, Canvas
from apps.sketchpad.context import Command, Look
from apps.sketchpad.phrases import color_of, percent

if TYPE_CHECKING:
    from tinycnn.ink import Digit
    from tinycnn.ink.trace import View

GAP = 16.0
HEAD = 26.0  # height of a title
CAPTION = 40.0  # height of what is said under a step: two lines
ROOMY = 280.0  # height from which on both ways stand one above the other
SMALLEST = 40.0  # side of a step
SMALL = 64  # images up to this size are shown pixel by pixel, white on black


class Steps:
    """What the drawing goes through before the network gets it."""

    title = "Steps"
    purpose = "how the drawing became 28 x 28"
    keys: Mapping[str, tuple[Command, str]] = {}

    def draw(self, canvas: Canvas, look: Look) -> None:
        """The steps in a row, and the naive way under them."""
        if look.digit is None or look.engine is None:
            canvas.text(0, 20, "write a digit to see how it is prepared", theme.FAINT)
            return
        steps = look.ask(("steps", look.digit.image.tobytes()), steps_of, look.digit) or []
        below = canvas.height >= ROOMY
        columns = max(len(steps), 4) + (0 if below else 1.3)
        room = (canvas.height - 2 * HEAD - CAPTION - GAP) / 2 if below else canvas.height - HEAD
        side = max(min((canvas.width - (columns - 1) * GAP) / columns, room), SMALLEST)
        canvas.text(0, 10, "as MNIST was made", theme.TEXT, bold=True)
        for number, (title, view) in enumerate(steps):
            area = (number * (side + GAP), HEAD, side, side)
            _draw_step(canvas, area, view)
            if number:
                place = (area[0] - GAP / 2, HEAD + side / 2)
                canvas.text(*place, "\u203a", theme.QUIET, theme.LARGE, anchor="center")
            if below:
                caption = (area[0], HEAD + side + 2, side, CAPTION)
                canvas.lines(caption, f"{number + 1}. {title}", leading=1.2)
        if below:
            words = f"read as {look.digit.name}, {percent(look.digit.confidence)}"
            canvas.text(canvas.width, 10, words, color_of(look.digit), anchor="right")
            _draw_naive(canvas, look, HEAD + side + CAPTION + GAP, side)
        else:
            _draw_naive_small(canvas, look, side)

    def act(self, words: Sequence[Any], look: Look) -> None:
        """There is nothing to be done here."""


def steps_of(digit: "Digit") -> "list[tuple[str, View]]":
    """The steps of one digit, with their titles."""
    from tinycnn.ink.reading import image_steps

    return list(image_steps(digit.ink))


def _draw_naive(canvas: Canvas, look: Look, top: float, side: float) -> None:
    """The whole paper made smaller, as many demonstrations do."""
    naive = look.naive_way()
    if naive is None or look.engine is None:
        return
    canvas.text(0, top + 10, "the naive way", theme.TEXT, bold=True)
    best = int(naive.probabilities.argmax())
    name, probability = look.engine.classes[best], percent(float(naive.probabilities[best]))
    words = f"read as {name}, {probability}"
    assert look.digit is not None
    right = name == look.digit.name
    canvas.text(
        canvas.width, top + 10, words, theme.BLUE if right else theme.ORANGE, anchor="right"
    )
    canvas.gray((0, top + HEAD, side, side), naive.image)
    text = (
        "The whole paper made smaller: no box of 20 pixels, no center of mass, a line as thin as "
        "the brush happened to be. The network has never seen such digits; so many demonstrations "
        "of good networks misread what people draw. P shows it everywhere."
    )
    canvas.lines((side + GAP, top + HEAD - 4, canvas.width - side - GAP, side), text)


def _draw_naive_small(canvas: Canvas, look: Look, side: float) -> None:
    """The same where there is little room."""
    naive = look.naive_way()
    if naive is not None:
        left = canvas.width - side
        canvas.text(left, 10, "naive", theme.ORANGE, bold=True)
        canvas.gray((left, HEAD, side, side), naive.image)


def _draw_step(canvas: Canvas, area: Area, view: "View") -> None:
    x, y, side, _ = area
    if isinstance(view, np.ndarray) and max(view.shape) <= SMALL:
        canvas.gray(area, view)
        canvas.line([(x + side / 2, y), (x + side / 2, y + side)], theme.QUIET)
        canvas.line([(x, y + side / 2), (x + side, y + side / 2)], theme.QUIET)
        return
    canvas.fill(area, theme.SUNK, 4, theme.EDGE)
    inner = canvas.part((x + 6, y + 6, side - 12, side - 12))
    if isinstance(view, np.ndarray):
        H, W = view.shape
        unit = min(inner.width / W, inner.height / H)
        place = (inner.width - W * unit) / 2, (inner.height - H * unit) / 2, W * unit, H * unit
        shade = np.repeat(255 - view[..., None], 3, axis=2)
        inner.picture(place, shade, smooth=True)
    elif view:
        _draw_lines(inner, view)


def _draw_lines(canvas: Canvas, lines: Sequence[np.ndarray]) -> None:
    """Strokes, as large as there is room."""
    points = np.concatenate(lines)
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    unit = 0.94 * min(canvas.width, canvas.height) / max(float(size.max()), 1e-9)
    corner = (np.array([canvas.width, canvas.height]) - size * unit) / 2
    for line in lines:
        placed = ((line - low) * unit + corner).tolist()
        if len(placed) > 1:
            canvas.line([(x, y) for x, y in placed], theme.INK, 2)
        canvas.dots([(x, y) for x, y in placed[:: max(len(placed) // 40, 1)]], 2, theme.BLUE)
