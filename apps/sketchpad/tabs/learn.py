"""Watch it learn: a new network trains on the bundled digits while one looks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.document import Place
from apps.sketchpad.tabs.mosaic import Mosaic
from apps.sketchpad.tabs.parts import MINUS, Tab, function, inked, largest

if TYPE_CHECKING:
    from apps.sketchpad.course import Course
    from apps.sketchpad.engine import Engine
    from tinycnn.nn import Sequential
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

    def draw(self, canvas: Canvas, context: Context) -> None:
        """Buttons, curves, filters and mistakes."""
        course, report = context.course, context.course.report
        name = "pause" if course.running else "start"
        run = (name, ("course", "run"), "start or pause", course.running)
        step = ("step", ("course", "step"), "one step of training", False)
        restart = ("restart", ("course", "restart"), "a network that knows nothing", False)
        read = ("read with it", ("course", "live"), "read drawings with it", course.live)
        x = canvas.buttons(0, 0, run, step, restart, read)
        slower = (MINUS, ("course", "rate", 0.5), "halve the learning rate", False)
        faster = ("+", ("course", "rate", 2.0), "double the learning rate", False)
        if canvas.width - x > 170:
            canvas.text(x + 4, 15, f"rate {course.rate:.2g}", theme.QUIET, theme.SMALLEST)
            canvas.buttons(x + 92, 0, slower, faster)
        top = canvas.part((0, BUTTONS, canvas.width, canvas.height - BUTTONS))
        if report is not None:
            _draw_course(top, course, report)
        elif course.epochs and context.engine and not course.running:
            _draw_run(top, context.engine, course.epochs)
        else:
            words = "Getting ready ..." if course.running else INVITATION
            canvas.lines((0, BUTTONS + 6, canvas.width, 90), words, theme.TEXT)


def _draw_course(canvas: Canvas, course: "Course", report: "Report") -> None:
    """The loss of every step, and the accuracy on digits that are not learned from."""
    mean, smooth, steps = course.losses[0], [], max(len(course.losses), 2)
    for loss in course.losses:
        mean = SMOOTH * mean + (1 - SMOOTH) * loss
        smooth.append(mean)
    error = f"error {smooth[-1]:.3f}, step {len(smooth):,}", list(enumerate(smooth))
    right = f"new digits right: {100 * course.accuracies[-1][1]:.1f} %", course.accuracies
    wide = _draw_curves(canvas, steps, error, right)
    part = canvas.part((wide, 0, canvas.width - wide, canvas.height))
    _draw_mistakes(part, report, _draw_filters(part, report.model))
    function(canvas, canvas.width, canvas.height - 8, "nn.fit.train_step", anchor="right")


def _draw_run(canvas: Canvas, engine: "Engine", epochs: list[tuple[float, float]]) -> None:
    """The epochs of the training whose weights read the drawings, as far as it has come."""
    losses, accuracies = zip(*epochs, strict=True)
    error = f"loss {losses[-1]:.3f}, epoch {len(losses)}", list(enumerate(losses))
    right = f"validation right: {100 * accuracies[-1]:.2f} %", list(enumerate(accuracies))
    wide = _draw_curves(canvas, max(len(epochs), 2), error, right)
    part = canvas.part((wide, 0, canvas.width - wide, canvas.height))
    y = _draw_filters(part, engine.model)
    name = engine.weights.parent.name
    part.lines((0, y, part.width, 80), f"The training {name}, followed while it goes on.")


def _draw_curves(canvas: Canvas, steps: int, *curves: tuple[str, Sequence[Place]]) -> float:
    """Titles and numbers at steps, the first ones of losses; returns where there is room again."""
    half, wide = canvas.height / 2, canvas.width * 0.56 - theme.GAP
    for place, (title, points) in enumerate(curves):
        top, most = place * (half + 2), 1.0 if place else max(y for _, y in points)
        color = (theme.ORANGE, theme.BLUE)[place]
        canvas.fill((0, top, wide, half - 6), theme.SUNK, 6)
        canvas.text(8, top + 13, title, color, theme.SMALLEST, bold=True)
        thin, width, height = points[:: len(points) // 400 + 1], wide - 8, half - 38
        line = [(4 + width * x / steps, top + 26 + height * (1 - y / most)) for x, y in thin]
        if len(line) > 1:
            canvas.line(line, color, 2)
    return wide + 2 * theme.GAP


def _draw_filters(canvas: Canvas, model: "Sequential") -> float:
    """The filters of the first convolution, if there is one; returns where they end."""
    arrays = [z for z in model.arrays().values() if z.ndim == 4]
    if not arrays:
        return 12.0
    filters = arrays[0][..., 0].transpose(1, 2, 0)
    canvas.text(0, 12, "its filters", theme.QUIET, theme.SMALLEST)
    mosaic = Mosaic.fitted((0, 24, canvas.width, 0.36 * canvas.height), filters.shape, 40)
    mosaic.draw(canvas, filters, largest(filters))
    return 42 + mosaic.area[3]


def _draw_mistakes(canvas: Canvas, report: "Report", y: float) -> None:
    words = "still misread" if report.mistakes else "nothing misread of the digits it is tested on"
    canvas.text(0, y, words, theme.QUIET, theme.SMALLEST)
    y, side = y + 14, 44.0
    columns = max(int(canvas.width // 70), 1)
    rows = int((canvas.height - y) // (side + 22))
    for place, (image, read, truth) in enumerate(report.mistakes[: columns * max(rows, 0)]):
        left, top = (place % columns) * 70.0, y + (place // columns) * (side + 22)
        inked(canvas, (left, top, side, side), image / 255)
        canvas.text(left, top + side + 10, f"{read}, is {truth}", theme.TEXT, theme.SMALLEST)
