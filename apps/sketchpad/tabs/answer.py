"""The answer, number by number: scores, probabilities, the error; and a step of learning."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.phrases import percent
from apps.sketchpad.tabs.parts import MINUS, Tab, bar, chips, function, largest, number

if TYPE_CHECKING:
    from tinycnn.interpret import BackwardPass

RATE = 0.01  # of the step of learning
MOST_ROWS = 10  # classes, the likeliest
TOP, BOTTOM = 34.0, 32.0  # height of the row of classes, and of the step of learning
COLUMNS = (0.07, 0.27, 0.42, 0.57, 0.79)  # right edges, as parts of the width
HEADS = ("class", "score", "exp", "share", f"share {MINUS} truth")


class AnswerTab(Tab):
    """How scores become shares, what is wrong about them, and what a step of learning changes."""

    title = "Answer"
    purpose = "the last layer in numbers; a step of learning"
    shows = "how its answer comes about"

    def __init__(self) -> None:
        self.label: int | None = None

    def draw_digit(self, canvas: Canvas, context: Context) -> None:
        """The truth above, a row for each class, a step of learning below."""
        names, said = context.classes, context.label or (context.digit and context.digit.name)
        label = names.index(said) if said in names else 0
        label = label if self.label is None else min(self.label, len(names) - 1)
        used = canvas.text(0, 13, "Really it is")
        chips(canvas, used + 8, names, label, "truth")
        key = ("trained", context.moment, label)
        trained = context.ask(key, context.inspector.train, context.image, label, RATE)
        if trained is None:
            return
        back, after = trained
        height = canvas.height - TOP - BOTTOM
        _draw_table(canvas.part((0, TOP, canvas.width, height)), back, names, label)
        low = canvas.height - BOTTOM / 2
        canvas.line([(0, low - 12), (canvas.width, low - 12)], theme.EDGE)
        was, now = (percent(p) if p >= 0.001 else f"{p:.1e}" for p in (back.p[label], after[label]))
        words = f"One step of learning, and {names[label]} gets {now} instead of {was}."
        canvas.lines((0, low - 8, canvas.width, BOTTOM), words, theme.TEXT)

    def act(self, action: Sequence[Any], context: Context) -> None:
        """Choose the truth."""
        match action:
            case ["truth", int(index)]:
                self.label = index


def _draw_table(canvas: Canvas, back: "BackwardPass", names: Sequence[str], label: int) -> None:
    logits = back.trace.logits.astype(np.float64)
    exp = np.exp(logits - logits.max())
    count = min(max(int((canvas.height - 40) / 15), 1), MOST_ROWS, len(names))
    row = min((canvas.height - 42) / count, 34.0)
    size = min(theme.SMALLEST, row)
    for right, word in zip(COLUMNS, HEADS, strict=True):
        x = max(right * canvas.width, canvas.text_width(word, size))
        canvas.text(x, 9, word, theme.QUIET, size, anchor="right")
    for place, k in enumerate(np.sort(np.argsort(-np.abs(back.dlogits), kind="stable")[:count])):
        y, gap = 20 + (place + 0.5) * row, float(back.dlogits[k])
        color = theme.BLUE if k == label else theme.TEXT
        share = f"{back.p[k]:.4f}"
        texts = (names[k], number(logits[k]), f"{exp[k]:.4f}", share, number(round(gap, 4)))
        for right, text in zip(COLUMNS, texts, strict=True):
            canvas.text(right * canvas.width, y, text, color, size, k == label, "right")
        length = 0.045 * canvas.width * float(logits[k]) / largest(logits)
        bar(canvas, 0.125 * canvas.width, y, length, row * 0.5)
        bar(canvas, 0.89 * canvas.width, y, -0.1 * canvas.width * gap, row * 0.5)
    words = f"error (loss) = {MINUS}log {back.p[label]:.4f} = {back.loss:.4f}"
    y = 20 + count * row + 12
    used = canvas.text(0, y, words, size=theme.SMALLEST, bold=True) + theme.GAP
    rest = canvas.part((used, y - 12, canvas.width - used, 24))
    function(rest, rest.width, 12, "reference.softmax_cross_entropy_backward", anchor="right")
