"""The path from ink to 28 x 28, made visible: every step hands over what it has so far.

Functions of this package take ``show``, which is called with a title and a picture after each
step. Nobody looking (``unseen``) costs nothing; ``Steps`` keeps the pictures and lays them out.
"""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

View = np.ndarray | Sequence[np.ndarray]
"""An image (H,W) uint8, 255 is ink, or lines (n,2) in any unit."""

Show = Callable[[str, View], None]

PANEL = 224  # pixels, side of a panel: 28 times 8
TITLE = 22  # pixels above it
GAP = 8  # pixels around it
WIDEST = 2  # panels that a wide page may take
SMALL = 64  # an image up to this size is enlarged pixel by pixel, white on black


def unseen(title: str, view: View) -> None:
    """Nobody is looking."""


class Steps:
    """Keeps what it is shown, row by row.

    >>> steps = Steps()
    >>> steps.begin("a seven")
    >>> image = strokes_to_image(strokes, steps)
    >>> steps.picture().save("steps.png")
    """

    def __init__(self) -> None:
        self.rows: list[tuple[str, list[tuple[str, View]]]] = []

    def begin(self, title: str) -> None:
        """Start a new row."""
        self.rows.append((title, []))

    def __call__(self, title: str, view: View) -> None:
        """Keep one step."""
        if not self.rows:
            self.begin("")
        self.rows[-1][1].append((title, view))

    def picture(self) -> Image.Image:
        """All rows under each other."""
        rows = [
            (title, [(name, _panel(view)) for name, view in panels]) for title, panels in self.rows
        ]
        height = PANEL + 2 * TITLE + GAP
        widths = [sum(panel.width + GAP for _, panel in panels) for _, panels in rows]
        size = max(widths, default=PANEL) + GAP, len(rows) * height + GAP
        sheet = Image.new("L", size, 255)
        canvas, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
        for row, (title, panels) in enumerate(rows):
            x, y = GAP, GAP + row * height
            canvas.text((x, y), title, fill=0, font=font)
            for number, (name, panel) in enumerate(panels, start=1):
                canvas.text((x, y + TITLE), f"{number}. {name}", fill=90, font=font)
                sheet.paste(panel, (x, y + 2 * TITLE))
                x += panel.width + GAP
        return sheet


def draw_lines(lines: Sequence[np.ndarray], size: tuple[int, int], width: int = 3) -> Image.Image:
    """Lines in pixels of an image of size (width, height), black on white."""
    image = Image.new("L", size, 255)
    canvas, half = ImageDraw.Draw(image), width / 2
    for line in lines:
        points = [tuple(point) for point in line.tolist()]
        if len(points) > 1:
            canvas.line(points, fill=0, width=width, joint="curve")
        for x, y in points:
            canvas.ellipse([x - half, y - half, x + half, y + half], fill=0)
    return image


def _panel(view: View) -> Image.Image:
    """A picture of a step, PANEL high; pages may be wider."""
    if not isinstance(view, np.ndarray):
        return _framed(panel(view, PANEL))
    if max(view.shape) > SMALL:
        image = Image.fromarray(255 - view)
        image.thumbnail((WIDEST * PANEL, PANEL))
        return _framed(image)
    enlarged = Image.fromarray(view).resize((PANEL, PANEL), Image.Resampling.NEAREST)
    canvas = ImageDraw.Draw(enlarged)
    pixel = PANEL / view.shape[0]
    middle = (view.shape[0] // 2 + 0.5) * pixel  # of pixel 14 of 28
    for start, end in (((middle, 0), (middle, PANEL)), ((0, middle), (PANEL, middle))):
        canvas.line([start, end], fill=90)
    return enlarged


def _framed(image: Image.Image) -> Image.Image:
    """In the middle of a panel with a thin border."""
    framed = Image.new("L", (max(PANEL, image.width), PANEL), 255)
    framed.paste(image, ((framed.width - image.width) // 2, (PANEL - image.height) // 2))
    ImageDraw.Draw(framed).rectangle([0, 0, framed.width - 1, PANEL - 1], outline=200)
    return framed


def panel(lines: Sequence[np.ndarray], side: int) -> Image.Image:
    """Lines in any unit, scaled to fill a square of ``side`` pixels."""
    if not lines:
        return Image.new("L", (side, side), 255)
    points = np.concatenate(lines)
    corner, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = (side - 4 * GAP) / max(float(extent.max()), 1e-9)
    offset = (side - extent * scale) / 2
    return draw_lines([(line - corner) * scale + offset for line in lines], (side, side))
