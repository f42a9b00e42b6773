"""A list of layers to choose one from."""

from collections.abc import Sequence

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas

LIST = 130.0  # its width
ROW = 25.0


def draw_names(canvas: Canvas, names: Sequence[str], chosen: int) -> None:
    """From first to last, as many as fit around the chosen one."""
    fit = max(int((canvas.height + 2) / ROW), 1)
    first = min(max(chosen - fit // 2, 0), max(len(names) - fit, 0))
    for place, index in enumerate(range(first, min(first + fit, len(names)))):
        area = (0.0, place * ROW, LIST, ROW - 2)
        here = index == chosen
        if here or canvas.over(area):
            canvas.fill(area, theme.PALE_BLUE if here else theme.SUNK, 5)
        color = theme.BLUE if here else theme.TEXT
        canvas.text(8, area[1] + ROW / 2 - 1, names[index], color, theme.SMALLEST, bold=here)
        canvas.hit(area, ("tab", "choose", index), "look at this one")
