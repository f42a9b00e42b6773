"""Pages to read: pen digits laid out in rows, painted with any brush, photographed on bad paper."""

import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from tinycnn.ink.strokes import bounds, check_strokes

GAPS = {"ordinary": (0.12, 0.4), "tight": (0.03, 0.12), "touching": (-0.1, 0.0)}
"""Space between the center lines of neighboring digits, in digit heights."""


@dataclass(frozen=True)
class Sample:
    """A drawing: its strokes, the text it shows, and its writer."""

    strokes: list[np.ndarray]
    label: str
    writer: str = ""
    counts: tuple[int, ...] = ()
    """How many of the strokes belong to each digit, if there are several digits."""

    def digits(self) -> list[list[np.ndarray]]:
        """The strokes of each digit."""
        ends = np.cumsum(self.counts).tolist()
        return [self.strokes[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def load_samples(path: str | Path) -> list[Sample]:
    """The drawings of a stroke file, JSON lines, plain or .gz."""
    with (gzip.open if str(path).endswith(".gz") else open)(path, "rt") as file:
        records = [json.loads(line) for line in file if line.strip()]
    return [
        Sample(check_strokes(r["strokes"]), str(r.get("label", "")), str(r.get("writer", "")))
        for r in records
    ]


Gaps = tuple[float, float]


def unit_high(digit: Sample, rng: np.random.Generator) -> list[np.ndarray]:
    """The strokes of a digit that begins at x = 0 on a line, about one unit high."""
    x0, y0, x1, y1 = bounds(digit.strokes)
    width, height = max(x1 - x0, 1e-9), max(y1 - y0, 1e-9)
    scale = min(1 / height, 1.1 / width) * rng.uniform(0.92, 1.08)
    y = 1 - height * scale + rng.uniform(-0.05, 0.05)
    return [(stroke - (x0, y0)) * scale + (0, y) for stroke in digit.strokes]


def lay_out(digits: Sequence[Sample], gaps: Gaps, rng: np.random.Generator) -> Sample:
    """Digits in a row, about one unit high, with gaps drawn from the range ``gaps``."""
    strokes, x = [], 0.0
    for digit in digits:
        placed = unit_high(digit, rng)
        strokes += [stroke + (x, 0) for stroke in placed]
        x += bounds(placed)[2] + rng.uniform(*gaps)
    text = "".join(digit.label for digit in digits)
    return Sample(strokes, text, counts=tuple(len(digit.strokes) for digit in digits))


def strings(
    samples: Sequence[Sample], count: int, gaps: Gaps, rng: np.random.Generator
) -> list[Sample]:
    """Rows of 2 to 5 digits, by any writers."""
    return [
        lay_out([samples[i] for i in rng.integers(len(samples), size=length)], gaps, rng)
        for length in rng.integers(2, 6, size=count)
    ]


def paint(strokes: Sequence[np.ndarray], brush: float, size: tuple[int, int]) -> np.ndarray:
    """Strokes in pixels as a drawing program leaves them: hard edges, ink (H,W) uint8.

    Pillow draws, not the library, so that nothing here is fitted to itself.
    """
    H, W = size
    image = Image.new("L", (W, H))
    canvas, half = ImageDraw.Draw(image), brush / 2
    for stroke in strokes:
        points = [tuple(point) for point in stroke.tolist()]
        if len(points) > 1:
            canvas.line(points, 255, round(brush))
        for x, y in points:
            canvas.ellipse([x - half + 0.5, y - half + 0.5, x + half - 0.5, y + half - 0.5], 255)
    return np.asarray(image)


def on_canvas(
    strokes: Sequence[np.ndarray], brush: float, rng: np.random.Generator, side: int = 280
) -> np.ndarray:
    """One drawing somewhere on a square canvas, its longer side 120 to 240 of 280 pixels."""
    x0, y0, x1, y1 = bounds(strokes)
    longer = max(side * rng.uniform(120, 240) / 280, 2 * brush)
    scale = (longer - brush) / max(x1 - x0, y1 - y0, 1e-9)
    room = side - brush - np.array([x1 - x0, y1 - y0]) * scale
    corner = rng.uniform(size=2) * np.maximum(room, 0) + brush / 2
    return paint([(s - (x0, y0)) * scale + corner for s in strokes], brush, (side, side))


def shrink(ink: np.ndarray) -> np.ndarray:
    """The naive way to prepare a digit: scale the whole canvas down; (H,W) -> uint8 (28,28)."""
    return np.asarray(Image.fromarray(ink).resize((28, 28), Image.Resampling.BOX))


def page_of(strokes: Sequence[np.ndarray], height: float, brush: float) -> np.ndarray:
    """A bitmap that a row of digits fills, ``height`` pixels for one unit, with a margin."""
    x0, y0, x1, y1 = bounds(strokes)
    margin = 0.3 * height + brush
    size = (round((y1 - y0) * height + 2 * margin), round((x1 - x0) * height + 2 * margin))
    return paint([(s - (x0, y0)) * height + margin for s in strokes], brush, size)


def photograph(
    ink: np.ndarray, rng: np.random.Generator, ruled: bool = False, quality: int = 70
) -> bytes:
    """A JPEG of ink (H,W) on paper with grain, uneven light, a shadow, blur and noise."""
    H, W = ink.shape
    tilt = rng.uniform(-3, 3)  # degrees
    tilted = ndimage.rotate(ink.astype(np.float32) / 255, tilt, reshape=False, order=1)
    paper = rng.uniform(0.75, 0.95) * (1 + grain(H, W, rng))
    if ruled:
        paper *= 1 - rng.uniform(0.15, 0.35) * _rules(H, W, rng)
    seen = paper * (1 - rng.uniform(0.5, 0.85) * ndimage.gaussian_filter(tilted, 0.7))
    seen = np.clip(seen * _light(H, W, rng), 0, 1) * 255 + rng.normal(0, rng.uniform(2, 7), (H, W))
    colors = np.stack([seen, seen * 0.98, seen * 0.93], axis=-1)
    return encoded(Image.fromarray(np.clip(colors, 0, 255).astype(np.uint8)), "JPEG", quality)


SMALL_PHOTO = (1200, 900)  # pixels: the size of the grain and of the rules that are enlarged
PHOTO_DIGIT = 100  # pixels of it, height of a digit


def photo_of(
    strokes: Sequence[np.ndarray], rng: np.random.Generator, size: tuple[int, int] = SMALL_PHOTO
) -> bytes:
    """A JPEG of ink on ruled paper, enlarged to ``size`` from a smaller photo."""
    ink = page_of([stroke / 100 for stroke in strokes], PHOTO_DIGIT, PHOTO_DIGIT / 10)
    W, H = SMALL_PHOTO
    page = np.zeros((H, W), np.uint8)
    top, left = (H - ink.shape[0]) // 2, (W - ink.shape[1]) // 2
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    small = Image.open(io.BytesIO(photograph(page, rng, ruled=True)))
    return encoded(small.resize(size, Image.Resampling.BICUBIC), "JPEG")


def encoded(image: Image.Image, kind: str, quality: int = 75) -> bytes:
    """Return the bytes of an image file."""
    file = io.BytesIO()
    image.save(file, kind, quality=quality)
    return file.getvalue()


def grain(H: int, W: int, rng: np.random.Generator) -> np.ndarray:
    """Fibers and stains: noise of two sizes, a few per cent strong."""
    fine = ndimage.gaussian_filter(rng.normal(size=(H, W)), 1.5)
    coarse = ndimage.zoom(rng.normal(size=(H // 40 + 2, W // 40 + 2)), 40, order=1)[:H, :W]
    return 0.02 * fine / fine.std() + 0.015 * coarse


def _rules(H: int, W: int, rng: np.random.Generator) -> np.ndarray:
    """Ruled lines, slightly tilted, two or three pixels thick."""
    y, x = np.mgrid[:H, :W]
    spacing = H / rng.uniform(4, 9)
    distance = np.abs((y + x * rng.uniform(-0.02, 0.02) + rng.uniform(0, spacing)) % spacing)
    return np.clip(rng.uniform(1.5, 3) - distance, 0, 1)


def _light(H: int, W: int, rng: np.random.Generator) -> np.ndarray:
    """A gradient to half the light, and the soft shadow of the photographer."""
    y, x = np.mgrid[:H, :W] / max(H, W)
    angle, edge = rng.uniform(0, 2 * np.pi, 2)
    gradient = 1 - 0.5 * np.clip(x * np.cos(angle) + y * np.sin(angle), 0, 1)
    side = (x - W / 2 / max(H, W)) * np.cos(edge) + (y - H / 2 / max(H, W)) * np.sin(edge)
    return gradient * (1 - 0.35 / (1 + np.exp(-(side - rng.uniform(0, 0.3)) * 40)))
