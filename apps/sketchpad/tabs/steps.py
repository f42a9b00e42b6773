"""How the drawing became 28 x 28, step by step, and the naive way beside it."""

from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.document import Place, placed
from apps.sketchpad.layout import Area
from apps.sketchpad.phrases import color_of, percent
from apps.sketchpad.tabs.parts import Tab

if TYPE_CHECKING:
    from tinycnn.ink import Digit
    from tinycnn.ink.trace import View

GAP = 16.0
HEAD = 26.0  # height of a title
CAPTION = 40.0  # height of the two lines under a step
ROOMY = 230.0  # height from which both ways are shown, one above the other
SMALLEST = 40.0  # side of a step
NAIVE = (
    "The whole paper made smaller: no box of 20 pixels, no center of mass, a line as thin as "
    "the brush happened to be. The network has never seen such digits; so many demonstrations "
    "of good networks misread what people draw."
)
SMALL = 64  # images up to this size are shown pixel by pixel, white on black


class StepsTab(Tab):
    """The steps from the drawing to the input of the network."""

    title = "Steps"
    purpose = "how the drawing became 28 x 28"

    def draw(self, canvas: Canvas, context: Context) -> None:
        """The steps in a row, and the naive way under them, or beside them in a low window."""
        digit = context.digit
        if digit is None or context.engine is None:
            canvas.text(0, 20, "write a digit to see how it is prepared", theme.FAINT)
            return
        steps = context.ask(("steps", digit.image.tobytes()), steps_of, digit) or []
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
            words = f"read as {digit.name}, {percent(digit.confidence)}"
            canvas.text(canvas.width, 10, words, color_of(digit), anchor="right")
            _draw_naive(canvas, context, HEAD + side + CAPTION + GAP, side)
        elif naive := context.naive_reading():
            canvas.text(canvas.width - side, 10, "naive", theme.ORANGE, bold=True)
            canvas.picture((canvas.width - side, HEAD, side, side), naive.image)


def steps_of(digit: "Digit") -> "list[tuple[str, View]]":
    """The steps of one digit, with their titles."""
    from tinycnn.ink.reading import image_steps

    return list(image_steps(digit.ink))


def _draw_naive(canvas: Canvas, context: Context, top: float, side: float) -> None:
    """The whole paper scaled down, as many demonstrations do."""
    naive, digit = context.naive_reading(), context.digit
    if naive is None or digit is None:
        return
    canvas.text(0, top + 10, "the naive way", theme.TEXT, bold=True)
    best = int(naive.probabilities.argmax())
    name = context.classes[best]
    words = f"read as {name}, {percent(float(naive.probabilities[best]))}"
    color = theme.BLUE if name == digit.name else theme.ORANGE
    canvas.text(canvas.width, top + 10, words, color, anchor="right")
    canvas.picture((0, top + HEAD, side, side), naive.image)
    canvas.lines((side + GAP, top + HEAD - 4, canvas.width - side - GAP, side), NAIVE)


def _draw_step(canvas: Canvas, area: Area, view: "View") -> None:
    x, y, side, _ = area
    if isinstance(view, np.ndarray) and max(view.shape) <= SMALL:
        canvas.picture(area, view)
        canvas.line([(x + side / 2, y), (x + side / 2, y + side)], theme.QUIET)
        canvas.line([(x, y + side / 2), (x + side, y + side / 2)], theme.QUIET)
        return
    canvas.fill(area, theme.SUNK, 4, theme.EDGE)
    inner = canvas.part((x + 6, y + 6, side - 12, side - 12))
    if isinstance(view, np.ndarray):
        inner.fitted(255 - view)
        return
    for line in placed(view, (inner.width, inner.height), 0.94):
        points: list[Place] = [(x, y) for x, y in line.tolist()]
        if len(points) > 1:
            inner.line(points, theme.INK, 2)
        inner.dots(points[:: max(len(points) // 40, 1)], 2, theme.BLUE)
