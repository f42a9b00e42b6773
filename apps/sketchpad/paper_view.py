"""The paper with its ink, and a frame around everything that was read."""

from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad import layout, theme
from apps.sketchpad.canvas import Area, Canvas
from apps.sketchpad.editor import RUBBER
from apps.sketchpad.ink_renderer import Paper
from apps.sketchpad.phrases import UNREAD, article, color_of, percent, verdict
from apps.sketchpad.session import Session
from apps.sketchpad.theme import Color

if TYPE_CHECKING:
    from tinycnn.ink import Digit

MARGIN = 6.0  # between ink and frame
TAG = 24.0  # height of a tag
HINTS = ("write digits here", "any size, one or several; F1 shows all keys")


def draw_paper(canvas: Canvas, session: Session, paper: Paper) -> None:
    """Draw the paper, the ink, the frames and the rubber."""
    pad = session.pad
    zoom = layout.zoom_of((0, 0, canvas.width, canvas.height), pad.size)
    live = [stroke for stroke in pad.strokes() if stroke.number == 0]
    size = canvas.surface.get_size()
    pixels = zoom * canvas.scale
    canvas.surface.blit(paper.surface(size, pixels, pad.page.strokes, live), (0, 0))
    paper.tip(canvas.surface, live)
    if pad.page.sheet and not live:
        _draw_sheet(canvas, session, zoom)
    if pad.page.empty and not live:
        _draw_hints(canvas, session)
    else:
        _draw_frames(canvas, session, zoom)
    if pad.rubber is not None:
        _draw_rubber(canvas, pad.rubber, zoom)
    canvas.frame((0, 0, canvas.width, canvas.height), theme.EDGE, 1)


def _draw_hints(canvas: Canvas, session: Session) -> None:
    middle = canvas.height / 2
    first, second = HINTS
    canvas.text(canvas.width / 2, middle - 18, first, theme.FAINT, theme.LARGE, anchor="center")
    canvas.text(canvas.width / 2, middle + 14, second, theme.FAINT, anchor="center")


def _draw_sheet(canvas: Canvas, session: Session, zoom: float) -> None:
    sheet = session.pad.page.sheet
    assert sheet is not None
    H, W = sheet.shade.shape
    x, y, unit = sheet.placed(session.pad.size)
    area = (x * zoom, y * zoom, W * unit * zoom, H * unit * zoom)
    canvas.picture(area, np.repeat(sheet.shade[..., None], 3, axis=2), smooth=min(H, W) > 100)
    canvas.frame(area, theme.EDGE, 1)
    words = sheet.name
    if sheet.truth:
        words += f": really {article(sheet.truth)} {sheet.truth}"
    canvas.text(canvas.width / 2, canvas.height - 16, words, theme.QUIET, anchor="center")


def _draw_frames(canvas: Canvas, session: Session, zoom: float) -> None:
    """A frame and a tag for every digit, the selected one last, on top."""
    order = sorted(range(len(session.digits)), key=lambda index: index == session.selected)
    for index in order:
        digit = session.digits[index]
        area = area_of(digit.box, session, zoom)
        if session.late:  # what is on the paper now may be something else
            canvas.frame(area, theme.FAINT, 1.5, dashed=True)
        else:
            selected = index == session.selected
            _draw_frame(canvas, area, digit, session.labels[index], index, selected)
    for mark in session.unread:
        area = area_of(mark.box, session, zoom)
        canvas.frame(area, theme.QUIET, 1.5, dashed=True)
        _draw_tag(canvas, area, UNREAD, theme.QUIET)


def area_of(box: Area, session: Session, zoom: float) -> Area:
    """Where the frame around a box of paper is, in logical pixels of the paper's canvas."""
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


def _draw_frame(
    canvas: Canvas, area: Area, digit: "Digit", label: str | None, index: int, selected: bool
) -> None:
    sure = verdict(digit)
    color = color_of(digit, label)
    dashed = label is None and sure != "sure"
    canvas.frame(area, color, 3 if selected else 1.5, dashed)
    words = _words(digit, label)
    width = canvas.text_width(words, theme.SMALLEST, bold=True) + 12
    if width > area[2] and label is None and sure == "sure" and not selected:
        words = digit.name  # the long tag would hide the neighbor's
    tag = _draw_tag(canvas, area, words, color)
    canvas.hit(tag, ("select", index), "look at this digit")


def _draw_tag(canvas: Canvas, area: Area, words: str, color: Color) -> Area:
    """A word on a frame; returns where it is."""
    width = canvas.text_width(words, theme.SMALLEST, bold=True) + 12
    x, y = area[0], area[1] - TAG
    if y < 0:  # no room above
        y = min(area[1] + area[3], canvas.height - TAG)
    x = max(min(x, canvas.width - width), 0)
    canvas.fill((x, y, width, TAG), color, 5)
    canvas.text(x + 6, y + TAG / 2, words, theme.CARD, theme.SMALLEST, bold=True)
    return x, y, width, TAG


def _words(digit: "Digit", label: str | None) -> str:
    """What the tag says."""
    if label is not None:
        return f"you: {label}" if label else "you: none"
    sure = verdict(digit)
    if sure == "none":
        return "not a digit?"
    if sure == "unsure":
        return f"{digit.name}? or {digit.second[0]}"
    return f"{digit.name}  {percent(digit.confidence)}"


def _draw_rubber(canvas: Canvas, place: tuple[float, float], zoom: float) -> None:
    reach = RUBBER * zoom
    x, y = place[0] * zoom, place[1] * zoom
    canvas.ring((x, y), reach, theme.QUIET)
