"""What was read: digits, marks, and the text they make; as a record, and as pictures for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tinycnn import notebook
from tinycnn.ink.strokes import Step, Strokes, bounds

# Blue and orange are distinct for color-blind people too; a rejected digit is gray.
SURE, UNSURE, REJECTED = (0, 90, 200), (220, 110, 0), (130, 130, 130)
CERTAIN = 0.9  # confidence from which a frame is blue
LONGER = 1000  # pixels, longer side of the picture of a drawing
MARGIN = 40
PANEL = 224  # pixels, side of a panel: 28 times 8
TITLE = 22  # pixels above it
GAP = 8  # pixels around it
WIDEST = 2  # panels that a wide page may take
SMALL = 64  # an image up to this size is enlarged pixel by pixel, white on black

Box = tuple[float, float, float, float]
"""x, y, width, height in the units of the input."""

Ink = np.ndarray | list[np.ndarray]
"""A bitmap (H,W) uint8, 255 is ink, or strokes (n,2)."""

Group = tuple[int, ...]
"""The numbers of some fragments."""


@dataclass(frozen=True, eq=False)
class Mark:
    """Ink on the page that is no digit."""

    box: Box
    name: str  # the sign that it is; empty if it is none that is known
    confidence: float  # how probable it is that it is this sign; 0 if it is none
    read: bool  # whether it is in the text; else it was left out


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit on the page."""

    box: Box
    label: int  # number of the likeliest class
    name: str  # name of that class: a character
    confidence: float  # its probability, calibrated if the weights are
    rejected: bool  # true if it looks like none of the classes; the label is then a guess
    second: tuple[str, float]  # name and probability of the next best class
    probabilities: np.ndarray  # (K,): of all classes
    score: float  # how much it looks like any class: ``rejected`` compares it with a threshold
    image: np.ndarray  # uint8 (28,28): the input of the network
    ink: Ink  # its own ink; the last of ``image_steps`` is ``image``
    fragments: Group  # the numbers of the strokes, or of the bitmap's fragments, that make it up

    @property
    def title(self) -> str:
        """Its name, with a question mark if it is rejected, and its confidence."""
        return f"{self.name}{'?' if self.rejected else ''} {percent(self.confidence)}"


@dataclass(frozen=True)
class Reading:
    """All digits of a page in reading order, and their text."""

    text: str  # what is written: digits, and the signs beside them; line breaks separate lines
    digits: tuple[Digit, ...]
    confidence: float  # probability that all of ``text`` is right; 0 if no digit was found
    inked: bool = True  # false if the page is empty
    marks: tuple[Mark, ...] = ()  # all other ink; what could not be read is not in the text

    @property
    def doubtful(self) -> bool:
        """Whether most of the page is no digit: lines, letters, a drawing."""
        rejected = sum(digit.rejected for digit in self.digits)
        unread = sum(not mark.read for mark in self.marks)
        return 2 * rejected > len(self.digits) or unread > 4 * len(self.digits)

    def _repr_html_(self) -> str:
        """Show the digits where they were read, and the text, in a notebook."""
        if not self.digits:
            return "<p>no digits</p>"
        images, places, labels = zip(*((z.image, z.box, z.title) for z in self.digits), strict=True)
        return notebook.boxes(images, places, labels) + f"<pre>{escape(self.text)}</pre>"


EMPTY = Reading("", (), 0.0, inked=False)


def percent(confidence: float) -> str:
    """A probability for people; nothing is ever certain."""
    return f"{min(100 * confidence, 99.9):.1f} %"


def as_record(reading: Reading) -> dict[str, Any]:
    """Text, confidence and digits of a reading, ready for ``json.dumps``."""

    def place(item: Digit | Mark) -> list[float]:
        return [round(length, 3) for length in item.box]

    digits = [
        {
            "box": place(digit),
            "label": digit.label,
            "name": digit.name,
            "confidence": round(digit.confidence, 6),
            "rejected": digit.rejected,
            "score": round(digit.score, 4),
            "second": {"name": digit.second[0], "confidence": round(digit.second[1], 6)},
        }
        for digit in reading.digits
    ]
    marks = [
        {"box": place(z), "name": z.name, "confidence": round(z.confidence, 6), "read": z.read}
        for z in reading.marks
    ]
    confidence = round(reading.confidence, 6)
    return {"text": reading.text, "confidence": confidence, "digits": digits, "marks": marks}


def draw_boxes(
    page: Image.Image,
    reading: Reading,
    scale: float = 1.0,
    corner: tuple[float, float] = (0.0, 0.0),
) -> Image.Image:
    """Frames, labels and confidences on a copy of ``page``.

    ``scale``: pixels of the page for one unit of the boxes; ``corner``: the place on the page, in
    pixels, of their x = y = 0.
    """
    image = page.convert("RGB")
    canvas = ImageDraw.Draw(image)
    size = max(image.width, image.height) / 60
    font = ImageFont.load_default(max(size, 12))
    taken: list[Box] = []
    for digit in reading.digits:
        color = REJECTED if digit.rejected else SURE if digit.confidence >= CERTAIN else UNSURE
        x, y, width, height = (length * scale for length in digit.box)
        x, y = x + corner[0], y + corner[1]
        frame = [x - 2, y - 2, x + width + 2, y + height + 2]
        canvas.rectangle(frame, outline=color, width=max(round(size / 8), 1))
        label = canvas.textbbox((0, 0), digit.title, font=font)[2:]
        place = _free_place(frame, label, image.size, taken)
        taken.append(place)
        canvas.rectangle(place, fill="white")
        canvas.text(place[:2], digit.title, fill=color, font=font)
    return image


def _free_place(
    frame: Sequence[float], label: Sequence[float], page: tuple[int, int], taken: list[Box]
) -> Box:
    """The nearest place above or below a frame, on the page, that no other label takes.

    Places are x0, y0, x1, y1 in pixels.
    """
    width, height = label[0] + 1, label[1] + 2
    x = max(min(frame[0], page[0] - width), 0)
    rows = range(len(taken) + 1)
    ys = [y for k in rows for y in (frame[1] - (k + 1) * height, frame[3] + 1 + k * height)]
    for y in (y for y in ys if 0 <= y <= page[1] - height):
        place = x, y, x + width, y + height - 1
        others = (z for z in taken if z[0] <= place[2] and place[0] <= z[2])  # in its columns
        if all(place[1] > other[3] or other[1] > place[3] for other in others):
            return place
    return x, max(frame[1] - height, 0), x + width, max(frame[1], height) - 1


def draw_drawing(strokes: Strokes, reading: Reading) -> Image.Image:
    """A drawing, in any unit, with frames around its digits."""
    x0, y0, x1, y1 = bounds(strokes) if strokes else (0.0, 0.0, 1.0, 1.0)
    scale = LONGER / max(x1 - x0, y1 - y0, 1e-9)
    size = round((x1 - x0) * scale) + 2 * MARGIN, round((y1 - y0) * scale) + 2 * MARGIN
    corner = MARGIN - x0 * scale, MARGIN - y0 * scale
    page = _polylines([line * scale + corner for line in strokes], size, width=6)
    return draw_boxes(page, reading, scale, corner)


def draw_trace(rows: Sequence[tuple[str, Sequence[Step]]]) -> Image.Image:
    """One picture of several preparations, a row for each: its title and its steps.

    >>> draw_trace([("a seven", list(strokes_steps(strokes)))]).save("steps.png")
    """
    panels = [[(title, _panel(view)) for title, view in steps] for _, steps in rows]
    height = PANEL + 2 * TITLE + GAP
    widths = [sum(panel.width + GAP for _, panel in row) for row in panels]
    sheet = Image.new("L", (max(widths, default=PANEL) + GAP, len(rows) * height + GAP), 255)
    canvas, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for row, (name, _) in enumerate(rows):
        x, y = GAP, GAP + row * height
        canvas.text((x, y), name, fill=0, font=font)
        for number, (title, panel) in enumerate(panels[row], start=1):
            canvas.text((x, y + TITLE), f"{number}. {title}", fill=90, font=font)
            sheet.paste(panel, (x, y + 2 * TITLE))
            x += panel.width + GAP
    return sheet


def _polylines(lines: Strokes, size: tuple[int, int], width: int) -> Image.Image:
    """Polylines in pixels of an image of size (width, height), black on white."""
    image = Image.new("L", size, 255)
    canvas, half = ImageDraw.Draw(image), width / 2
    for line in lines:
        points = [tuple(point) for point in line.tolist()]
        if len(points) > 1:
            canvas.line(points, fill=0, width=width, joint="curve")
        for x, y in points:
            canvas.ellipse([x - half, y - half, x + half, y + half], fill=0)
    return image


def _panel(view: np.ndarray | Strokes) -> Image.Image:
    """The picture of a step, PANEL pixels high; pages may be wider."""
    if isinstance(view, np.ndarray) and max(view.shape) <= SMALL:
        enlarged = Image.fromarray(view).resize((PANEL, PANEL), Image.Resampling.NEAREST)
        canvas = ImageDraw.Draw(enlarged)
        middle = (view.shape[0] // 2 + 0.5) * PANEL / view.shape[0]  # of pixel 14 of 28
        canvas.line([(middle, 0), (middle, PANEL)], fill=90)
        canvas.line([(0, middle), (PANEL, middle)], fill=90)
        return enlarged
    if isinstance(view, np.ndarray):
        image = Image.fromarray(255 - view)
        image.thumbnail((WIDEST * PANEL, PANEL))
    else:
        x0, y0, x1, y1 = bounds(view) if view else (0.0, 0.0, 1.0, 1.0)
        scale = (PANEL - 4 * GAP) / max(x1 - x0, y1 - y0, 1e-9)
        middle = np.array([x0 + x1, y0 + y1]) / 2
        lines = [(line - middle) * scale + PANEL / 2 for line in view]
        image = _polylines(lines, (PANEL, PANEL), width=3)
    framed = Image.new("L", (max(PANEL, image.width), PANEL), 255)
    framed.paste(image, ((framed.width - image.width) // 2, (PANEL - image.height) // 2))
    ImageDraw.Draw(framed).rectangle([0, 0, framed.width - 1, PANEL - 1], outline=200)
    return framed
