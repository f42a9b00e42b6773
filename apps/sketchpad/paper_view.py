"""The paper: its ink, and a frame around every digit that was read."""

import pygame

from apps.sketchpad import layout, theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.document import Sheet, Size
from apps.sketchpad.editor import ERASER
from apps.sketchpad.games import Game
from apps.sketchpad.ink_renderer import Paper
from apps.sketchpad.layout import Area
from apps.sketchpad.phrases import UNREAD, article, color_of, percent, verdict
from apps.sketchpad.session import Session
from apps.sketchpad.theme import Color

MARGIN = 6.0  # between ink and frame
TAG = 24.0  # height of a tag
HINTS = (
    (-46, "Write digits here", theme.LARGE),
    (-12, "any size, one or several, with mouse, pen or finger", theme.NORMAL),
    (14, "Misread? Click the tag of the digit, and say what it is.", theme.NORMAL),
)
BANNER = 46.0  # height of a game's task


def draw_paper(canvas: Canvas, session: Session, paper: Paper) -> None:
    """Draw the paper, the ink, the frames and the eraser."""
    pad = session.pad
    zoom = layout.zoom_of((0, 0, canvas.width, canvas.height), pad.size)
    live = [stroke for stroke in pad.strokes() if stroke.number == 0]
    size = canvas.surface.get_size()
    pixels = zoom * canvas.scale
    canvas.surface.blit(paper.surface(size, pixels, pad.page.strokes, live), (0, 0))
    paper.tip(canvas.surface, live)
    if pad.page.sheet and not live:
        _draw_sheet(canvas, pad.page.sheet, pad.size, zoom)
    if pad.page.empty and not live and not session.game:
        for dy, hint, height in HINTS:
            place = canvas.width / 2, canvas.height / 2 + dy
            canvas.text(*place, hint, theme.QUIET, height, anchor="center")
    else:
        _draw_frames(canvas, session, zoom)
    if session.game:
        _draw_game(canvas, session.game)
    if pad.cursor is not None:
        x, y = pad.cursor[0] * zoom, pad.cursor[1] * zoom
        canvas.line([(x - 9, y), (x + 9, y)], theme.BLUE, 2)
        canvas.line([(x, y - 9), (x, y + 9)], theme.BLUE, 2)
    if pad.eraser is not None:
        x, y = (length * pixels for length in pad.eraser)
        pygame.draw.circle(canvas.surface, theme.QUIET, (x, y), ERASER * pixels, 1)
    canvas.frame((0, 0, canvas.width, canvas.height), theme.EDGE, 1)


def _draw_game(canvas: Canvas, game: Game) -> None:
    canvas.fill((8, 8, canvas.width - 16, BANNER), theme.BLUE, theme.ROUND)
    middle, right = 8 + BANNER / 2, canvas.width - 22
    words = "C: new page" if game.over else f"{game.clock}   score {game.score}"
    used = canvas.text(right, middle, words.strip(), theme.CARD, bold=True, anchor="right")
    size = canvas.fitting(game.task, right - used - 34, theme.LARGE)
    canvas.text(22, middle, game.task, theme.CARD, size, bold=True)
    canvas.hit((8, 8, canvas.width - 16, BANNER), ("game", ""), "end the game")
    if game.said:
        canvas.text(22, middle + BANNER / 2 + 18, game.said, theme.TEXT)


def _draw_sheet(canvas: Canvas, sheet: Sheet, paper: Size, zoom: float) -> None:
    H, W = sheet.shade.shape
    x, y, unit = sheet.placed(paper)
    area = (x * zoom, y * zoom, W * unit * zoom, H * unit * zoom)
    canvas.picture(area, sheet.shade, smooth=min(H, W) > 100)
    canvas.frame(area, theme.EDGE, 1)
    words = sheet.name
    if sheet.truth:
        words += f": really {article(sheet.truth)} {sheet.truth}"
    canvas.text(canvas.width / 2, canvas.height - 16, words, theme.QUIET, anchor="center")


def _draw_frames(canvas: Canvas, session: Session, zoom: float) -> None:
    areas = [area_of(digit.box, session, zoom) for digit in session.digits]
    for index in sorted(range(len(areas)), key=lambda index: index == session.selected):
        x, y, _, height = areas[index]
        if session.late:  # the ink on the paper may be another by now
            canvas.frame(areas[index], theme.FAINT, 1.5, dashed=True)
            continue
        beside = [a[0] for a in areas if a[0] > x and a[1] < y + height and y < a[1] + a[3]]
        tag = _draw_frame(canvas, areas[index], session, index, min(beside, default=1e9) - x)
        canvas.hit(tag, ("ask", index), "look at this digit, or correct it")
    for mark in session.unread:
        area = area_of(mark.box, session, zoom)
        canvas.frame(area, theme.QUIET, 1.5, dashed=True)
        _draw_tag(canvas, area, UNREAD, theme.QUIET)


def area_of(box: Area, session: Session, zoom: float) -> Area:
    """The frame around a box of the reading, in logical pixels of the paper's canvas."""
    x, y, width, height = box
    sheet, margin = session.pad.page.sheet, MARGIN + session.pad.brush / 2
    if sheet is not None:
        left, top, unit = sheet.placed(session.pad.size)
        unit *= sheet.unit
        x, y, width, height = left + x * unit, top + y * unit, width * unit, height * unit
        margin = MARGIN
    left, top = max(x - margin, 2.0), max(y - margin, 2.0)
    right = min(x + width + margin, session.pad.size[0] - 2)
    bottom = min(y + height + margin, session.pad.size[1] - 2)
    return left * zoom, top * zoom, (right - left) * zoom, (bottom - top) * zoom


def _draw_frame(canvas: Canvas, area: Area, session: Session, index: int, room: float) -> Area:
    """A frame, and a tag of all words for which there is ``room`` before the neighbor's."""
    digit, label = session.digits[index], session.labels[index]
    trust, selected = verdict(digit, label), index == session.selected
    color = color_of(digit, label)
    canvas.frame(area, color, 3 if selected else 1.5, dashed=trust != "sure")
    words, short = {
        "none": ("not a digit?", UNREAD),
        "unsure": (f"{digit.name}? or {digit.second[0]}", f"{digit.name}?"),
        "sure": (f"{digit.name}  {percent(digit.confidence)}", digit.name),
    }[trust]
    if label is not None:
        words, short = f"you: {label or 'none'}", label or UNREAD
    return _draw_tag(canvas, area, words if _tag_width(canvas, words) < room else short, color)


def _draw_tag(canvas: Canvas, area: Area, words: str, color: Color) -> Area:
    width = _tag_width(canvas, words)
    x, y = area[0], area[1] - TAG
    if y < 0:  # no room above
        y = min(area[1] + area[3], canvas.height - TAG)
    x = max(min(x, canvas.width - width), 0)
    canvas.fill((x, y, width, TAG), color, 5)
    canvas.text(x + 6, y + TAG / 2, words, theme.CARD, theme.SMALLEST, bold=True)
    return x, y, width, TAG


def _tag_width(canvas: Canvas, words: str) -> float:
    return canvas.text_width(words, theme.SMALLEST, bold=True) + 12
