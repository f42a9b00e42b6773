"""The way back: from p - truth through the gradients of every layer, and one step of learning."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Command, Look
from apps.sketchpad.inspector import Taught
from apps.sketchpad.phrases import percent
from apps.sketchpad.tabs.mosaic import Mosaic, as_maps
from apps.sketchpad.tabs.names import LIST, draw_names
from apps.sketchpad.tabs.parts import chips, function, is_ready, largest, legend, number

if TYPE_CHECKING:
    from tinycnn.interpret import BackwardPass

SLOWEST, FASTEST = 0.0001, 0.3  # learning rates of the slider
MOST_STEPS = 99
TOP = 36.0  # height of the row of labels
BOTTOM = 40.0  # of the row of steps
LEAST_ROW = 17.0  # height of a class
FUNCTIONS = {
    "Conv2D": "reference.conv2d_backward_params:  dw = \N{GREEK CAPITAL LETTER SIGMA} dy · x",
    "Dense": "reference.dense_backward_params:  dw = x · dy",
    "BatchNorm": "BatchNorm.backward:  dw = \N{GREEK CAPITAL LETTER SIGMA} dy · z",
}


class Backward:
    """Gradients of everything, and steps that can be taken back."""

    title = "Backward"
    purpose = "gradients flow back; a step of learning"
    keys: Mapping[str, tuple[Command, str]] = {
        "up": (("tab", "layer", -1), "nearer to the loss"),
        "down": (("tab", "layer", 1), "further back"),
        ".": (("tab", "step"), "one step of learning, on a copy"),
        ",": (("tab", "back"), "take the step back"),
    }

    def __init__(self) -> None:
        self.label: int | None = None
        self.row = 0
        self.rate = 0.01
        self.rates: tuple[float, ...] = ()
        self._of: Any = None

    def draw(self, canvas: Canvas, look: Look) -> None:
        """Labels above, a layer's gradients in the middle, steps below."""
        if not is_ready(canvas, look, "how a network would learn from it"):
            return
        assert look.engine is not None
        assert look.image is not None
        names, label = look.engine.classes, self._label(look)
        used = canvas.text(0, 13, "The truth is", theme.TEXT)
        chips(canvas, (used + 8, 0), names, label, "truth")
        rates = self._rates_for(look, label)
        key = ("taught", look.moment, label, rates)
        taught = look.ask(key, look.engine.inspector.taught, look.image, label, rates)
        if taught is None:
            return
        layers = look.engine.inspector.tracer.layers
        rows = ["p \N{MINUS SIGN} truth", *(repr(layer) for layer in reversed(layers)), "input"]
        self.row = min(self.row, len(rows) - 1)
        middle = (0.0, TOP, canvas.width, canvas.height - TOP - BOTTOM)
        part = canvas.part(middle)
        draw_names(part, rows, self.row)
        area = (LIST + theme.GAP, 0.0, canvas.width - LIST - theme.GAP, part.height - 8)
        self._draw_gradients(part.part(area), look, taught, label)
        bottom = (0.0, canvas.height - BOTTOM + 4, canvas.width, BOTTOM - 4)
        self._draw_steps(canvas.part(bottom), taught, names[label], label)

    def act(self, words: Sequence[Any], look: Look) -> None:
        """Choose a label, a layer or a rate; take a step, or take it back."""
        match words:
            case ["truth", int(index)]:
                self.label = index
            case ["layer", int(step)]:
                self.row = max(self.row + step, 0)
            case ["choose", int(row)]:
                self.row = max(row, 0)
            case ["rate", float(part) | int(part)]:
                self.rate = SLOWEST * (FASTEST / SLOWEST) ** min(max(part, 0.0), 1.0)
            case ["step"] if look.image is not None and len(self.rates) < MOST_STEPS:
                self.rates = (*self._rates_for(look, self._label(look)), self.rate)
            case ["back"]:
                self.rates = self.rates[:-1]

    def _label(self, look: Look) -> int:
        """The truth: as chosen here, as the person said, or as it is read."""
        assert look.engine is not None
        names = look.engine.classes
        if self.label is not None:
            return min(self.label, len(names) - 1)
        said = look.label or (look.digit.name if look.digit else "")
        return names.index(said) if said in names else 0

    def _rates_for(self, look: Look, label: int) -> tuple[float, ...]:
        """The steps taken; none yet with another digit or label."""
        if self._of != (look.moment, label):
            self._of, self.rates = (look.moment, label), ()
        return self.rates

    def _draw_gradients(self, canvas: Canvas, look: Look, taught: Taught, label: int) -> None:
        assert look.engine is not None
        back, count = taught.back, len(taught.back.doutputs)
        if self.row == 0:
            _draw_start(canvas, back, look.engine.classes, label)
        elif self.row > count:
            _draw_input(canvas, look, back)
        else:
            index = count - self.row
            layer = repr(look.engine.inspector.tracer.layers[index]).split("(")[0]
            _draw_layer(canvas, back, index, layer)

    def _draw_steps(self, canvas: Canvas, taught: Taught, name: str, label: int) -> None:
        """Rate, step, back, and what became of the probability."""
        canvas.line([(0, 0), (canvas.width, 0)], theme.EDGE)
        part = math.log(self.rate / SLOWEST) / math.log(FASTEST / SLOWEST)
        canvas.text(0, 22, f"rate {self.rate:.2g}", theme.QUIET, theme.SMALLEST)
        canvas.slider((104, 10, 76, 24), part, ("tab", "rate"), "length of a step")
        hint = "one step of SGD on a copy of the network (.)"
        canvas.button((184, 7, 58, 29), "step", ("tab", "step"), hint)
        taken = len(self.rates)
        canvas.button((248, 7, 58, 29), "back", ("tab", "back"), "undo (,)", possible=taken > 0)
        before, now = float(taught.p_before[label]), float(taught.back.p[label])
        words = f"p({name}) = {_chance(before)}"
        if taken:
            words += f" \N{RIGHTWARDS ARROW} {_chance(now)} after {taken}"
        canvas.text(320, 22, words, theme.BLUE if now >= before else theme.ORANGE)


def _chance(p: float) -> str:
    """A probability; the smallest ones too are told apart."""
    return percent(p) if p >= 0.001 else f"{p:.1e}"


def _draw_start(canvas: Canvas, back: "BackwardPass", names: Sequence[str], label: int) -> None:
    """P, truth and their difference, a row for each class; the largest if there are too many."""
    function(canvas, 0, 9, "softmax_cross_entropy_backward:  dlogits = p \N{MINUS SIGN} truth")
    rows = min(max(int((canvas.height - 46) / LEAST_ROW), 1), 10)
    order = np.sort(np.argsort(-np.abs(back.dlogits), kind="stable")[:rows]).tolist()
    row = min((canvas.height - 46) / len(order), 30.0)
    middle, half = canvas.width * 0.6, canvas.width * 0.27
    for place, k in enumerate(order):
        y = 22 + (place + 0.5) * row
        gap = float(back.dlogits[k])
        true = k == label
        canvas.text(0, y, names[k], theme.BLUE if true else theme.TEXT, 15, bold=true)
        sign = "\N{MINUS SIGN} 1" if true else "\N{MINUS SIGN} 0"
        canvas.text(130, y, f"{float(back.p[k]):.4f} {sign}", theme.TEXT, 15, anchor="right")
        color = theme.BLUE if gap >= 0 else theme.ORANGE
        length = half * gap
        canvas.fill((min(middle, middle + length), y - 5, max(abs(length), 1), 10), color)
        canvas.text(canvas.width, y, number(round(gap, 4)), theme.TEXT, 15, anchor="right")
    words = f"loss = \N{MINUS SIGN}log p({names[label]}) = {back.loss:.4f}"
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


def _draw_input(canvas: Canvas, look: Look, back: "BackwardPass") -> None:
    """Which pixels are to blame."""
    assert look.engine is not None
    H, W, _ = look.engine.inspector.tracer.image_shape
    dx = back.dx.reshape(H, W, -1).sum(axis=2)
    function(canvas, 0, 9, "SGDStepper.backward_pass().dx")
    legend(canvas, canvas.width, 9, largest(dx))
    side = min(canvas.height - 24, canvas.width)
    canvas.signed((0, 24, side, side), dx, largest(dx))
    words = "blue: ink here makes the loss larger; orange: ink here makes it smaller"
    canvas.lines((side + 16, 28, canvas.width - side - 16, 90), words, theme.TEXT)
