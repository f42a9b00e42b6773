"""A page with a frame around every digit that was read in it."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tinycnn.ink.results import Reading
from tinycnn.ink.strokes import bounds
from tinycnn.ink.trace import draw_polylines

# Blue and orange are distinct for color-blind people too; a rejected digit is gray.
SURE, UNSURE, REJECTED = (0, 90, 200), (220, 110, 0), (130, 130, 130)
CERTAIN = 0.9  # confidence from which a frame is blue
LONGER = 1000  # pixels, longer side of the picture of a drawing
MARGIN = 40

Corners = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""


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
    taken: list[Corners] = []
    for digit in reading.digits:
        color = REJECTED if digit.rejected else SURE if digit.confidence >= CERTAIN else UNSURE
        x, y, width, height = (length * scale for length in digit.box)
        x, y = x + corner[0], y + corner[1]
        frame = [x - 2, y - 2, x + width + 2, y + height + 2]
        canvas.rectangle(frame, outline=color, width=max(round(size / 8), 1))
        label = f"{digit.name}{'?' if digit.rejected else ''} {percent(digit.confidence)}"
        place = _free_place(frame, canvas.textbbox((0, 0), label, font=font)[2:], image.size, taken)
        taken.append(place)
        canvas.rectangle(place, fill="white")
        canvas.text(place[:2], label, fill=color, font=font)
    return image


def _free_place(
    frame: Sequence[float], label: Sequence[float], page: tuple[int, int], taken: list[Corners]
) -> Corners:
    """The nearest place on the page, above or below the frame, that no other label takes."""
    left, top, _, bottom = frame
    width, height = label[0] + 1, label[1] + 2
    x = max(min(left, page[0] - width), 0)
    for row in range(len(taken) + 1):
        for y in (top - (row + 1) * height, bottom + 1 + row * height):
            place = x, y, x + width, y + height - 1
            if 0 <= y <= page[1] - height and not any(_overlap(place, other) for other in taken):
                return place
    return x, max(top - height, 0), x + width, max(top, height) - 1


def _overlap(one: Corners, other: Corners) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def percent(confidence: float) -> str:
    """A probability for people; nothing is ever certain."""
    return f"{min(100 * confidence, 99.9):.1f} %"


def draw_drawing(strokes: Sequence[np.ndarray], reading: Reading) -> Image.Image:
    """A drawing, in any unit, with frames around its digits."""
    x0, y0, x1, y1 = bounds(strokes) if strokes else (0.0, 0.0, 1.0, 1.0)
    scale = LONGER / max(x1 - x0, y1 - y0, 1e-9)
    size = round((x1 - x0) * scale) + 2 * MARGIN, round((y1 - y0) * scale) + 2 * MARGIN
    page = draw_polylines([(s - (x0, y0)) * scale + MARGIN for s in strokes], size, width=6)
    return draw_boxes(page, reading, scale, (MARGIN - x0 * scale, MARGIN - y0 * scale))
