"""Watch it learn: a new network trains on the bundled digits while one looks."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.commands import FASTEST, SLOWEST
from apps.sketchpad.context import Context
from apps.sketchpad.document import Place
from apps.sketchpad.keys import Key
from apps.sketchpad.layout import Area
from apps.sketchpad.tabs.mosaic import Mosaic
from apps.sketchpad.tabs.parts import Tab, function, inked, largest

if TYPE_CHECKING:
    from tinycnn.train.lesson import Report

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
        run = "pause" if course.running else "start"
        x = canvas.buttons(
            0,
            0,
            (run, ("course", "run"), "start or pause (,)", course.running),
            ("step", ("course", "step"), "one step of training (.)", False),
            ("restart", ("course", "restart"), "a network that knows nothing", False),
            ("read with it", ("course", "live"), "read drawings with it (L)", course.live),
        )
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
        _draw_curves(canvas.part((0, top, wide, height)), course.losses, course.accuracies)
        right = (wide + 2 * theme.GAP, top, canvas.width - wide - 2 * theme.GAP, height)
        _draw_examples(canvas.part(right), report)
        function(canvas, canvas.width, canvas.height - 8, "nn.fit.train_step", anchor="right")


def _draw_curves(
    canvas: Canvas, losses: Sequence[float], accuracies: Sequence[tuple[int, float]]
) -> None:
    steps, half = max(len(losses), 2), canvas.height / 2
    smooth, mean = [], losses[0]
    for loss in losses:
        mean = SMOOTH * mean + (1 - SMOOTH) * loss
        smooth.append(mean)
    most = max(smooth)
    points = [(k / steps, loss / most) for k, loss in enumerate(smooth)]
    words = f"error (loss) {smooth[-1]:.3f} after {len(losses):,} steps"
    _draw_curve(canvas, (0, 0, canvas.width, half - 6), points, words, theme.ORANGE)
    points = [(k / steps, accuracy) for k, accuracy in accuracies]
    words = f"right on digits it never saw: {100 * accuracies[-1][1]:.1f} %"
    _draw_curve(canvas, (0, half + 2, canvas.width, half - 6), points, words, theme.BLUE)


def _draw_curve(
    canvas: Canvas, area: Area, points: Sequence[Place], words: str, color: theme.Color
) -> None:
    """A line through points whose x and y are parts of the area, and what it is."""
    x, y, width, height = area
    canvas.fill(area, theme.SUNK, 6)
    inner, room = y + 26, height - 32
    thin = points[:: max(len(points) // 400, 1)]
    places = [(x + 4 + (width - 8) * a, inner + room * (1 - min(b, 1.0))) for a, b in thin]
    if len(places) > 1:
        canvas.line(places, color, 2)
    canvas.text(x + 8, y + 13, words, color, theme.SMALLEST, bold=True)


def _draw_examples(canvas: Canvas, report: "Report") -> None:
    """The filters of the first convolution, and digits that are still misread."""
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
