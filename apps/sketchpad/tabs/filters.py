"""The filters of a convolution: their weights, what excites them, and a switch for each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.keys import Key
from apps.sketchpad.phrases import percent
from apps.sketchpad.tabs.mosaic import Mosaic
from apps.sketchpad.tabs.parts import ARROW, Tab, chips, function, inked, largest, number

if TYPE_CHECKING:
    from tinycnn.interpret import Effect

LARGEST = 84.0  # side of a filter
DETAIL = 142.0  # height of the details of one filter
PATCH = 62.0


class FiltersTab(Tab):
    """The weights of every filter, what excites it, and a switch for it."""

    title = "Filters"
    purpose = "what filters look for; switch them off"
    shows = "what filters look for"
    keys = (
        Key("up", ("tab", "layer", -1), "the convolution before"),
        Key("down", ("tab", "layer", 1), "the next convolution"),
        Key("left", ("tab", "filter", -1), "the filter before"),
        Key("right", ("tab", "filter", 1), "the next filter"),
        Key("x", ("tab", "switch"), "switch the filter off or on"),
    )

    def __init__(self) -> None:
        self.layer = 0
        self.filter = 0
        self.off: dict[int, frozenset[int]] = {}

    def draw_digit(self, canvas: Canvas, context: Context) -> None:
        """All filters of a convolution, and the chosen one more closely."""
        from tinycnn.interpret import convolutions

        inspector = context.inspector
        found = convolutions(inspector.tracer)
        if not found:
            canvas.text(0, 20, "this network has no convolution", theme.FAINT)
            return
        self.layer = min(self.layer, len(found) - 1)
        index = found[self.layer]
        patches = context.ask(("filters", context.loads, index), inspector.patches, index)
        names = [f"stage {place + 1}" for place in range(len(found))]
        chips(canvas, 0, names, self.layer, "choose")
        if patches is None:
            return
        chosen = self._draw_filters(canvas, inspector.tracer.layers[index].params["w"])
        off = self.off.get(self.layer, frozenset())
        key = ("off", context.moment, index, tuple(sorted(off)))
        effect = context.ask(key, inspector.switched_off, index, off, context.image)
        area = (0.0, canvas.height - DETAIL, canvas.width, DETAIL)
        _draw_detail(canvas.part(area), patches[chosen], chosen, chosen in off)
        if effect is not None:
            _draw_effect(canvas, effect, len(off), context.classes)

    def act(self, action: Sequence[Any], context: Context) -> None:
        """Choose a convolution or a filter, or switch one."""
        match action:
            case ["layer", int(step)]:
                self.act(["choose", self.layer + step], context)
            case ["choose", int(layer)]:
                self.layer, self.filter = max(layer, 0), 0
            case ["filter", int(step)]:
                self.filter = max(self.filter + step, 0)
            case ["switch"]:
                self.off[self.layer] = self.off.get(self.layer, frozenset()) ^ {self.filter}
            case ["switch", int(which)]:
                self.filter = max(which, 0)
                self.act(["switch"], context)

    def _draw_filters(self, canvas: Canvas, weights: np.ndarray) -> int:
        """All filters; returns the one under the mouse, or the chosen one."""
        maps, most = strongest_slices(weights), largest(weights)
        if weights.shape[3] > 1:
            words = "of each filter its strongest slice"
            canvas.text(canvas.width, 13, words, theme.QUIET, theme.SMALLEST, anchor="right")
        area = (0.0, 36.0, canvas.width, canvas.height - 36 - DETAIL - 8)
        mosaic = Mosaic.fitted(area, maps.shape, LARGEST)
        mosaic.draw(canvas, maps, most)
        off = self.off.get(self.layer, frozenset())
        for f in range(maps.shape[2]):
            tile = mosaic.tile(f)
            if f in off:
                canvas.fill(tile, theme.SUNK)
                center = tile[0] + tile[2] / 2, tile[1] + tile[3] / 2
                canvas.text(*center, "\N{MULTIPLICATION SIGN}", theme.QUIET, anchor="center")
            canvas.hit(tile, ("tab", "switch", f), "switch this filter off or on (X)")
        cell = mosaic.cell_at(canvas.mouse)
        chosen = cell[2] if cell else self.filter % maps.shape[2]
        x, y, side, _ = mosaic.tile(chosen)
        canvas.frame((x - 1, y - 1, side + 2, side + 2), theme.BLUE, 2)
        return chosen


def strongest_slices(weights: np.ndarray) -> np.ndarray:
    """Of each filter (F,KH,KW,C) the slice with the largest weights: (KH,KW,F)."""
    strength = (weights**2).sum(axis=(1, 2))
    best = strength.argmax(axis=1)
    return weights[np.arange(len(weights)), :, :, best].transpose(1, 2, 0)


def _draw_detail(canvas: Canvas, best: list[tuple[np.ndarray, float]], f: int, off: bool) -> None:
    canvas.line([(0, 0), (canvas.width, 0)], theme.EDGE)
    words = f"filter {f}, switched off" if off else f"filter {f}: what excites it most"
    canvas.text(0, 15, words, theme.ORANGE if off else theme.TEXT, theme.SMALLEST, bold=True)
    function(canvas, canvas.width, 15, "interpret.max_activations", anchor="right")
    for place, (patch, value) in enumerate(best[: int(canvas.width // (PATCH + 48))]):
        x = place * (PATCH + 48)
        inked(canvas, (x, 32, PATCH, PATCH), patch)
        canvas.text(x + PATCH + 5, 62, number(value), theme.QUIET, theme.SMALLEST)


def _draw_effect(canvas: Canvas, effect: "Effect", count: int, names: Sequence[str]) -> None:
    """What switching off does to this digit, and to 1,000 others."""
    before, after = int(effect.p_before.argmax()), int(effect.p_after.argmax())
    p, color = percent(float(effect.p_after[after])), theme.QUIET
    words = "Click a filter to switch it off, and see what changes."
    if count:
        color = theme.BLUE if before == after else theme.ORANGE
        was = f"{names[before]} {percent(float(effect.p_before[before]))}"
        words = (
            f"{count} off: {was} {ARROW} {names[after]} {p};  of {effect.n:,} bundled digits "
            f"{effect.right_before} {ARROW} {effect.right_after} right"
        )
    area = (0, canvas.height - 33, canvas.width, 33)
    canvas.lines(area, words, color, leading=1.1)
