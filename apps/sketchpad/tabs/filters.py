"""The filters of a convolution: their weights, and a switch for each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Context
from apps.sketchpad.phrases import percent
from apps.sketchpad.tabs.mosaic import Mosaic
from apps.sketchpad.tabs.parts import ARROW, TIMES, Tab, chips, largest, number

if TYPE_CHECKING:
    from tinycnn.interpret import Effect

LARGEST = 84.0  # side of a filter
DETAIL = 40.0  # height of what switching off does


class FiltersTab(Tab):
    """The weights of every filter, and a switch for it."""

    title = "Filters"
    purpose = "what filters look for; switch them off"
    shows = "what filters look for"

    def __init__(self) -> None:
        self.layer = 0
        self.off: dict[int, frozenset[int]] = {}

    def draw_digit(self, canvas: Canvas, context: Context) -> None:
        """All filters of a convolution, and what switching some off does."""
        from tinycnn.interpret import convolutions

        inspector = context.inspector
        found = convolutions(inspector.tracer)
        if not found:
            canvas.text(0, 20, "this network has no convolution", theme.FAINT)
            return
        self.layer = min(self.layer, len(found) - 1)
        index = found[self.layer]
        names = [f"stage {place + 1}" for place in range(len(found))]
        chips(canvas, 0, names, self.layer, "choose")
        self._draw_filters(canvas, inspector.tracer.layers[index].params["w"])
        off = self.off.get(self.layer, frozenset())
        key = ("off", context.moment, index, tuple(sorted(off)))
        effect = context.ask(key, inspector.switched_off, index, off, context.image)
        if effect is not None:
            _draw_effect(canvas, effect, len(off), context.classes)

    def act(self, action: Sequence[Any], context: Context) -> None:
        """Choose a convolution, or switch a filter."""
        match action:
            case ["choose", int(layer)]:
                self.layer = max(layer, 0)
            case ["switch", int(which)]:
                self.off[self.layer] = self.off.get(self.layer, frozenset()) ^ {which}

    def _draw_filters(self, canvas: Canvas, weights: np.ndarray) -> None:
        maps, most = strongest_slices(weights), largest(weights)
        slices = "of each its strongest slice; " * (weights.shape[3] > 1)
        words = f"{slices}blue adds, orange takes away, at most {number(most)}"
        canvas.text(canvas.width, 13, words, theme.QUIET, theme.SMALLEST, anchor="right")
        area = (0.0, 36.0, canvas.width, canvas.height - 36 - DETAIL - 8)
        mosaic = Mosaic.fitted(area, maps.shape, max(LARGEST, canvas.width / 8))
        mosaic.draw(canvas, maps, most)
        for f in range(maps.shape[2]):
            tile = mosaic.tile(f)
            if f in self.off.get(self.layer, ()):
                canvas.fill(tile, theme.SUNK)
                center = tile[0] + tile[2] / 2, tile[1] + tile[3] / 2
                canvas.text(*center, TIMES, theme.QUIET, anchor="center")
            canvas.hit(tile, ("tab", "switch", f), "switch this filter off or on")
            if canvas.over(tile):
                canvas.frame(tile, theme.BLUE, 2)


def strongest_slices(weights: np.ndarray) -> np.ndarray:
    """Of each filter (F,KH,KW,C) the slice with the largest weights: (KH,KW,F)."""
    strength = (weights**2).sum(axis=(1, 2))
    best = strength.argmax(axis=1)
    return weights[np.arange(len(weights)), :, :, best].transpose(1, 2, 0)


def _draw_effect(canvas: Canvas, effect: "Effect", count: int, names: Sequence[str]) -> None:
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
