"""The backward pass: gradients from p - truth to the input, and single steps of training."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.keys import Key
from apps.sketchpad.phrases import percent
from apps.sketchpad.tabs.mosaic import Mosaic, as_maps
from apps.sketchpad.tabs.parts import (
    ARROW,
    LIST,
    MINUS,
    SIGMA,
    Tab,
    bar,
    chips,
    draw_names,
    function,
    largest,
    legend,
    number,
)

if TYPE_CHECKING:
    from tinycnn.interpret import BackwardPass

SLOWEST, FASTEST = 0.0001, 0.3  # learning rates of the slider
MOST_STEPS = 99
TOP = 36.0  # height of the row of labels
BOTTOM = 40.0  # of the row of steps
LEAST_ROW = 17.0  # height of a class
FUNCTIONS = {
    "Conv2D": f"reference.conv2d_backward_params:  dw = {SIGMA} dy · x",
    "Dense": "reference.dense_backward_params:  dw = x · dy",
    "BatchNorm": f"BatchNorm.backward:  dw = {SIGMA} dy · z",
}


class BackwardTab(Tab):
    """Gradients of everything, and steps that can be taken back."""

    title = "Backward"
    purpose = "gradients flow back; a step of learning"
    shows = "how a network would learn from it"
    keys = (
        Key("up", ("tab", "layer", -1), "nearer to the loss"),
        Key("down", ("tab", "layer", 1), "further back"),
        Key(".", ("tab", "step"), "one step of learning, on a copy"),
        Key(",", ("tab", "back"), "take the step back"),
    )

    def __init__(self) -> None:
        self.label: int | None = None
        self.row = 0
        self.rate = 0.01
        self.rates: tuple[float, ...] = ()
        self._of: Any = None

    def draw_digit(self, canvas: Canvas, context: Context) -> None:
        """Labels above, a layer's gradients in the middle, steps below."""
        names, label = context.classes, self._label(context)
        used = canvas.text(0, 13, "The truth is", theme.TEXT)
        chips(canvas, used + 8, names, label, "truth")
        rates = self._rates_for(context, label)
        key = ("trained", context.moment, label, rates)
        trained = context.ask(key, context.inspector.train, context.image, label, rates)
        if trained is None:
            return
        back, before = trained
        layers = [repr(layer) for layer in context.inspector.tracer.layers]
        rows = [f"p {MINUS} truth", *reversed(layers), "input"]
        self.row = min(self.row, len(rows) - 1)
        middle = canvas.part((0, TOP, canvas.width, canvas.height - TOP - BOTTOM))
        draw_names(middle, rows, self.row)
        left = LIST + theme.GAP
        part = middle.part((left, 0, canvas.width - left, middle.height - 8))
        if self.row == 0:
            _draw_start(part, back, names, label)
        elif self.row > len(layers):
            _draw_input(part, back, context.inspector.tracer.image_shape)
        else:
            index = len(layers) - self.row
            _draw_layer(part, back, index, layers[index].split("(")[0])
        bottom = (0, canvas.height - BOTTOM + 4, canvas.width, BOTTOM - 4)
        p = float(before[label]), float(back.p[label])
        self._draw_steps(canvas.part(bottom), names[label], *p)

    def act(self, action: Sequence[Any], context: Context) -> None:
        """Choose a label, a layer or a rate; take a step, or take it back."""
        match action:
            case ["truth", int(index)]:
                self.label = index
            case ["layer", int(step)]:
                self.row = max(self.row + step, 0)
            case ["choose", int(row)]:
                self.row = max(row, 0)
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

    def _draw_steps(self, canvas: Canvas, name: str, before: float, now: float) -> None:
        """Rate, step, back, and the change of the probability."""
        canvas.line([(0, 0), (canvas.width, 0)], theme.EDGE)
        part = math.log(self.rate / SLOWEST) / math.log(FASTEST / SLOWEST)
        canvas.text(0, 22, f"rate {self.rate:.2g}", theme.QUIET, theme.SMALLEST)
        canvas.slider((104, 10, 76, 24), part, ("tab", "rate"), "length of a step")
        hint = "one step of SGD on a copy of the network (.)"
        canvas.button((184, 7, 58, 29), "step", ("tab", "step"), hint)
        taken = len(self.rates)
        canvas.button((248, 7, 58, 29), "back", ("tab", "back"), "undo (,)", possible=taken > 0)
        was, here = (percent(p) if p >= 0.001 else f"{p:.1e}" for p in (before, now))
        words = f"p({name}) = {was}" + f" {ARROW} {here} after {taken}" * (taken > 0)
        canvas.text(320, 22, words, theme.BLUE if now >= before else theme.ORANGE)


def _draw_start(canvas: Canvas, back: "BackwardPass", names: Sequence[str], label: int) -> None:
    """P, truth and their difference, a row for each class; the largest if there are too many."""
    function(canvas, 0, 9, f"softmax_cross_entropy_backward:  dlogits = p {MINUS} truth")
    rows = min(max(int((canvas.height - 46) / LEAST_ROW), 1), 10)
    order = np.sort(np.argsort(-np.abs(back.dlogits), kind="stable")[:rows]).tolist()
    row = min((canvas.height - 46) / len(order), 30.0)
    for place, k in enumerate(order):
        y = 22 + (place + 0.5) * row
        gap = float(back.dlogits[k])
        true = k == label
        canvas.text(0, y, names[k], theme.BLUE if true else theme.TEXT, 15, bold=true)
        words = f"{float(back.p[k]):.4f} {MINUS} {int(true)}"
        canvas.text(130, y, words, theme.TEXT, 15, anchor="right")
        bar(canvas, canvas.width * 0.6, y, canvas.width * 0.27 * gap, 10)
        canvas.text(canvas.width, y, number(round(gap, 4)), theme.TEXT, 15, anchor="right")
    words = f"loss = {MINUS}log p({names[label]}) = {back.loss:.4f}"
    canvas.text(0, 22 + len(order) * row + 12, words, theme.TEXT, 15, bold=True)


def _draw_layer(canvas: Canvas, back: "BackwardPass", index: int, kind: str) -> None:
    """The gradient of a layer's output, and those of its parameters."""
    dy = as_maps(back.doutputs[index])
    most, dparams = largest(dy), back.dparams[index]
    canvas.text(0, 9, "dy, of its output", theme.TEXT, theme.SMALLEST)
    legend(canvas, canvas.width, 9, most)
    room = canvas.height - 22 if "w" not in dparams else (canvas.height - 64) / 2
    Mosaic.fitted((0, 22, canvas.width, room), dy.shape, 60).draw(canvas, dy, most)
    if "w" not in dparams:
        return
    top, w = 22 + room + 14, dparams["w"]
    maps = w.sum(axis=3).transpose(1, 2, 0) if w.ndim == 4 else w[..., None] if w.ndim == 2 else w
    canvas.text(0, top, "dw", theme.TEXT, theme.SMALLEST)
    function(canvas, 28, top, FUNCTIONS.get(kind, ""))
    maps, most = as_maps(maps), largest(maps)
    if w.ndim == 2:  # one picture of all weights, wider than tall
        maps = maps if maps.shape[0] < maps.shape[1] else maps.transpose(1, 0, 2)
        canvas.signed((0, top + 14, canvas.width, room), maps[..., 0], most)
    else:
        Mosaic.fitted((0, top + 14, canvas.width, room), maps.shape, 60).draw(canvas, maps, most)


def _draw_input(canvas: Canvas, back: "BackwardPass", shape: tuple[int, ...]) -> None:
    """The gradient of the loss with respect to the input."""
    dx = back.dx.reshape(*shape[:2], -1).sum(axis=2)
    function(canvas, 0, 9, "SGDStepper.backward_pass().dx")
    legend(canvas, canvas.width, 9, largest(dx))
    side = min(canvas.height - 24, canvas.width)
    canvas.signed((0, 24, side, side), dx, largest(dx))
    words = "blue: ink here makes the loss larger; orange: ink here makes it smaller"
    canvas.lines((side + 16, 28, canvas.width - side - 16, 90), words, theme.TEXT)
