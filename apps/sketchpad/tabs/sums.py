"""The sum behind one number: the pixels it depends on, the patch, the filter, their products."""

from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad import primitives, theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.layout import Area
from apps.sketchpad.tabs.mosaic import Cell, index_of
from apps.sketchpad.tabs.parts import ARROW, TIMES, function, inked, largest, number

if TYPE_CHECKING:
    from tinycnn.interpret import Region, Trace, Tracer, WeightedSum

PICTURE = 88.0
ADDED = 134.0  # width of the sums


def draw_sum(canvas: Canvas, tracer: "Tracer", trace: "Trace", index: int, cell: Cell) -> None:
    """The sum that gives the number at ``cell`` of the output of a convolution or dense layer."""
    from tinycnn.interpret import receptive_field, weighted_sum

    place = index_of(trace.outputs[index], cell)
    why = weighted_sum(tracer, trace, index, place)
    where = f"number {place[0]}"
    if len(place) == 3:
        where = f"map {place[2]}, row {place[0]}, column {place[1]}"
    silenced = f" {ARROW} 0" if why.y < 0 else ""
    used = canvas.text(0, 14, f"{where}: {number(why.y)}{silenced}", bold=True)
    if used < canvas.width / 2:
        function(canvas, canvas.width, 14, repr(tracer.layers[index]), anchor="right")
    region = receptive_field(tracer, index, place)
    _draw_field(canvas, (0, 32, PICTURE, PICTURE), tracer, trace, region)
    part = canvas.part((PICTURE + 16, 32, canvas.width - PICTURE - 16, canvas.height - 32))
    (_draw_convolution if why.x.ndim == 3 else _draw_dense)(part, why)


def _draw_field(
    canvas: Canvas, area: Area, tracer: "Tracer", trace: "Trace", region: "Region"
) -> None:
    H, W, _ = tracer.image_shape
    inked(canvas, area, trace.x.reshape(H, W, -1).mean(axis=2))
    rows, columns = region[0], region[min(1, len(region) - 1)]
    if len(region) == 1:  # the network has a row as input, and each number depends on all of it
        rows, columns = slice(0, H), slice(0, W)
    x, y, side, _ = area
    width, height = side * (columns.stop - columns.start) / W, side * (rows.stop - rows.start) / H
    frame = (x + side * columns.start / W, y + side * rows.start / H, width, height)
    canvas.frame(frame, theme.SPOT, 2)


def _draw_convolution(canvas: Canvas, why: "WeightedSum") -> None:
    added = why.products.sum(axis=(0, 1))
    c = int(np.abs(added).argmax())
    side = min((canvas.width - 72 - ADDED) / 3, PICTURE)
    x = 0.0
    pictures = (why.x[..., c], why.w[..., c], why.products[..., c])
    for values, sign in zip(pictures, (TIMES, "=", ""), strict=True):
        canvas.picture((x, 0, side, side), primitives.diverging(values, largest(values)))
        canvas.text(x + side + 12, side / 2, sign, size=20, anchor="center")
        x += side + 24
    lines = [f"adds {number(added[c])}"]
    if len(added) > 1:
        others = number(added.sum() - added[c])
        lines = [f"map {c}: {number(added[c])}", f"{len(added) - 1} others: {others}"]
    lines += [f"bias: {number(why.b)}", f"sum: {number(why.y)}"]
    for row, line in enumerate(lines):
        canvas.text(x - 14, 9 + 20 * row, line, size=theme.SMALLEST)


def _draw_dense(canvas: Canvas, why: "WeightedSum") -> None:
    products = why.products
    order = np.argsort(-np.abs(products))[: max(int((canvas.height - 6) // 19) - 1, 1)]
    unit = (canvas.width - 226) / largest(products)
    for row, d in enumerate(order.tolist()):
        y = 9 + 19 * row
        words = f"{number(why.x[d])} {TIMES} {number(why.w[d])} from {d}"
        canvas.text(0, y, words, size=theme.SMALLEST)
        color = theme.BLUE if products[d] >= 0 else theme.ORANGE
        canvas.fill((226, y - 5, max(unit * abs(products[d]), 1), 10), color, 3)
    rest = number(products.sum() - products[order].sum())
    words = f"and {len(products) - len(order)} others {rest}, bias {number(why.b)}"
    canvas.text(0, 9 + 19 * len(order), words, theme.QUIET, theme.SMALLEST)
