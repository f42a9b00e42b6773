"""The panels around the paper, from the header to the status line, and the list of keys."""

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import numpy as np
import pygame

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas, Hit
from apps.sketchpad.context import Context, Request
from apps.sketchpad.editor import BRUSHES
from apps.sketchpad.ink_renderer import draw_small
from apps.sketchpad.keys import KEYS
from apps.sketchpad.layout import Area
from apps.sketchpad.phrases import article, color_of, percent, sentence, verdict
from apps.sketchpad.session import Session

TAB_MARGIN = 26.0
IMAGE_TOP = 106.0  # of the network's image
COPY = 64.0  # width of the button
MOST_BARS = 10
KEY_ROW, KEY_MARGIN, KEY_NAMES, KEY_WIDTH = 26.0, 28.0, 205.0, 1160.0  # of the list of keys
WAITING = "the network is being loaded"
READING = "reading \N{HORIZONTAL ELLIPSIS}"
COMPILING = "kernels are being compiled, the first time only; until then NumPy answers"


def draw_header(canvas: Canvas, session: Session) -> None:
    """Name, network and how good it is."""
    middle = canvas.height / 2
    x = theme.GAP + canvas.text(theme.GAP, middle, "tinycnn", size=theme.LARGE, bold=True)
    canvas.text(x + 8, middle + 1, "sketchpad", theme.QUIET, theme.LARGE)
    right = canvas.width - theme.GAP
    canvas.button((right - 92, middle - 15, 92, 30), "F1  keys", ("help",), "all keys")
    engine = session.engine
    words = WAITING if engine is None else "   ".join(filter(None, (engine.name, engine.accuracy)))
    canvas.text(right - 108, middle, words, theme.QUIET, anchor="right")


def draw_reading(canvas: Canvas, session: Session) -> None:
    """The number, the image of the selected digit, and the probabilities of all classes."""
    canvas.fill((0, 0, canvas.width, canvas.height), theme.CARD, theme.ROUND, theme.EDGE)
    context, left = session.context(), float(theme.PADDING)
    half = canvas.width * 0.47 - left
    side = min(canvas.height - IMAGE_TOP - theme.PADDING, half - COPY - 16)
    _draw_number(canvas, session, half)
    image = (left, IMAGE_TOP, side, side)
    if context.image is None:
        canvas.fill(image, theme.SUNK, 6)
        place = left + side / 2, IMAGE_TOP + side / 2
        canvas.text(*place, "28 × 28", theme.FAINT, anchor="center")
    else:
        canvas.picture(image, context.image)
    button = (left + side + 16, canvas.height - theme.PADDING - 30, COPY, 30)
    hint, possible = "copy the number (Ctrl+C)", bool(session.pieces)
    canvas.button(button, "copy", ("copy",), hint, possible=possible)
    bars = left + half + 24
    area = (bars, 12.0, canvas.width - bars - theme.PADDING, canvas.height - 24)
    _draw_bars(canvas, area, session, context)
    if session.late:
        canvas.pale()
    _draw_sentence(canvas, session, context, half)


def _draw_number(canvas: Canvas, session: Session, room: float) -> None:
    """The number on the paper, as large as there is room; ink that may be no digit is pale."""
    size, labels = float(theme.HUGE), session.labels
    pieces = [(piece.replace("\n", " / "), index) for piece, index in session.pieces]
    text = "".join(piece for piece, _ in pieces)
    while canvas.text_width(text, size, bold=True) > room and size > theme.LARGE:
        size -= 2
    if not pieces:
        canvas.text(theme.PADDING, 38, "\u2013", theme.FAINT, size, bold=True)
    field = canvas.part((theme.PADDING, 4, room, 68))
    x = min(room - canvas.text_width(text, size, bold=True), 0.0)  # the end of what is too long
    for piece, index in pieces:
        trust = "none" if index is None else verdict(session.digits[index], labels[index])
        color = {"none": theme.FAINT, "unsure": theme.ORANGE, "sure": theme.TEXT}[trust]
        width = field.text(x, 34, piece, color, size, bold=True)
        if index is not None:
            field.hit((x, 4, width, 60), ("select", index), "look at this digit")
            if index == session.selected and len(session.digits) > 1:
                field.fill((x, 34 + size * 0.46, width, 4), color_of(session.digits[index]), 2)
        x += width


def _draw_sentence(canvas: Canvas, session: Session, context: Context, room: float) -> None:
    digit, color = context.digit, theme.QUIET
    if session.engine is None and not session.pad.page.empty:
        words = f"{WAITING}; nothing is lost"
    elif digit is None:
        words = "no digit found in this ink" if session.up_to_date else READING
        words = "nothing to read yet" if session.pad.page.empty else words
    elif session.late:
        words, color = READING, theme.TEXT
    elif context.naive:
        words = "P: the whole paper made smaller, as many demonstrations do"
    elif context.label is not None:
        said = f"{article(context.label)} {context.label}" if context.label else "not a digit"
        words = f"You say: {said}. The network: {digit.name} ({percent(digit.confidence)})"
    else:
        words, color = sentence(digit), color_of(digit)
    canvas.lines((theme.PADDING, 66, room, 40), words, color, leading=1.25)


def _draw_bars(canvas: Canvas, area: Area, session: Session, context: Context) -> None:
    """A bar for each class; the ten likeliest if there are more."""
    x, y, width, height = area
    names, known = context.classes or tuple("0123456789"), context.probabilities is not None
    shown = np.zeros(len(names)) if context.probabilities is None else context.probabilities
    order = list(range(len(names)))
    if len(names) > MOST_BARS:
        order = np.argsort(-shown, kind="stable")[:MOST_BARS].tolist()
    color = theme.FAINT
    if context.digit is not None and not session.late:
        color = theme.ORANGE if context.naive else color_of(context.digit)
    label = max(canvas.text_width(names[index], theme.SMALLEST, True) for index in order) + 10
    length = width - label - 70
    for row, index in enumerate(order):
        middle = y + (row + 0.5) * height / MOST_BARS
        first = known and index == int(shown.argmax())
        ink = theme.TEXT if first else theme.QUIET if known else theme.FAINT
        canvas.text(x, middle, names[index], ink, theme.SMALLEST, bold=first)
        canvas.fill((x + label, middle - 5, length, 10), theme.SUNK, 5)
        filled = float(shown[index]) * length
        if filled >= 1:
            area = (x + label, middle - 5, max(filled, 6), 10)
            canvas.fill(area, color if first else theme.FAINT, 5)
        if known:
            words = percent(float(shown[index]))
            canvas.text(x + width, middle, words, ink, theme.SMALLEST, first, "right")


def draw_bar(canvas: Canvas, session: Session) -> None:
    """The names of the tabs, with their keys where there is room."""
    x, screen = 0.0, session.screen
    names = [f"F{index + 2} {tab.title}" for index, tab in enumerate(session.tabs)]
    if canvas.text_width("".join(names), bold=True) + len(names) * TAB_MARGIN > canvas.width:
        names = [tab.title for tab in session.tabs]
    widths = [canvas.text_width(name, bold=True) for name in names]
    margin = min((canvas.width - sum(widths)) / max(len(names), 1) - 2, TAB_MARGIN)
    for index, (tab, name, width) in enumerate(zip(session.tabs, names, widths, strict=True)):
        shown, width = index == screen.tab, width + margin
        area = (x, 4, width, canvas.height - 4)
        if shown:
            canvas.fill((x, 4, width, canvas.height + 12), theme.CARD, theme.ROUND, theme.EDGE)
        elif canvas.over(area):
            canvas.fill(area, theme.PALE_BLUE, theme.ROUND)
        color = theme.BLUE if shown else theme.QUIET
        canvas.text(x + width / 2, 6 + canvas.height / 2, name, color, bold=shown, anchor="center")
        canvas.hit(area, ("show", index), f"F{index + 2}: {tab.purpose}")
        x += width + 2


def draw_tab(canvas: Canvas, session: Session, last: dict[Hashable, pygame.Surface]) -> None:
    """The shown tab on its card; its ``last`` picture, but pale, while it waits for an answer."""
    area = (0.0, -theme.ROUND, canvas.width, canvas.height + theme.ROUND)
    canvas.fill(area, theme.CARD, theme.ROUND, theme.EDGE)
    if not session.tabs:
        return
    width, height = canvas.width - 2 * theme.PADDING, canvas.height - 8 - theme.GAP
    inner = canvas.part((theme.PADDING, 8, width, height))
    missing: list[Hashable] = []

    def ask(key: Request, job: Callable[..., Any], *arguments: Any) -> Any:
        answer = context.ask(key, job, *arguments)
        missing.extend([key] * (answer is None))
        return answer

    context = session.context()
    session.tabs[session.screen.tab].draw(inner, replace(context, ask=ask))
    key = session.screen.tab, inner.surface.get_size()
    if not missing:
        last.clear()
        last[key] = inner.surface.copy()
    elif key in last:
        inner.surface.blit(last[key], (0, 0))
    if missing or session.late:
        inner.pale()


def draw_shelf(canvas: Canvas, session: Session) -> None:
    """Buttons for the page, the brush, and past pages."""
    x, middle = float(theme.GAP), canvas.height / 2
    pad = session.pad
    buttons = (
        ("undo", ("undo",), "take the last step back (Ctrl+Z)", pad.can_undo),
        ("redo", ("redo",), "do it again (Ctrl+Y)", pad.can_redo),
        ("clear", ("clear",), "take a new page (C)", not pad.page.empty),
    )
    for label, command, hint, possible in buttons:
        canvas.button((x, middle - 17, 66, 34), label, command, hint, possible=possible)
        x += 72
    x += 12
    x += canvas.text(x, middle, "brush", theme.QUIET, theme.SMALLEST) + 12
    thin, thick = BRUSHES
    part = (pad.brush - thin) / (thick - thin)
    canvas.slider((x, middle - 14, 120, 28), part, ("brush_part",), "width of the line ([ and ])")
    area = (x + 152 - pad.brush / 2, middle - pad.brush / 2, pad.brush, pad.brush)
    canvas.fill(area, theme.INK, pad.brush / 2)
    _draw_past(canvas, session, x + 200)


def _draw_past(canvas: Canvas, session: Session, x: float) -> None:
    side, y = canvas.height - 12, 6.0
    for number, past in enumerate(session.pad.page.past):
        text = " ".join(past.text.split()) or "?"
        text = text if len(text) <= 8 else f"{text[:7]}…"
        width = side + canvas.text_width(text, theme.SMALLEST) + 16
        if x + width > canvas.width - theme.GAP:
            break
        area = (x, y, width, side)
        hover = canvas.over(area)
        canvas.fill(area, theme.PALE_BLUE if hover else theme.CARD, 8, theme.EDGE)
        draw_small(canvas.part((x + 3, y + 3, side - 6, side - 6)), past.page)
        canvas.text(x + side + 4, y + side / 2, text, theme.QUIET, theme.SMALLEST)
        canvas.hit(area, ("recall", number), "take this page up again")
        x += width + 8


def draw_status(canvas: Canvas, session: Session) -> None:
    """The time of the last reading, and a note, a hint or advice."""
    middle, answer = canvas.height / 2, session.answer
    canvas.fill((0, 0, canvas.width, canvas.height), theme.EDGE)
    speed = ""
    if answer is not None and answer.reading.inked:
        speed = f"read in {1000 * answer.seconds:.1f} ms"
    right = canvas.width - theme.GAP
    used = canvas.text(right, middle, speed, theme.QUIET, theme.SMALLEST, anchor="right")
    note = session.screen.note or session.screen.hint or _advice(session)
    if session.screen.typed is not None:
        note = f"Open (path, Enter):  {session.screen.typed}\u2588"
    canvas.part((0, 0, right - used - theme.GAP, canvas.height)).text(
        theme.GAP, middle, note, theme.TEXT, theme.SMALLEST
    )


def _advice(session: Session) -> str:
    """Advice for the present moment."""
    if session.engine is None:
        return WAITING
    if not session.engine.compiled:
        return COMPILING
    if session.screen.frozen is not None:
        return "the tab is frozen; Space lets it follow the drawing again"
    context = session.context()
    if context.digit is None:
        return "left button draws, right button erases; T lays a test digit on the paper"
    if session.pad.page.sheet is not None:
        return "Draw to replace the picture; Undo brings it back"
    if context.label:
        return f"You say it is {context.label}. The same key once more takes that back."
    sure = verdict(context.digit) == "sure"
    return f"{'Wrong?' if sure else 'Unsure.'} Type the right digit (N: not a digit)"


def draw_help(canvas: Canvas, session: Session) -> None:
    """The keys and their commands, in two columns."""
    shade = pygame.Surface(canvas.surface.get_size(), pygame.SRCALPHA)
    shade.fill((*theme.NIGHT, 150))
    canvas.surface.blit(shade, (0, 0))
    hits, part = canvas.hits, min(1.0, canvas.width / (KEY_WIDTH + 2 * KEY_MARGIN))
    canvas = Canvas(canvas.surface, canvas.scale * part)
    rows = listed(session)
    half = (len(rows) + 1) // 2
    width, height = KEY_WIDTH, half * KEY_ROW + 84
    left, top = (canvas.width - width) / 2, max((canvas.height - height) / 2, 0)
    canvas.fill((left, top, width, height), theme.CARD, theme.ROUND)
    canvas.text(left + KEY_MARGIN, top + 34, "Keys", size=theme.LARGE, bold=True)
    hint = "F1 or a click closes this list"
    canvas.text(left + width - KEY_MARGIN, top + 34, hint, theme.QUIET, anchor="right")
    column = (width - KEY_MARGIN) / 2
    for index, (name, does) in enumerate(rows):
        x = left + KEY_MARGIN + (index // half) * column
        y = top + 74 + (index % half) * KEY_ROW
        canvas.text(x, y, name, theme.BLUE, theme.SMALLEST, bold=True)
        explained = canvas.part((x + KEY_NAMES, y - KEY_ROW / 2, column - KEY_NAMES - 8, KEY_ROW))
        explained.text(0, KEY_ROW / 2, does, theme.TEXT, theme.SMALLEST)
    hits.append(Hit((0, 0, canvas.width, canvas.height), ("help",)))


def listed(session: Session) -> list[tuple[str, str]]:
    """All keys, and those of the shown tab, with what they do."""
    rows = [(key.shown, key.does) for key in KEYS if key.does]
    rows += [(f"F{number + 2}", tab.purpose) for number, tab in enumerate(session.tabs)]
    if session.tabs:
        shown = session.tabs[session.screen.tab]
        rows += [(f"{shown.title}: {key.names}", key.does) for key in shown.keys]
    return rows
