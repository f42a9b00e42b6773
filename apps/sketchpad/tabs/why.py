"""Why this answer: pixels for and against it, and the training digits nearest to it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.tabs.parts import Tab, chips, function, inked, overlaid

if TYPE_CHECKING:
    from apps.sketchpad.inspector import Neighbors

CHIPS = 34.0  # height of the row of classes
LIKE = 0.2  # width of the nearest digits, as a part
HEADING = 40.0  # over a map: two lines
CAPTIONS = 124.0  # over and under a map
ADVICE = (
    "Blue speaks for it, orange against it. Covering tells what would happen, a gradient only "
    "which way it begins; trust them where they agree."
)


class WhyTab(Tab):
    """Occlusion, gradients and neighbors."""

    title = "Why"
    purpose = "what speaks for it, and against it"
    shows = "why it is read so"

    def __init__(self) -> None:
        self.other: int | None = None

    def draw_digit(self, canvas: Canvas, context: Context) -> None:
        """Three maps and a row of known digits."""
        inspector, names = context.inspector, context.classes
        assert context.probabilities is not None
        label, second = np.argsort(-context.probabilities, kind="stable")[:2].tolist()
        other = second if self.other in (None, label) else self.other
        used = canvas.text(0, 12, f"Read as {names[label]}. What would make it", theme.TEXT)
        chips(canvas, used + 8, names, other, "other")
        key = ("why", context.moment, label, other)
        why = context.ask(key, inspector.why, context.image, label, other)
        width, height = canvas.width, canvas.height - CHIPS
        column = max(LIKE * width, 96.0)
        if why is not None:
            area = (0.0, CHIPS, width - column - theme.PADDING, height)
            _draw_maps(canvas.part(area), why, names[label], names[other])
        like = context.ask(("like", context.moment), inspector.neighbors, context.image)
        if like is not None:
            _draw_likeness(canvas.part((width - column, CHIPS, column, height)), like)

    def act(self, action: Sequence[Any], context: Context) -> None:
        """Choose the class to compare with."""
        match action:
            case ["other", int(index)]:
                self.other = index % (len(context.classes) or 1)


def _draw_maps(canvas: Canvas, maps: Sequence[np.ndarray], label: str, other: str) -> None:
    pixels, *maps = maps
    titles = (
        (f"{label} loses when covered", "occlusion"),
        (f"ink that speaks for {label}", "x · gradient"),
        (f"changes toward {other}", "gradients"),
    )
    width = (canvas.width - 2 * theme.GAP) / 3
    side = min(width, canvas.height - CAPTIONS)
    for index, ((title, name), values) in enumerate(zip(titles, maps, strict=True)):
        x = index * (width + theme.GAP)
        canvas.lines((x, 0, width, HEADING), title, theme.TEXT, leading=1.2)
        overlaid(canvas, (x, HEADING, side, side), values, pixels)
        function(canvas.part((x, HEADING + side, width, 24)), 0, 14, name)
    canvas.lines((0, HEADING + side + 26, canvas.width, 60), ADVICE, leading=1.2)


def _draw_likeness(canvas: Canvas, like: "Neighbors") -> None:
    canvas.lines((0, 0, canvas.width, HEADING), "nearest digits", theme.TEXT, leading=1.2)
    side = min((canvas.height - HEADING - 20) / len(like) - 6, canvas.width - 66, 110.0)
    for index, (image, name, distance) in enumerate(like):
        y = HEADING + index * (side + 6)
        inked(canvas, (0, y, side, side), image / 255)
        canvas.text(side + 8, y + side / 2, name, theme.BLUE, theme.LARGE, bold=True)
        words = f"{distance:.1f}"
        canvas.text(canvas.width, y + side / 2 + 2, words, theme.QUIET, 15, anchor="right")
    function(canvas, 0, canvas.height - 8, "NearestNeighbors.nearest")
