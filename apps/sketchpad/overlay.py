"""The list of all keys, laid over everything."""

import pygame

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.keys import KEYS
from apps.sketchpad.session import Session

ROW = 26.0
MARGIN = 28.0
NAMES = 205.0  # width of the names of keys
WIDTH = 1160.0


def draw_help(canvas: Canvas, session: Session) -> None:
    """What every key does, and what the tabs show."""
    shade = pygame.Surface(canvas.surface.get_size(), pygame.SRCALPHA)
    shade.fill((*theme.NIGHT, 150))
    canvas.surface.blit(shade, (0, 0))
    canvas = canvas.shrunk(min(1.0, canvas.width / (WIDTH + 2 * MARGIN)))
    rows = listed(session)
    half = (len(rows) + 1) // 2
    width, height = WIDTH, half * ROW + 84
    left, top = (canvas.width - width) / 2, max((canvas.height - height) / 2, 0)
    canvas.card((left, top, width, height))
    canvas.text(left + MARGIN, top + 34, "Keys", size=theme.LARGE, bold=True)
    hint = "F1 or a click closes this list"
    canvas.text(left + width - MARGIN, top + 34, hint, theme.QUIET, anchor="right")
    column = (width - MARGIN) / 2
    for index, (name, does) in enumerate(rows):
        x = left + MARGIN + (index // half) * column
        y = top + 74 + (index % half) * ROW
        canvas.text(x, y, name, theme.BLUE, theme.SMALLEST, bold=True)
        explained = canvas.part((x + NAMES, y - ROW / 2, column - NAMES - 8, ROW))
        explained.text(0, ROW / 2, does, theme.TEXT, theme.SMALLEST)
    canvas.hit((0, 0, canvas.width, canvas.height), ("help",))


def listed(session: Session) -> list[tuple[str, str]]:
    """All keys, and those of the shown tab, with what they do."""
    rows = [(key.shown, key.does) for key in KEYS if key.shown]
    rows += [(f"F{number + 2}", tab.purpose) for number, tab in enumerate(session.tabs)]
    if session.tabs:
        shown = session.tabs[session.screen.tab]
        rows += [(f"{shown.title}: {name}", does) for name, (_, does) in shown.keys.items()]
    return rows
