"""The answer, number by number: scores, probabilities, the error; and single steps of learning."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.keys import Key
from apps.sketchpad.phrases import percent
from apps.sketchpad.tabs.parts import ARROW, MINUS, Tab, bar, chips, function, largest, number

if TYPE_CHECKING:
    from tinycnn.interpret import BackwardPass

SLOWEST, FASTEST = 0.0001, 0.3  # learning rates of the slider
MOST_STEPS = 99
MOST_ROWS = 10  # classes, the likeliest
TOP, BOTTOM = 34.0, 40.0  # height of the row of classes, and of the row of steps
COLUMNS = (0.07, 0.27, 0.45, 0.60, 0.78)  # right edges, as parts of the width
HEADS = ("class", "score", "exp", "share", f"share {MINUS} truth")


class AnswerTab(Tab):
    """How scores become shares, what is wrong about them, and steps that make it less so."""

    title = "Answer"
    purpose = "the last layer in numbers; a step of learning"
    shows = "how its answer comes about"
    keys = (
        Key(".", ("tab", "step"), "one step of learning, on a copy"),
        Key(",", ("tab", "back"), "take the step back"),
    )

    def __init__(self) -> None:
        self.label: int | None = None
        self.rate = 0.01
        self.rates: tuple[float, ...] = ()
        self._of: Any = None

    def draw_digit(self, canvas: Canvas, context: Context) -> None:
        """The truth above, a row for each class, steps below."""
        names, label = context.classes, self._label(context)
        used = canvas.text(0, 13, "Really it is")
        chips(canvas, used + 8, names, label, "truth")
        rates = self._rates_for(context, label)
        key = ("trained", context.moment, label, rates)
        trained = context.ask(key, context.inspector.train, context.image, label, rates)
        if trained is None:
            return
        back, before = trained
        height = canvas.height - TOP - BOTTOM
        _draw_table(canvas.part((0, TOP, canvas.width, height)), back, names, label)
        bottom = canvas.part((0, canvas.height - BOTTOM + 4, canvas.width, BOTTOM - 4))
        self._draw_steps(bottom, names[label], float(before[label]), back)

    def act(self, action: Sequence[Any], context: Context) -> None:
        """Choose a label or a rate; take a step, or take it back."""
        match action:
            case ["truth", int(index)]:
                self.label = index
            case ["rate", float(part) | int(part)]:
                self.rate = SLOWEST * (FASTEST / SLOWEST) ** min(max(part, 0.0), 1.0)
            case ["step"] if context.image is not None and len(self.rates) < MOST_STEPS:
                self.rates = (*self._rates_for(context, self._label(context)), self.rate)
            case ["back"]:
                self.rates = self.rates[:-1]

    def _label(self, context: Context) -> int:
        """The truth: as chosen here, as the user's label, or as it is read."""
        names = context.classes
        if self.label is not None:
            return min(self.label, len(names) - 1)
        said = context.label or (context.digit.name if context.digit else "")
        return names.index(said) if said in names else 0

    def _rates_for(self, context: Context, label: int) -> tuple[float, ...]:
        """The learning rates of the steps so far; none yet with another digit or label."""
        if self._of != (context.moment, label):
            self._of, self.rates = (context.moment, label), ()
        return self.rates

    def _draw_steps(self, canvas: Canvas, name: str, was: float, back: "BackwardPass") -> None:
        canvas.line([(0, 0), (canvas.width, 0)], theme.EDGE)
        part = math.log(self.rate / SLOWEST) / math.log(FASTEST / SLOWEST)
        canvas.text(0, 22, f"rate {self.rate:.2g}", theme.QUIET, theme.SMALLEST)
        canvas.slider((104, 10, 76, 24), part, ("tab", "rate"), "length of a step")
        step = (
            "step",
            ("tab", "step"),
            "one step of learning, on a copy (.)",
            False,
        )
        undo = ("back", ("tab", "back"), "take it back (,)", False)
        x, taken = canvas.buttons(188, 7, step, undo), len(self.rates)
        now = float(back.p[int(np.argmin(back.dlogits))])
        before, here = (percent(p) if p >= 0.001 else f"{p:.1e}" for p in (was, now))
        words = f"{name}: {before}" + f" {ARROW} {here} after {taken}" * (taken > 0)
        canvas.text(x + 6, 22, words, theme.BLUE if now >= was else theme.ORANGE)


def _draw_table(canvas: Canvas, back: "BackwardPass", names: Sequence[str], label: int) -> None:
    """A row for each class; of many, those that are most wrong."""
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
    canvas.text(0, y, words, size=theme.SMALLEST, bold=True)
    function(canvas, canvas.width, y, "reference.softmax_cross_entropy_backward", anchor="right")
