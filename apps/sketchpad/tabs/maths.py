"""The last layer, number by number: logits, temperature, exponentials, probabilities."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Command, Look
from apps.sketchpad.phrases import percent
from apps.sketchpad.tabs.parts import function, is_ready, largest, number

if TYPE_CHECKING:
    from tinycnn.interpret import SoftmaxSteps

HEAD = 46.0
MOST_ROWS = 10  # classes, the likeliest
COLUMNS = (0.07, 0.28, 0.60, 0.79, 0.99)  # right edges, as parts of the width


class Maths:
    """How logits become probabilities."""

    title = "Maths"
    purpose = "the last layer, number by number"
    keys: Mapping[str, tuple[Command, str]] = {}

    def draw(self, canvas: Canvas, look: Look) -> None:
        """A row for each class; the likeliest if there are too many."""
        from tinycnn.interpret import softmax_steps

        if not is_ready(canvas, look, "how the probabilities come about"):
            return
        assert look.engine is not None
        assert look.image is not None
        engine = look.engine
        trace = look.ask(("trace", look.moment), engine.inspector.trace, look.image)
        if trace is None:
            return
        temperature = engine.recognizer.temperature
        steps = softmax_steps(trace.logits.astype(np.float64), temperature)
        _draw_table(canvas, steps, engine.classes, temperature)

    def act(self, words: Sequence[Any], look: Look) -> None:
        """There is nothing to be done here."""


def _draw_table(
    canvas: Canvas, steps: "SoftmaxSteps", names: Sequence[str], temperature: float
) -> None:
    sigma, minus = "\N{GREEK CAPITAL LETTER SIGMA}", "\N{MINUS SIGN}"
    scaled = f"({minus} largest) / {temperature:.2f}"
    for right, word in zip(COLUMNS, ("class", "logit", scaled, "exp", "p"), strict=True):
        x = max(right * canvas.width, canvas.text_width(word, theme.SMALLEST))
        canvas.text(x, 12, word, theme.QUIET, theme.SMALLEST, anchor="right")
    canvas.line([(0, 26), (canvas.width, 26)], theme.EDGE)
    count = min(len(steps.p), MOST_ROWS)
    row = min((canvas.height - HEAD - 20) / count, 44.0)
    for place, k in enumerate(np.sort(np.argsort(-steps.p, kind="stable")[:count]).tolist()):
        columns = (steps.logits, steps.scaled, steps.exponentials, steps.p)
        y = 30 + (place + 0.5) * row
        best = k == int(steps.p.argmax())
        _draw_row(canvas, y, names[k], [float(column[k]) for column in columns], best)
        _draw_logit(canvas, y, row, float(steps.logits[k]), largest(steps.logits))
    y = 30 + count * row + 16
    canvas.line([(0, y - 14), (canvas.width, y - 14)], theme.EDGE)
    total = f"{sigma} exp = {steps.total:.4f}"
    canvas.text(COLUMNS[3] * canvas.width, y, total, theme.TEXT, 15, anchor="right")
    function(canvas, 0, y, "inside.softmax_steps")


def _draw_row(canvas: Canvas, y: float, name: str, values: Sequence[float], best: bool) -> None:
    logit, scaled, exponential, p = values
    texts = (name, number(logit), number(scaled), f"{exponential:.5f}", percent(p))
    for right, text in zip(COLUMNS, texts, strict=True):
        color = theme.BLUE if best else theme.TEXT
        canvas.text(right * canvas.width, y, text, color, theme.SMALLEST, best, "right")


def _draw_logit(canvas: Canvas, y: float, row: float, logit: float, most: float) -> None:
    """A bar beside the logit, to the left below 0 and to the right above."""
    middle, half = 0.125 * canvas.width, 0.045 * canvas.width
    length = half * logit / most
    color = theme.BLUE if logit >= 0 else theme.ORANGE
    left = min(middle, middle + length)
    canvas.fill((left, y - row * 0.28, max(abs(length), 1), row * 0.56), color)
