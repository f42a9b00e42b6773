"""The panels around the paper: the reading, the tabs, and the line of advice."""

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import pygame

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.context import Command, Context, Request
from apps.sketchpad.phrases import article, color_of, percent, sentence, verdict
from apps.sketchpad.session import Session

TAB_MARGIN = 26.0
COPY = 64.0  # width of the button
NUMBER = 124.0  # height of the number and what is thought of it
LARGEST_IMAGE = 160.0
WAITING = "The network is being loaded."
READING = "reading \N{HORIZONTAL ELLIPSIS}"
COMPILING = "It still reads slowly: the fast code is being compiled, this first time only."


def draw_reading(canvas: Canvas, session: Session) -> None:
    """The number, what is thought of the selected digit, and its image."""
    canvas.fill((0, 0, canvas.width, canvas.height), theme.CARD, theme.ROUND, theme.EDGE)
    context, pad = session.context(), float(theme.PADDING)
    stacked = canvas.height > 0.6 * canvas.width
    top = NUMBER if stacked else pad
    side = min(canvas.height - top - pad, LARGEST_IMAGE)
    image = (pad if stacked else canvas.width - pad - side, top, side, side)
    right = canvas.width - pad if stacked else image[0] - theme.GAP
    if context.image is not None:
        canvas.picture(image, context.image)
        canvas.hit(image, ("steps",), "what the network sees; a click shows how it was made")
    button = (right - COPY, pad, COPY, 30)
    possible = bool(session.pieces)
    canvas.button(button, "Copy", ("copy",), "copy the number (Ctrl+C)", possible=possible)
    _draw_number(canvas, session, right - COPY - 8 - pad)
    if session.late:
        canvas.veil(theme.CARD, 150)
    _draw_sentence(canvas, session, context, right - pad)


def _draw_number(canvas: Canvas, session: Session, room: float) -> None:
    labels = session.labels
    pieces = [(piece.replace("\n", " / "), index) for piece, index in session.pieces]
    text = "".join(piece for piece, _ in pieces)
    size = canvas.fitting(text, room, theme.HUGE, theme.LARGE)
    field = canvas.part((theme.PADDING, 4, room, 68))
    x = min(room - canvas.text_width(text, size, bold=True), 0.0)  # the end of what is too long
    for piece, index in pieces:
        trust = "none" if index is None else verdict(session.digits[index], labels[index])
        color = {"none": theme.FAINT, "unsure": theme.ORANGE, "sure": theme.TEXT}[trust]
        width = field.text(x, 34, piece, color, size, bold=True)
        if index is not None:
            field.hit((x, 4, width, 60), ("ask", index), "look at this digit, or correct it")
            if index == session.selected and len(session.digits) > 1:
                field.fill((x, 34 + size * 0.46, width, 4), color_of(session.digits[index]), 2)
        x += width


def _draw_sentence(canvas: Canvas, session: Session, context: Context, room: float) -> None:
    digit, color = context.digit, theme.QUIET
    if session.engine is None and not session.pad.page.empty:
        words = f"{WAITING}; nothing is lost"
    elif digit is None:
        words = "no digit found in this ink" if session.up_to_date else READING
        words = "Nothing to read yet." if session.pad.page.empty else words
    elif session.late:
        words, color = READING, theme.TEXT
    elif context.label is not None:
        said = f"{article(context.label)} {context.label}" if context.label else "not a digit"
        words = f"You say: {said}. The network: {digit.name} ({percent(digit.confidence)})"
    else:
        words, color = sentence(digit), color_of(digit)
    canvas.lines((theme.PADDING, 74, room, 40), words, color, leading=1.25)


def draw_bar(canvas: Canvas, session: Session, compact: bool) -> None:
    """The names of the tabs; in a small window, where they lie over the paper, also the paper."""
    x, screen = 0.0, session.screen
    over = True if compact else None
    items: list[tuple[str, Command, str]] = [
        (tab.title, ("show", k, over), f"F{k + 2}: {tab.purpose}")
        for k, tab in enumerate(session.tabs)
    ]
    shown = screen.tab
    if compact or screen.enlarged:
        items = [("Paper", ("enlarged",), "back to the paper (Enter)"), *items]
        shown = shown + 1 if screen.enlarged else 0
    names = [item[0] for item in items]
    size = canvas.fitting("".join(names), canvas.width - 12 * len(names), theme.NORMAL, 8)
    widths = [canvas.text_width(name, size, bold=True) for name in names]
    margin = min((canvas.width - sum(widths)) / max(len(names), 1) - 2, TAB_MARGIN)
    for index, ((name, command, hint), width) in enumerate(zip(items, widths, strict=True)):
        here, width = index == shown, width + margin
        area = (x, 4, width, canvas.height - 4)
        if here:
            canvas.fill((x, 4, width, canvas.height + 12), theme.CARD, theme.ROUND, theme.EDGE)
        elif canvas.over(area):
            canvas.fill(area, theme.PALE_BLUE, theme.ROUND)
        color, middle = theme.BLUE if here else theme.QUIET, 3 + canvas.height / 2
        canvas.text(x + width / 2, middle, name, color, size, here, "center")
        if not (here and name == "Paper"):
            canvas.hit(area, command, hint)
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
        inner.veil(theme.CARD, 150)


def draw_foot(canvas: Canvas, session: Session) -> None:
    """A note or advice; and how long reading took, for developers."""
    middle, screen, answer = canvas.height / 2, session.screen, session.answer
    right = canvas.width - theme.GAP
    if screen.developer and answer is not None and answer.reading.inked:
        speed = f"read in {1000 * answer.seconds:.1f} ms"
        right -= canvas.text(right, middle, speed, theme.QUIET, 15, anchor="right") + theme.GAP
    words = screen.note or _advice(session)
    canvas.part((0, 0, right, canvas.height)).text(theme.GAP, middle, words, size=theme.SMALLEST)


def _advice(session: Session) -> str:
    if session.engine is None:
        return WAITING
    if not session.engine.compiled:
        return COMPILING
    context = session.context()
    if context.digit is None:
        return "Write with the left button, erase with the right one."
    if session.pad.page.sheet is not None:
        return "Draw to replace the picture; Undo brings it back"
    if context.label:
        return f"You say it is {context.label}. The same once more takes that back."
    if session.pad.single:
        return "All ink is read as one digit. One digit in the toolbar ends that."
    sure = verdict(context.digit) == "sure"
    return f"{'Wrong?' if sure else 'Unsure.'} Click its tag, or type the right digit."
