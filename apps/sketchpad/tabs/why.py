"""Why this answer: what speaks for it, what would change it, and which known digits are like it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Command, Look
from apps.sketchpad.inspector import Likeness
from apps.sketchpad.inspector import Why as Reasons
from apps.sketchpad.tabs.parts import chips, function, inked, is_ready, largest, overlaid

CHIPS = 34.0  # height of the row of classes
LIKE = 0.2  # width of the nearest digits, as a part
HEADING = 40.0  # over a map: two lines
CAPTIONS = 146.0  # over and under a map
ADVICE = (
    "Blue speaks for it, orange against it. Covering tells what would happen, a gradient only "
    "which way it begins; trust them where they agree."
)


class Why:
    """Occlusion, gradients and neighbors."""

    title = "Why"
    purpose = "what speaks for it, and against it"
    keys: Mapping[str, tuple[Command, str]] = {
        "left": (("tab", "turn", -1), "another class to compare with"),
        "right": (("tab", "turn", 1), "the next class to compare with"),
    }

    def __init__(self) -> None:
        self.other: int | None = None

    def draw(self, canvas: Canvas, look: Look) -> None:
        """Three maps and a row of known digits."""
        if not is_ready(canvas, look, "why it is read so"):
            return
        assert look.engine is not None
        assert look.image is not None
        inspector, names = look.engine.inspector, look.engine.classes
        trace = look.ask(("trace", look.moment), inspector.trace, look.image)
        if trace is None:
            return
        label, other = self._pair(trace.p)
        used = canvas.text(0, 12, f"Read as {names[label]}. What would make it", theme.TEXT)
        chips(canvas, (used + 8, 0), names, other, "other")
        key = ("why", look.moment, label, other)
        why = look.ask(key, inspector.why, look.image, label, other)
        width, height = canvas.width, canvas.height - CHIPS
        column = max(LIKE * width, 96.0)
        if why is not None:
            area = (0.0, CHIPS, width - column - theme.PADDING, height)
            _draw_maps(canvas.part(area), why, names)
        like = look.ask(("like", look.moment), inspector.neighbors, look.image)
        if like is not None:
            _draw_likeness(canvas.part((width - column, CHIPS, column, height)), like)

    def act(self, words: Sequence[Any], look: Look) -> None:
        """Choose the class to compare with."""
        count = len(look.engine.classes) if look.engine else 1
        match words:
            case ["other", int(index)]:
                self.other = index % count
            case ["turn", int(step)]:
                self.other = ((-1 if self.other is None else self.other) + step) % count

    def _pair(self, p: np.ndarray) -> tuple[int, int]:
        """The answer, and the class to compare it with: the chosen one, or the next best."""
        best, second = np.argsort(-p, kind="stable")[:2].tolist()
        other = second if self.other is None else self.other
        return best, second if other == best else other


def _draw_maps(canvas: Canvas, why: Reasons, names: Sequence[str]) -> None:
    label, other = names[why.label], names[why.rather_than]
    columns = (
        (f"{label} loses when covered", why.occlusion, "occlusion"),
        (f"ink that speaks for {label}", why.contribution, "x · gradient"),
        (f"changes toward {other}", why.contrast, "gradients"),
    )
    width = (canvas.width - 2 * theme.GAP) / 3
    side = min(width, canvas.height - CAPTIONS)
    for index, (title, values, name) in enumerate(columns):
        x = index * (width + theme.GAP)
        canvas.lines((x, 0, width, HEADING), title, theme.TEXT, leading=1.2)
        overlaid(canvas, (x, HEADING, side, side), values, why.image)
        most = f"±{largest(values):.2g}"
        canvas.lines((x, HEADING + side + 4, width, 40), f"{name} {most}", theme.FUNCTION)
    canvas.lines((0, HEADING + side + 46, canvas.width, 60), ADVICE, leading=1.2)


def _draw_likeness(canvas: Canvas, like: Sequence[Likeness]) -> None:
    """Known digits, nearest first."""
    canvas.lines((0, 0, canvas.width, HEADING), "nearest digits", theme.TEXT, leading=1.2)
    side = min((canvas.height - HEADING - 20) / len(like) - 6, canvas.width - 66, 110.0)
    for index, one in enumerate(like):
        y = HEADING + index * (side + 6)
        inked(canvas, (0, y, side, side), one.image / 255)
        canvas.text(side + 8, y + side / 2, one.name, theme.BLUE, theme.LARGE, bold=True)
        distance = f"{one.distance:.1f}"
        canvas.text(canvas.width, y + side / 2 + 2, distance, theme.QUIET, 15, anchor="right")
    function(canvas, 0, canvas.height - 8, "Gallery.nearest")
