"""The last layer, number by number: logits, temperature, exponentials, probabilities."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.phrases import percent
from apps.sketchpad.tabs.parts import MINUS, SIGMA, Tab, bar, function, largest, number

if TYPE_CHECKING:
    from tinycnn.interpret import SoftmaxSteps

HEAD = 46.0
MOST_ROWS = 10  # classes, the likeliest
COLUMNS = (0.07, 0.28, 0.60, 0.79, 0.99)  # right edges, as parts of the width


class SoftmaxTab(Tab):
    """How logits become probabilities."""

    title = "Softmax"
    purpose = "the last layer, number by number"
    shows = "how the probabilities come about"

    def draw_digit(self, canvas: Canvas, context: Context) -> None:
        """A row for each class; the likeliest if there are too many."""
        from tinycnn.interpret import softmax_steps

        trace, engine = context.trace(), context.engine
        if trace is not None and engine is not None:
            temperature = engine.recognizer.temperature
            steps = softmax_steps(trace.logits.astype(np.float64), temperature)
            _draw_table(canvas, steps, engine.classes, temperature)


def _draw_table(
    canvas: Canvas, steps: "SoftmaxSteps", names: Sequence[str], temperature: float
) -> None:
    scaled = f"({MINUS} largest) / {temperature:.2f}"
    for right, word in zip(COLUMNS, ("class", "logit", scaled, "exp", "p"), strict=True):
        x = max(right * canvas.width, canvas.text_width(word, theme.SMALLEST))
        canvas.text(x, 12, word, theme.QUIET, theme.SMALLEST, anchor="right")
    canvas.line([(0, 26), (canvas.width, 26)], theme.EDGE)
    count = min(len(steps.p), MOST_ROWS)
    row = min((canvas.height - HEAD - 20) / count, 44.0)
    for place, k in enumerate(np.sort(np.argsort(-steps.p, kind="stable")[:count]).tolist()):
        y, best = 30 + (place + 0.5) * row, k == int(steps.p.argmax())
        logit, scaled_k = number(steps.logits[k]), number(steps.scaled[k])
        texts = (names[k], logit, scaled_k, f"{steps.exponentials[k]:.5f}", percent(steps.p[k]))
        for right, text in zip(COLUMNS, texts, strict=True):
            color = theme.BLUE if best else theme.TEXT
            canvas.text(right * canvas.width, y, text, color, theme.SMALLEST, best, "right")
        length = 0.045 * canvas.width * float(steps.logits[k]) / largest(steps.logits)
        bar(canvas, 0.125 * canvas.width, y, length, row * 0.56)
    y = 30 + count * row + 16
    canvas.line([(0, y - 14), (canvas.width, y - 14)], theme.EDGE)
    total = f"{SIGMA} exp = {steps.total:.4f}"
    canvas.text(COLUMNS[3] * canvas.width, y, total, theme.TEXT, 15, anchor="right")
    function(canvas, 0, y, "interpret.softmax_steps")
