"""The list of all keys, laid over everything."""

import pygame

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.keys import KEYS
from apps.sketchpad.session import Session

ROW = 26.0
WIDTH = 900.0


def draw_help(canvas: Canvas, session: Session) -> None:
    """What every key does, and what the tabs show."""
    shade = pygame.Surface(canvas.surface.get_size(), pygame.SRCALPHA)
    shade.fill((*theme.NIGHT, 150))
    canvas.surface.blit(shade, (0, 0))
    rows = [(key.shown, key.does) for key in KEYS if key.shown]
    rows += [(f"F{number + 2}", tab.purpose) for number, tab in enumerate(session.tabs)]
    if session.tabs:
        rows += [(name, does) for name, (_, does) in session.tabs[session.screen.tab].keys.items()]
    half = (len(rows) + 1) // 2
    height = half * ROW + 84
    left, top = (canvas.width - WIDTH) / 2, (canvas.height - height) / 2
    canvas.card((left, top, WIDTH, height))
    canvas.text(left + 28, top + 34, "Keys", size=theme.LARGE, bold=True)
    canvas.text(left + WIDTH - 28, top + 34, "F1 closes this list", theme.QUIET, anchor="right")
    for index, (name, does) in enumerate(rows):
        x = left + 28 + (index // half) * WIDTH / 2
        y = top + 74 + (index % half) * ROW
        used = canvas.text(x, y, name, theme.BLUE, theme.SMALLEST, bold=True)
        canvas.text(x + max(used + 10, 110), y, does, theme.TEXT, theme.SMALLEST)
    canvas.hit((0, 0, canvas.width, canvas.height), ("help",))
