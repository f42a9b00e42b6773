"""The output of every layer for the selected digit, and the sum behind each number."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.keys import Key
from apps.sketchpad.layout import Area
from apps.sketchpad.tabs.mosaic import Cell, Mosaic, as_maps
from apps.sketchpad.tabs.parts import LIST, Tab, draw_names, largest, legend
from apps.sketchpad.tabs.sums import draw_sum

if TYPE_CHECKING:
    from tinycnn.interpret import Trace

LARGE = 900.0, 440.0  # a canvas as wide and tall as this shows all layers at once
SUM = 122.0  # height of the sum under one layer
ASIDE = 380.0  # width of the sum beside them
LARGEST = 64.0  # side of a map


class LayersTab(Tab):
    """All maps, layer by layer."""

    title = "Layers"
    purpose = "all maps, and the sum behind every number"
    shows = "what every layer makes of it"
    keys = (
        Key("up", ("tab", "layer", -1), "the layer before"),
        Key("down", ("tab", "layer", 1), "the next layer"),
        Key("left", ("tab", "channel", -1), "the map before"),
        Key("right", ("tab", "channel", 1), "the next map"),
        Key("shift+left", ("tab", "move", 0, -1), "ask the number to the left"),
        Key("shift+right", ("tab", "move", 0, 1), "to the right"),
        Key("shift+up", ("tab", "move", -1, 0), "above"),
        Key("shift+down", ("tab", "move", 1, 0), "below"),
    )

    def __init__(self) -> None:
        self.layer = 0
        self.channel = 0
        self.place: tuple[int, int] | None = None  # row, column; None: where the map is strongest
        self._asked = 0, 0  # the row and column of the number that is explained
        self._drawn: tuple[Trace | None, dict[tuple[int, Mosaic, float], np.ndarray]] = None, {}

    def draw_digit(self, canvas: Canvas, context: Context) -> None:
        """One layer and the sum under it, or all layers and the sum beside them."""
        inspector = context.inspector
        trace = context.trace()
        if trace is None:
            return
        self.layer = min(self.layer, len(trace.outputs) - 1)
        large = canvas.width >= LARGE[0] and canvas.height >= LARGE[1]
        names = [repr(layer) for layer in inspector.tracer.layers]
        if large:
            index, cell = self._draw_all(canvas, names, trace)
            area = (canvas.width - ASIDE, 0.0, ASIDE, canvas.height)
        else:
            index, cell = self.layer, self._draw_one(canvas, names, trace)
            left = LIST + theme.GAP
            area = (left, canvas.height - SUM, canvas.width - left, SUM)
        draw_sum(canvas.part(area), inspector.tracer, trace, index, cell)

    def act(self, action: Sequence[Any], context: Context) -> None:
        """Choose a layer, or a map of it."""
        match action:
            case ["layer", int(step)]:
                self.act(["choose", self.layer + step], context)
            case ["choose", int(index)]:
                self.layer, self.channel, self.place = max(index, 0), 0, None
            case ["channel", int(step)]:
                self.channel, self.place = max(self.channel + step, 0), None
            case ["move", int(rows), int(columns)]:
                self.place = self._asked[0] + rows, self._asked[1] + columns

    def _draw_one(self, canvas: Canvas, names: list[str], trace: "Trace") -> Cell:
        """The chosen layer, large; returns the number to explain."""
        draw_names(canvas, names, self.layer)
        values = trace.outputs[self.layer]
        left = LIST + theme.GAP
        shape = " \N{MULTIPLICATION SIGN} ".join(map(str, values.shape))
        shape += " numbers" * (values.ndim != 3)
        canvas.text(left, 9, shape, theme.QUIET, theme.SMALLEST)
        legend(canvas, canvas.width, 9, largest(values))
        area = (left, 24.0, canvas.width - left, canvas.height - SUM - 34)
        mosaic = Mosaic.fitted(area, as_maps(values).shape, LARGEST)
        return self._draw_mosaic(canvas, mosaic, trace, self.layer)

    def _draw_all(self, canvas: Canvas, names: list[str], trace: "Trace") -> tuple[int, Cell]:
        """All layers, one under the other; returns the layer and the number to explain."""
        left = 150.0
        width = canvas.width - ASIDE - left - 2 * theme.GAP
        asked: tuple[int, Cell] | None = None
        default: tuple[int, Cell] = (self.layer, (0, 0, 0))
        for index, area in _strips(trace, left, width, canvas.height, self.layer):
            values = trace.outputs[index]
            mosaic = Mosaic.fitted(area, as_maps(values).shape, LARGEST)
            color = theme.BLUE if index == self.layer else theme.TEXT
            top = area[1]
            canvas.text(0, top + 8, names[index], color, theme.SMALLEST, bold=True)
            canvas.text(0, top + 26, f"±{largest(values):.3g}", theme.QUIET, theme.SMALLEST)
            canvas.hit((0, top, left, area[3]), ("tab", "choose", index), "ask this layer")
            cell = self._draw_mosaic(canvas, mosaic, trace, index)
            if mosaic.cell_at(canvas.mouse) is not None:
                asked = index, cell
            if index == self.layer:
                default = index, cell
        return asked or default

    def _draw_mosaic(self, canvas: Canvas, mosaic: Mosaic, trace: "Trace", index: int) -> Cell:
        """Draw maps and frame a number: that under the mouse, or the largest of the chosen map."""
        maps = as_maps(trace.outputs[index])
        if self._drawn[0] is not trace:
            self._drawn = trace, {}
        drawn, key = self._drawn[1], (index, mosaic, canvas.scale)
        if key not in drawn and mosaic.side > 0:
            drawn[key] = mosaic.pixels(maps, largest(maps), canvas.scale)
        mosaic.draw(canvas, maps, largest(maps), drawn.get(key))
        cell = mosaic.cell_at(canvas.mouse)
        channel = self.channel % maps.shape[2]
        here = cell or _peak(maps, channel)
        if cell is None and index == self.layer:
            if self.place is not None:
                i, j = (min(max(p, 0), n - 1) for p, n in zip(self.place, maps.shape, strict=False))
                here = i, j, channel
            self._asked = here[:2]
        if cell is not None or index == self.layer:
            x, y, side, _ = mosaic.tile(here[2])
            canvas.frame((x - 1, y - 1, side + 2, side + 2), theme.BLUE, 2)
            if maps.shape[:2] != (1, 1):
                canvas.frame(_visible(mosaic.square(here)), theme.INK, 2)
        return here


def _strips(
    trace: "Trace", left: float, width: float, height: float, chosen: int
) -> list[tuple[int, Area]]:
    """Strips for the layers, as high as their maps need; those around the chosen one that fit."""
    gap, least = 10.0, 38.0
    shapes = [as_maps(values).shape for values in trace.outputs]
    for side in np.arange(LARGEST, 3, -1):
        columns = max(int(width // (side + 2)), 1)
        heights = [
            least if (H, W) == (1, 1) else max(-(-F // columns) * (side + 2), least)
            for H, W, F in shapes
        ]
        if sum(heights) + gap * len(heights) <= height:
            break
    tops = np.cumsum([0.0, *(h + gap for h in heights)])
    offset = min(max(tops[chosen] - height / 2, 0.0), max(tops[-1] - gap - height, 0.0))
    return [
        (index, (left, float(y - offset), width, float(h)))
        for index, (y, h) in enumerate(zip(tops, heights, strict=False))
        if y >= offset - 1 and y + h <= offset + height + 1
    ]


def _peak(maps: np.ndarray, channel: int) -> Cell:
    """Where a map is strongest."""
    i, j = np.unravel_index(np.abs(maps[..., channel]).argmax(), maps.shape[:2])
    return int(i), int(j), channel


def _visible(area: Area) -> Area:
    """The area, at least so large that a frame around it is seen."""
    x, y, width, height = area
    grown = max(width, 5.0), max(height, 5.0)
    return x - (grown[0] - width) / 2, y - (grown[1] - height) / 2, *grown
