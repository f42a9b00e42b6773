"""The toolbar: everything one does with the paper, as icons and words."""

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Command
from apps.sketchpad.editor import BRUSHES
from apps.sketchpad.session import Session

Tool = tuple[str, str, Command, str]
"""Icon, word, command, and what it does."""

BEFORE: tuple[Tool, ...] = (
    ("\u270e", "Pen", ("tool", "pen"), "write with the left button"),
    ("\u25cc", "Eraser", ("tool", "eraser"), "erase with the left button (E); the right one does"),
    ("\u21b6", "Undo", ("undo",), "take the last step back (Ctrl+Z)"),
    ("\u21b7", "Redo", ("redo",), "do it again (Ctrl+Y)"),
    ("\u25a1", "New page", ("clear",), "take a new page (C); Undo brings the old one back"),
)
AFTER: tuple[Tool, ...] = (
    ("1", "One digit", ("single",), "take all ink for one digit (Ctrl+1); once more: for a number"),
    ("\u25a4", "Open", ("open",), "read a photo, a picture, a drawing or a replay (O)"),
    ("\u2684", "Test digit", ("digit",), "lay a digit of the test set on the paper (T)"),
    ("\u2691", "Games", ("popup", "games"), "challenges with a score (G)"),
    ("\u21ea", "Share", ("save",), "save a card, a film, the strokes and a replay (S)"),
    ("?", "Help", ("popup", "help"), "all keys, dark mode, and details for developers (F1)"),
)
GAP, SIDE, SLIDER = 6.0, 34.0, 84.0
ICON = 18.0


def draw_toolbar(canvas: Canvas, session: Session) -> None:
    """The name, all tools and the brush; words and name only where there is room."""
    middle, pad = canvas.height / 2, session.pad
    x, right = float(theme.GAP), canvas.width - theme.GAP
    name = canvas.text_width("tinycnn", theme.LARGE, bold=True) + 18
    for words, shows_name in ((True, True), (True, False), (False, True), (False, False)):
        widths = [_width(canvas, tool, words) for tool in (*BEFORE, *AFTER)]
        spare = right - x - sum(widths) - SLIDER - 40 - name * shows_name
        if spare >= GAP * len(widths):
            break
    gap = min(GAP, spare / len(widths))
    if shows_name:
        canvas.text(x, middle, "tinycnn", size=theme.LARGE, bold=True)
        x += name
    pressed = ("tool", pad.tool), *(("single",),) * pad.single
    impossible = (("undo",),) * (not pad.can_undo) + (("redo",),) * (not pad.can_redo)
    for tool in BEFORE:
        x = _draw_tool(canvas, x, tool, words, tool[2] in pressed, tool[2] not in impossible) + gap
    thin, thick = BRUSHES
    dot = min(pad.brush, 26.0)
    canvas.fill((x + 16 - dot / 2, middle - dot / 2, dot, dot), theme.INK, dot / 2)
    area, part = (x + 36, middle - 14, SLIDER - 12, 28), (pad.brush - thin) / (thick - thin)
    canvas.slider(area, part, ("brush_part",), "width of the line (wheel, [ and ])")
    x += SLIDER + 40
    for tool in AFTER:
        x = _draw_tool(canvas, x, tool, words, tool[2] in pressed) + gap


def _width(canvas: Canvas, tool: Tool, words: bool) -> float:
    return SIDE + (canvas.text_width(tool[1], theme.SMALLEST) + 2) * words


def _draw_tool(
    canvas: Canvas, x: float, tool: Tool, words: bool, pressed: bool = False, possible: bool = True
) -> float:
    icon, word, command, does = tool
    width, y = _width(canvas, tool, words), (canvas.height - SIDE) / 2
    canvas.button((x, y, width, SIDE), "", command, f"{word}: {does}", pressed, possible)
    color = theme.CARD if pressed else theme.TEXT if possible else theme.FAINT
    canvas.text(x + SIDE / 2, canvas.height / 2, icon, color, ICON, anchor="center")
    if words:
        canvas.text(x + SIDE - 6, canvas.height / 2, word, color, theme.SMALLEST)
    return x + width
