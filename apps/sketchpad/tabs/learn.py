"""Watch it learn: a new network trains on the bundled digits while one looks."""

import math
from typing import TYPE_CHECKING

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.commands import FASTEST, SLOWEST
from apps.sketchpad.context import Context
from apps.sketchpad.keys import Key
from apps.sketchpad.tabs.mosaic import Mosaic
from apps.sketchpad.tabs.parts import Tab, function, inked, largest

if TYPE_CHECKING:
    from apps.sketchpad.course import Course
    from tinycnn.train.watched import Report

BUTTONS = 38.0  # height of the row of buttons
INVITATION = (
    "Press start: a network that knows nothing trains on the 8,000 bundled digits, by the same "
    "steps as the command. Draw while it learns: with \u201cread with it\u201d on, it reads you."
)
SMOOTH = 0.9  # of the line of losses


class LearnTab(Tab):
    """Loss, accuracy, filters and mistakes of a network that learns."""

    title = "Learn"
    purpose = "watch a new network learn to read"
    keys = (
        Key(".", ("course", "step"), "one step of training"),
        Key(",", ("course", "run"), "start or pause"),
        Key("l", ("course", "live"), "read drawings with it, or not"),
    )

    def draw(self, canvas: Canvas, context: Context) -> None:
        """Buttons, curves, filters and mistakes."""
        course, report = context.course, context.course.report
        name = "pause" if course.running else "start"
        run = (name, ("course", "run"), "start or pause (,)", course.running)
        step = ("step", ("course", "step"), "one step of training (.)", False)
        restart = ("restart", ("course", "restart"), "a network that knows nothing", False)
        read = ("read with it", ("course", "live"), "read drawings with it (L)", course.live)
        x = canvas.buttons(0, 0, run, step, restart, read)
        room = canvas.width - x
        if room > 150:
            canvas.text(x + 4, 15, f"rate {course.rate:.2g}", theme.QUIET, theme.SMALLEST)
            part = math.log(course.rate / SLOWEST) / math.log(FASTEST / SLOWEST)
            area = (x + 84, 3.0, min(room - 90, 140), 24.0)
            canvas.slider(area, part, ("course", "rate"), "learning rate")
        if report is None:
            words = "Getting ready ..." if course.running else INVITATION
            canvas.lines((0, BUTTONS + 6, canvas.width, 90), words, theme.TEXT)
            return
        top, height = BUTTONS, canvas.height - BUTTONS
        wide = canvas.width * 0.56 - theme.GAP
        _draw_curves(canvas.part((0, top, wide, height)), course)
        right = (wide + 2 * theme.GAP, top, canvas.width - wide - 2 * theme.GAP, height)
        _draw_examples(canvas.part(right), report)
        function(canvas, canvas.width, canvas.height - 8, "nn.fit.train_step", anchor="right")


def _draw_curves(canvas: Canvas, course: "Course") -> None:
    """The loss of every step, and the accuracy on digits that are not learned from."""
    losses, half = course.losses, canvas.height / 2
    steps, mean, smooth = max(len(losses), 2), losses[0], []
    for loss in losses:
        mean = SMOOTH * mean + (1 - SMOOTH) * loss
        smooth.append(mean)
    error = [(k / steps, loss / max(smooth)) for k, loss in enumerate(smooth)]
    right = [(k / steps, accuracy) for k, accuracy in course.accuracies]
    words = f"error {smooth[-1]:.3f}, step {len(losses):,}"
    known = f"new digits right: {100 * right[-1][1]:.1f} %"
    curves = ((0.0, error, words, theme.ORANGE), (half + 2, right, known, theme.BLUE))
    for top, points, title, color in curves:
        canvas.fill((0, top, canvas.width, half - 6), theme.SUNK, 6)
        canvas.text(8, top + 13, title, color, theme.SMALLEST, bold=True)
        thin, width, height = points[:: len(points) // 400 + 1], canvas.width - 8, half - 38
        line = [(4 + width * a, top + 26 + height * (1 - min(b, 1.0))) for a, b in thin]
        if len(line) > 1:
            canvas.line(line, color, 2)


def _draw_examples(canvas: Canvas, report: "Report") -> None:
    y, arrays = 12.0, report.model.arrays().values()
    for w in [z for z in arrays if z.ndim == 4][:1]:
        filters = w[..., 0].transpose(1, 2, 0)
        canvas.text(0, y, "its filters", theme.QUIET, theme.SMALLEST)
        mosaic = Mosaic.fitted((0, y + 12, canvas.width, 0.36 * canvas.height), filters.shape, 40)
        mosaic.draw(canvas, filters, largest(filters))
        y += 30 + mosaic.area[3]
    words = "still misread" if report.mistakes else "nothing misread of the digits it is tested on"
    canvas.text(0, y, words, theme.QUIET, theme.SMALLEST)
    y, side = y + 14, 44.0
    columns = max(int(canvas.width // 70), 1)
    rows = int((canvas.height - y) // (side + 22))
    for place, (image, read, truth) in enumerate(report.mistakes[: columns * max(rows, 0)]):
        left, top = (place % columns) * 70.0, y + (place // columns) * (side + 22)
        inked(canvas, (left, top, side, side), image / 255)
        canvas.text(left, top + side + 10, f"{read}, is {truth}", theme.TEXT, theme.SMALLEST)
