"""The sum behind one number: its receptive field, the patch, the filter, and their products."""

from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.layout import Area
from apps.sketchpad.tabs.mosaic import Cell, index_of
from apps.sketchpad.tabs.parts import MINUS, SIGMA, function, inked, largest, number

if TYPE_CHECKING:
    from tinycnn.interpret import Computation, Maximum, Region, Trace, Tracer, WeightedSum

PICTURE = 88.0
ADDED = 134.0  # width of the sums
LEGEND = (
    "framed: all pixels that this number depends on\n"
    "gray is 0, blue above, orange below; full color is the largest of its layer"
)
FUNCTIONS = {
    "Conv2D": f"reference.conv2d:  y = b + {SIGMA} x · w",
    "Dense": f"reference.dense:  y = b + {SIGMA} x · w",
    "MaxPool2D": "reference.maxpool2d:  y = max of the window",
    "ReLU": "reference.relu:  y = max(x, 0)",
    "BatchNorm": f"BatchNorm.forward:  y = w · (x {MINUS} mean) / deviation + b",
    "Flatten": "Flatten.forward:  the same numbers in a row",
    "Dropout": "Dropout.forward:  y = x, when it answers",
    "Softmax": f"reference.softmax:  y = exp(x) / {SIGMA} exp(x)",
}


def draw_sum(canvas: Canvas, tracer: "Tracer", trace: "Trace", index: int, cell: Cell) -> None:
    """The computation of the number at ``cell`` of the output of a layer."""
    from tinycnn.interpret import computation, receptive_field

    place = index_of(trace.outputs[index], cell)
    why, kind = computation(tracer, trace, index, place), repr(tracer.layers[index]).split("(")[0]
    region = receptive_field(tracer, index, place)
    where = ", ".join(map(str, place))
    tall = canvas.height > 300
    canvas.line([(0, 0), (canvas.width, 0)], theme.EDGE)
    title = f"{kind}[{where}] = {number(why.y)}"
    canvas.text(0, 14, title, theme.TEXT, bold=True)
    words = FUNCTIONS.get(kind, "")
    if tall:
        function(canvas, 0, 38, words)
    elif canvas.text_width(title, bold=True) + canvas.text_width(words, 15) + 16 < canvas.width:
        function(canvas, canvas.width, 14, words, anchor="right")
    top = 58.0 if tall else 28.0
    side = 150.0 if tall else PICTURE
    _draw_field(canvas, (0, top, side, side), tracer, trace, region)
    rest = (0.0, top + side + 24, canvas.width, canvas.height - top - side - 24)
    if tall:
        canvas.lines((side + 16, top, canvas.width - side - 16, side), LEGEND)
    else:
        rest = (side + 16, top, canvas.width - side - 16, canvas.height - top)
    _draw_reason(canvas.part(rest), why)


def _draw_field(
    canvas: Canvas, area: Area, tracer: "Tracer", trace: "Trace", region: "Region"
) -> None:
    """The input, and a frame around the receptive field of the number."""
    H, W, _ = tracer.image_shape
    inked(canvas, area, trace.x.reshape(H, W, -1).mean(axis=2))
    rows, columns = region[0], region[min(1, len(region) - 1)]
    if len(region) == 1:  # the network has a row as input: the rows of the image that it covers
        first, last = rows.start // W, (rows.stop - 1) // W
        columns = slice(0, W) if first != last else slice(rows.start % W, (rows.stop - 1) % W + 1)
        rows = slice(first, last + 1)
    x, y, side, _ = area
    width, height = side * (columns.stop - columns.start) / W, side * (rows.stop - rows.start) / H
    frame = (x + side * columns.start / W, y + side * rows.start / H, width, height)
    canvas.frame(frame, theme.SPOT, 2)


def _draw_reason(canvas: Canvas, why: "Computation") -> None:
    from tinycnn.interpret import Copied, Maximum, Normalized, Probability, Rectified, WeightedSum

    match why:
        case WeightedSum() if why.x.ndim == 3:
            _draw_convolution(canvas, why)
        case WeightedSum():
            _draw_dense(canvas, why)
        case Maximum():
            _draw_window(canvas, why)
        case Rectified():
            fate = "passes" if why.x > 0 else "is silenced"
            canvas.text(0, 14, f"{number(why.x)} {fate}: max({number(why.x)}, 0) = {number(why.y)}")
        case Normalized():
            w, x, mean, b = map(number, (why.w, why.x, why.mean, why.b))
            words = f"{w} · ({x} {MINUS} {mean}) / {number(why.deviation)} + {b} = {number(why.y)}"
            canvas.lines((0, 0, canvas.width, 60), words, theme.TEXT)
        case Copied():
            canvas.text(0, 14, f"it was at {', '.join(map(str, why.place))}")
        case Probability():
            canvas.text(0, 14, f"exp({number(why.logits[why.k])}) / {SIGMA}")


def _draw_window(canvas: Canvas, why: "Maximum") -> None:
    """The window that the largest number won."""
    side, (i, j) = min(PICTURE, canvas.height - 4), why.place
    unit = side / len(why.window)
    canvas.signed((0, 0, side, side), why.window, largest(why.window))
    canvas.frame((j * unit, i * unit, unit, unit), theme.INK, 2)
    words = f"row {i}, column {j} of the window wins with {number(why.y)}"
    canvas.lines((side + 14, 0, canvas.width - side - 14, 60), words, theme.TEXT)


def _draw_convolution(canvas: Canvas, why: "WeightedSum") -> None:
    """Patch times filter is products, of the channel that adds most; and the sums of channels."""
    added = why.products.sum(axis=(0, 1))
    c = int(np.abs(added).argmax())
    tall = canvas.height > 200
    side = (canvas.width - 48) / 3 if tall else min((canvas.width - 72 - ADDED) / 3, PICTURE)
    pictures = (why.x[..., c], why.w[..., c], why.products[..., c])
    x = 0.0
    for values, sign in zip(pictures, ("·", "=", ""), strict=True):
        canvas.signed((x, 0, side, side), values, largest(values))
        canvas.text(x + side + 12, side / 2, sign, theme.TEXT, 20, anchor="center")
        x += side + 24
    left, top = (0.0, side + 14) if tall else (max(x - 14, 0.0), 9.0)
    lines = [f"adds {number(added[c])}"]
    if len(added) > 1:
        others = number(added.sum() - added[c])
        lines = [f"map {c}: {number(added[c])}", f"{len(added) - 1} others: {others}"]
    lines += [f"bias: {number(why.b)}", f"sum: {number(why.y)}"]
    for row, line in enumerate(lines):
        canvas.text(left, top + 20 * row, line, theme.TEXT, theme.SMALLEST)


def _draw_dense(canvas: Canvas, why: "WeightedSum") -> None:
    """The inputs that add most, largest first, as bars."""
    products = why.products
    order = np.argsort(-np.abs(products))[: max(int((canvas.height - 6) // 19) - 1, 1)]
    unit = (canvas.width - 226) / largest(products)
    for row, d in enumerate(order.tolist()):
        y = 9 + 19 * row
        words = f"x[{d}] · w = {number(why.x[d])} · {number(why.w[d])}"
        canvas.text(0, y, words, theme.TEXT, theme.SMALLEST)
        color = theme.BLUE if products[d] >= 0 else theme.ORANGE
        canvas.fill((226, y - 5, max(unit * abs(products[d]), 1), 10), color, 3)
    rest = number(products.sum() - products[order].sum())
    words = f"and {len(products) - len(order)} others {rest}, b {number(why.b)}"
    canvas.text(0, 9 + 19 * len(order), words, theme.QUIET, theme.SMALLEST)
