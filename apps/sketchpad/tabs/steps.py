"""How the drawing became 28 x 28, step by step."""

from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.document import Place, placed
from apps.sketchpad.layout import Area
from apps.sketchpad.tabs.parts import Tab

if TYPE_CHECKING:
    from tinycnn.ink import Digit
    from tinycnn.ink.strokes import View

GAP = 16.0
HEAD = 26.0  # height of a title
CAPTION = 40.0  # height of the two lines under a step
WORDS = "MNIST's digits were made in these steps. A drawing that is merely shrunk is unlike them."
ROOM = 50.0  # height of these words
SMALL = 64  # images up to this size are shown pixel by pixel, white on black


class StepsTab(Tab):
    """The steps from the drawing to the input of the network."""

    title = "Steps"
    purpose = "how the drawing became 28 x 28"
    shows = "how it is prepared"

    def draw_digit(self, canvas: Canvas, context: Context) -> None:
        """The steps in a row, and why they are taken."""
        digit = context.digit
        assert digit is not None
        steps = context.ask(("steps", digit.image.tobytes()), steps_of, digit) or []
        columns = max(len(steps), 4)
        room = canvas.height - HEAD - CAPTION - ROOM - GAP
        side = max(min((canvas.width - (columns - 1) * GAP) / columns, room), 40.0)
        canvas.lines((0, 0, canvas.width, HEAD), "From ink to what the network gets", theme.TEXT)
        for number, (title, view) in enumerate(steps):
            area = (number * (side + GAP), HEAD, side, side)
            _draw_step(canvas, area, view)
            if number:
                place = (area[0] - GAP / 2, HEAD + side / 2)
                canvas.text(*place, "\u203a", theme.QUIET, theme.LARGE, anchor="center")
            caption = (area[0], HEAD + side + 2, side, CAPTION)
            canvas.lines(caption, f"{number + 1}. {title}", leading=1.2)
        below = HEAD + side + CAPTION + GAP
        canvas.lines((0, below, canvas.width, canvas.height - below), WORDS)


def steps_of(digit: "Digit") -> "list[tuple[str, View]]":
    """The steps of one digit, with their titles."""
    from tinycnn.ink.reading import image_steps

    return list(image_steps(digit.ink))


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
        H, W = view.shape
        unit = min(inner.width / W, inner.height / H)
        place = (inner.width - W * unit) / 2, (inner.height - H * unit) / 2
        inner.picture((*place, W * unit, H * unit), 255 - view, smooth=True)
        return
    for line in placed(view, (inner.width, inner.height), 0.94):
        points: list[Place] = [(x, y) for x, y in line.tolist()]
        if len(points) > 1:
            inner.line(points, theme.INK, 2)
        inner.dots(points[:: max(len(points) // 40, 1)], 2, theme.BLUE)
