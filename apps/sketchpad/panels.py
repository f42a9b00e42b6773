"""Everything around the paper: header, what was read, the tabs' bar, the shelf, the status line."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad import theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.editor import BRUSHES
from apps.sketchpad.ink_renderer import draw_small
from apps.sketchpad.phrases import article, color_of, percent, sentence, verdict
from apps.sketchpad.session import Session

if TYPE_CHECKING:
    from pygame import Surface

    from apps.sketchpad.context import Look

TAB_MARGIN = 26.0
IMAGE_TOP = 106.0  # of the network's image
COPY = 64.0  # width of the button
MOST_BARS = 10
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


# ------------------------------------------------------------------------------- what was read


def draw_reading(canvas: Canvas, session: Session) -> None:
    """The number, the selected digit's image, and the probabilities of all classes."""
    canvas.card((0, 0, canvas.width, canvas.height), edge=theme.EDGE)
    look, left = session.look(), float(theme.PADDING)
    half = canvas.width * 0.47 - left
    side = min(canvas.height - IMAGE_TOP - theme.PADDING, half - COPY - 16)
    _draw_number(canvas, session, half)
    _draw_image(canvas, (left, IMAGE_TOP, side, side), look)
    buttons = left + side + 16
    canvas.button(
        (buttons, canvas.height - theme.PADDING - 30, COPY, 30),
        "copy",
        ("copy",),
        "copy the number (Ctrl+C)",
        possible=bool(session.pieces),
    )
    bars = left + half + 24
    area = (bars, 12.0, canvas.width - bars - theme.PADDING, canvas.height - 24)
    _draw_bars(canvas, area, session, look)
    if session.late:
        canvas.pale()
    _draw_sentence(canvas, session, look, half)


def _draw_number(canvas: Canvas, session: Session, room: float) -> None:
    """What stands on the paper, as large as there is room; pale is what may be no digit."""
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
        said = "none" if index is None else verdict(session.digits[index])
        said = "sure" if index is not None and labels[index] is not None else said
        color = {"none": theme.FAINT, "unsure": theme.ORANGE, "sure": theme.TEXT}[said]
        width = field.text(x, 34, piece, color, size, bold=True)
        if index is not None and index == session.selected and len(session.digits) > 1:
            field.fill((x, 34 + size * 0.46, width, 4), color_of(session.digits[index]), 2)
        if index is not None:
            field.hit((x, 4, width, 60), ("select", index), "look at this digit")
        x += width


def _draw_sentence(canvas: Canvas, session: Session, look: "Look", room: float) -> None:
    digit, color = look.digit, theme.QUIET
    if session.engine is None and not session.pad.page.empty:
        words = f"{WAITING}; nothing is lost"
    elif digit is None:
        words = "no digit found in this ink" if session.up_to_date else READING
        words = "nothing to read yet" if session.pad.page.empty else words
    elif session.late:
        words, color = READING, theme.TEXT
    elif look.naive:
        words = "P: the whole paper made smaller, as many demonstrations do"
    elif look.label is not None:
        said = f"{article(look.label)} {look.label}" if look.label else "not a digit"
        words = f"You say: {said}. The network: {digit.name} ({percent(digit.confidence)})"
    else:
        words, color = sentence(digit), color_of(digit)
    canvas.lines((theme.PADDING, 66, room, 40), words, color, leading=1.25)


def _draw_image(canvas: Canvas, area: tuple, look: "Look") -> None:
    x, y, width, height = area
    if look.image is None:
        canvas.fill(area, theme.SUNK, 6)
        canvas.text(x + width / 2, y + height / 2, "28 × 28", theme.FAINT, anchor="center")
    else:
        canvas.gray(area, look.image)


def _draw_bars(canvas: Canvas, area: tuple, session: Session, look: "Look") -> None:
    """A bar for each class; the ten likeliest if there are more."""
    x, y, width, height = area
    names = session.engine.classes if session.engine else tuple("0123456789")
    shown, color = _probabilities(look), theme.FAINT
    order = list(range(len(names)))
    if len(names) > MOST_BARS:
        best = np.argsort(-shown)[:MOST_BARS] if shown is not None else order[:MOST_BARS]
        order = [int(index) for index in best]
    if look.digit is not None:
        color = theme.ORANGE if look.naive else color_of(look.digit)
    color = theme.FAINT if session.late else color
    best_one = int(shown.argmax()) if shown is not None else -1
    row_height = height / MOST_BARS
    label = max(canvas.text_width(names[index], theme.SMALLEST, True) for index in order) + 10
    length = width - label - 70
    for row, index in enumerate(order):
        middle = y + (row + 0.5) * row_height
        part = float(shown[index]) if shown is not None else 0.0
        first = index == best_one
        ink = theme.TEXT if first else theme.QUIET if shown is not None else theme.FAINT
        canvas.text(x, middle, names[index], ink, theme.SMALLEST, bold=first)
        canvas.fill((x + label, middle - 5, length, 10), theme.SUNK, 5)
        if part * length >= 1:
            filled = max(part * length, 6)
            canvas.fill((x + label, middle - 5, filled, 10), color if first else theme.FAINT, 5)
        if shown is not None:
            canvas.text(x + width, middle, percent(part), ink, theme.SMALLEST, first, "right")


def _probabilities(look: "Look") -> "np.ndarray | None":
    if look.digit is None:
        return None
    naive = look.naive_way() if look.naive else None
    return naive.probabilities if naive is not None else look.digit.probabilities


# ----------------------------------------------------------------------------------- the tabs


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


@dataclass
class Seen:
    """The last picture of a tab to which no answer was wanting, and where it was."""

    key: Hashable = None
    picture: "Surface | None" = None


def draw_inside(canvas: Canvas, session: Session, seen: Seen) -> None:
    """The shown tab on its card; the picture before, but pale, while it waits for an answer."""
    canvas.card((0, -theme.ROUND, canvas.width, canvas.height + theme.ROUND), edge=theme.EDGE)
    if not session.tabs:
        return
    inner = canvas.part(
        (theme.PADDING, 8, canvas.width - 2 * theme.PADDING, canvas.height - 8 - theme.GAP)
    )
    missing: list[Hashable] = []

    def ask(key: Hashable, job: Callable[..., Any], *arguments: Any) -> Any:
        answer = look.ask(key, job, *arguments)
        missing.extend([key] * (answer is None))
        return answer

    look = session.look()
    session.tabs[session.screen.tab].draw(inner, replace(look, ask=ask))
    key = session.screen.tab, inner.surface.get_size()
    if not missing:
        seen.key, seen.picture = key, inner.surface.copy()
    elif seen.key == key and seen.picture is not None:
        inner.surface.blit(seen.picture, (0, 0))
    if missing or session.late:
        inner.pale()


# ---------------------------------------------------------------------------- shelf and status


def draw_shelf(canvas: Canvas, session: Session) -> None:
    """Past pages, and what can be done with the present one."""
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
    canvas.dot((x + 152, middle), pad.brush / 2, theme.INK)
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
    """How fast it was read, and what there is to know now."""
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
    """What a person may want to know now."""
    if session.engine is None:
        return WAITING
    if not session.engine.compiled:
        return COMPILING
    if session.screen.frozen is not None:
        return "the tab is frozen; Space lets it follow the drawing again"
    look = session.look()
    if look.digit is None:
        return "left button draws, right button erases; T lays a test digit on the paper"
    sheet = session.pad.page.sheet
    if sheet is not None:
        return "Draw to replace the picture; Undo brings it back"
    if look.label:
        return f"You say it is {look.label}. The same key once more takes that back."
    if verdict(look.digit) == "sure":
        return "Wrong? Type the right digit (N: not a digit)"
    return "Unsure. Type the right digit (N: not a digit)"
