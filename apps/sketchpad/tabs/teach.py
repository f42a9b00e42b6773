"""The user's corrections, and how much a copy of the network learned from them."""

from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.tabs.parts import ARROW, Tab, function

if TYPE_CHECKING:
    from apps.sketchpad.teacher import Teacher
    from tinycnn.adapt import Adaptation, Change

SIDE = 56.0  # of a corrected digit
LEAST = 5  # digits to learn from
TOP = 112.0  # height of the corrections
INVITATION = (
    "Is a digit misread? Click its tag and say what it is. What you say stays on this machine "
    "with the strokes. From the fifth digit on, a copy of the network can learn from them."
)
ENOUGH = "A copy of the network can learn from them: press the button."


class TeachTab(Tab):
    """Corrections, adapting, and the outcome."""

    title = "Teach"
    purpose = "your corrections, and learning from them"

    def draw(self, canvas: Canvas, context: Context) -> None:
        """The latest corrections, and under them the outcome of teacher."""
        teacher = context.teacher
        count = len(teacher.corrections)
        title = f"{count} labeled digit{'' if count == 1 else 's'}"
        canvas.text(0, 13, title, theme.TEXT, bold=True)
        adapt = ("learn from them", ("adapt",), "a copy of the network learns (A)", False)
        export = ("export", ("export",), "as a data set and as strokes", False)
        canvas.buttons(canvas.width - 224, 0, adapt, export)
        shown = context.ask(("corrected", count, id(teacher.corrections)), images_of, teacher)
        for place, (image, words) in enumerate(shown or []):
            x = place * (SIDE + 10)
            if x + SIDE > canvas.width:
                break
            canvas.picture((x, 38, SIDE, SIDE), image)
            canvas.text(x + SIDE / 2, 38 + SIDE + 11, words, theme.TEXT, 15, anchor="center")
        if teacher.fault:
            canvas.lines((0, TOP + 2, canvas.width, 40), teacher.fault, theme.ORANGE)
        area = (0.0, TOP + 4, canvas.width, canvas.height - TOP - 4)
        outcome = canvas.part(area)
        outcome.line([(0, 0), (canvas.width, 0)], theme.EDGE)
        if teacher.busy:
            outcome.text(0, 24, "learning ...", theme.BLUE)
        elif teacher.result is None:
            more = f"{LEAST - count} more, and a copy of the network can learn from them."
            words = INVITATION if count == 0 else more if count < LEAST else ENOUGH
            outcome.lines((0, 10, canvas.width, 80), words)
        else:
            _draw_result(outcome, teacher.result)


def images_of(teacher: "Teacher") -> list[tuple[np.ndarray, str]]:
    """The latest corrections, newest first: image (28,28) and what it is, was read as."""
    newest = teacher.corrections[::-1][:16]
    return [
        (c.image(), c.label if c.answer in (None, c.label) else f"{c.answer} {ARROW} {c.label}")
        for c in newest
    ]


def _draw_result(canvas: Canvas, result: "Adaptation") -> None:
    ended = "" if result.in_time else " (time was up)"
    title = f"Learned {result.rounds} rounds{ended}; the copy reads now."
    if not result.rounds:
        title = "Nothing that helps was learned: the network stays as it is."
    canvas.text(0, 13, title, theme.TEXT, theme.SMALLEST)
    seen = result.digits_known or 0.0
    known = f" (the base knew {100 * seen:.0f} %)" * (seen > 0)
    step = min((canvas.height - 56) / 2, 46.0)
    words = "your digits read right, by copies that had not seen them"
    _draw_change(canvas, 24, words, result.drawings)
    _draw_change(canvas, 24 + step, f"bundled test digits read right{known}", result.digits)
    y = 25 + 2 * step
    keep = ("keep", ("keep",), "write its weights to a file, which Open reads (K)", False)
    discard = ("discard", ("discard",), "back to the network as it was loaded (Ctrl+A)", False)
    canvas.buttons(0, y, *[keep] * (result.rounds > 0), discard)
    function(canvas, canvas.width, y + 15, "adapt.adapt", anchor="right")


def _draw_change(canvas: Canvas, y: float, words: str, change: "Change") -> None:
    canvas.text(0, y + 9, words, theme.QUIET, theme.SMALLEST)
    counts = f"{change.right_before:,} {ARROW} {change.right_after:,} of {change.n:,}"
    used = canvas.text(0, y + 30, counts, theme.TEXT, bold=True)
    color = {"better": theme.BLUE, "worse": theme.ORANGE}.get(change.verdict, theme.QUIET)
    details = f"{change.only_second} mended, {change.only_first} spoiled: {change.verdict}"
    canvas.text(used + 16, y + 30, details, color, theme.SMALLEST)
