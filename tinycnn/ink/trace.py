"""The steps from ink to 28 x 28 pixels, as one picture.

A preparation is a generator of its steps, and the last step is its result. To get only the
result, take the ``last`` step; ``predict --steps`` draws them all with ``draw_trace``.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

View = np.ndarray | Sequence[np.ndarray]
"""An image (H,W) uint8, 255 is ink, or polylines (n,2) in any unit."""

Step = tuple[str, View]
"""A title and the ink after that step."""

PANEL = 224  # pixels, side of a panel: 28 times 8
TITLE = 22  # pixels above it
GAP = 8  # pixels around it
WIDEST = 2  # panels that a wide page may take
SMALL = 64  # an image up to this size is enlarged pixel by pixel, white on black


def last(steps: Iterable[Step]) -> np.ndarray:
    """The image (H,W) that the steps of a preparation end with."""
    *_, (_, image) = steps
    return np.asarray(image)


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


def draw_polylines(
    lines: Sequence[np.ndarray], size: tuple[int, int], width: int = 3
) -> Image.Image:
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


def panel(lines: Sequence[np.ndarray], side: int) -> Image.Image:
    """Polylines in any unit, scaled to fill a square of ``side`` pixels."""
    if not lines:
        return Image.new("L", (side, side), 255)
    points = np.concatenate(lines)
    corner, extent = points.min(axis=0), np.ptp(points, axis=0)
    scale = (side - 4 * GAP) / max(float(extent.max()), 1e-9)
    offset = (side - extent * scale) / 2
    return draw_polylines([(line - corner) * scale + offset for line in lines], (side, side))


def _panel(view: View) -> Image.Image:
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
        image = panel(view, PANEL)
    framed = Image.new("L", (max(PANEL, image.width), PANEL), 255)
    framed.paste(image, ((framed.width - image.width) // 2, (PANEL - image.height) // 2))
    ImageDraw.Draw(framed).rectangle([0, 0, framed.width - 1, PANEL - 1], outline=200)
    return framed
