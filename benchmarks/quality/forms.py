"""What people fill in: amounts, dates and sums with their signs, and the cells of a form."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from benchmarks.quality.handwriting import Strokes, arc, line
from benchmarks.quality.pages import Sample, grain, page_of, paint, unit_high
from tinycnn.ink import Picture, Reading, Recognizer, read_picture, read_strokes
from tinycnn.ink.results import CERTAIN
from tinycnn.ink.strokes import bounds

AMOUNTS = (
    *("12.50", "3,75", "1,250.00", "-45", "17:30", "$45", "45€", "12/08/2025", "3+4=7", "50%"),
    *("0612 345 678", "2025-08-12", "£8.99", "-0.5", "100", "6.02", "1.000,00"),
)
SIGNS = {  # beside digits that are 1 high
    ".": [line((0, 0.98), (0.02, 1))],
    ",": [line((0.08, 0.92), (0.07, 1), (0, 1.13))],
    "-": [line((0, 0.55), (0.45, 0.56))],
    ":": [line((0, 0.33), (0.02, 0.34)), line((0, 0.85), (0.02, 0.86))],
    "/": [line((0.4, -0.08), (0, 1.1))],
    "%": [arc(0.14, 0.2, 0.24, 0.32), line((0.62, 0), (0.1, 1.05)), arc(0.6, 0.8, 0.24, 0.34)],
    "+": [line((0, 0.55), (0.45, 0.55)), line((0.22, 0.3), (0.22, 0.8))],
    "=": [line((0, 0.42), (0.45, 0.42)), line((0, 0.67), (0.45, 0.67))],
    "$": [
        np.vstack([arc(0.25, 0.27, 0.44, 0.44, -30, -270), arc(0.25, 0.72, 0.48, 0.46, -90, 150)]),
        line((0.25, -0.12), (0.25, 1.12)),
    ],
    "€": [
        arc(0.35, 0.5, 0.64, 1, -45, -315),
        *(line((-0.06, 0.42), (0.45, 0.42)), line((-0.06, 0.6), (0.42, 0.6))),
    ],
    "£": [
        np.vstack([arc(0.35, 0.25, 0.34, 0.5, -10, -180), line((0.25, 0.75), (0.1, 1), (0.6, 1))]),
        line((0.08, 0.55), (0.42, 0.55)),
    ],
}

Hand = Mapping[str, Sequence[Sample]]
"""The digits of one writer, by their labels."""


def hands_of(samples: Sequence[Sample]) -> list[Hand]:
    """The writers of whom there are all ten digits."""
    hands: dict[str, dict[str, list[Sample]]] = {}
    for sample in samples:
        hands.setdefault(sample.writer, {}).setdefault(sample.label, []).append(sample)
    return [hand for hand in hands.values() if {*"0123456789"} <= hand.keys()]


def read_forms(
    samples: Sequence[Sample], recognizer: Recognizer, each: int, cells: int, seed: int
) -> dict[str, dict[str, int]]:
    """How many amounts, by ``each`` hands, and how many of so many cells are exactly right."""
    rng, hands = np.random.default_rng(seed), hands_of(samples)
    found: dict[str, list[tuple[str, Reading]]] = defaultdict(list)
    for text, _ in product(AMOUNTS, range(each if hands else 0)):
        strokes = amount(text, hands[int(rng.integers(len(hands)))], rng)
        found["amounts, strokes"].append((text, read_strokes(strokes, recognizer)))
        page = 255 - page_of(strokes, 100, int(rng.integers(5, 14)))
        found["amounts, pictures"].append((text, read_picture(Picture(page), recognizer)))
    for digit in (samples[i] for i in rng.integers(len(samples), size=cells)):
        page = cell_of(digit, rng)
        found["cells of a form"].append((digit.label, read_picture(Picture(page), recognizer)))
    return {name: _counted(pairs) for name, pairs in found.items()}


def _counted(pairs: Sequence[tuple[str, Reading]]) -> dict[str, int]:
    right = np.array([reading.text == label for label, reading in pairs], bool)
    sure = np.array([reading.confidence >= CERTAIN for _, reading in pairs], bool)
    counts = {"right": right, "sure": sure, "sure_and_right": right & sure}
    return {"n": len(right), **{name: int(z.sum()) for name, z in counts.items()}}


def amount(text: str, hand: Hand, rng: np.random.Generator) -> Strokes:
    """An amount about one unit high, of digits by one writer and signs made by code."""
    strokes: Strokes = []
    x = 0.0
    for sign in text:
        if sign == " ":
            x += 0.75
            continue
        if sign in SIGNS:
            ink = [stroke + rng.normal(0, 0.03, 2) for stroke in SIGNS[sign]]
        else:
            ink = unit_high(hand[sign][int(rng.integers(len(hand[sign])))], rng)
        strokes += [stroke + (x, 0) for stroke in ink]
        x = max(stroke[:, 0].max() for stroke in strokes) + rng.uniform(0.12, 0.3)
    return strokes


def cell_of(digit: Sample, rng: np.random.Generator) -> np.ndarray:
    """A cell cut out of a scanned record, gray levels (H,W): margin, lines, perhaps a rule."""
    inside = rng.integers(60, 160, 2)  # height and width in pixels
    start, stop = rng.integers(3, 14, (2, 2))  # margins
    H, W = inside + start + stop
    strokes = unit_high(digit, rng)
    size = min(rng.uniform(0.45, 0.8) * inside[0], 0.7 * inside[1])
    middle = np.mean([bounds(strokes)[:2], bounds(strokes)[2:]], axis=0)
    place = (start + inside * rng.uniform(0.44, 0.56, 2))[::-1]
    pen = max(rng.uniform(0.05, 0.1) * inside[0], 2)
    ink = paint([(z - middle) * size + place for z in strokes], pen, (H, W)) * rng.uniform(0.6, 0.9)
    page = Image.fromarray(ink.astype(np.uint8))
    canvas, (top, left), (bottom, right) = ImageDraw.Draw(page), start - 2, start + inside + 1
    lines = [(0, top, W, top), (0, bottom, W, bottom), (left, 0, left, H), (right, 0, right, H)]
    if rng.random() < 0.4:
        lines.append((0, bottom - 0.12 * inside[0], W, bottom - 0.12 * inside[0]))
    first, last = [(0, 5), (0, 5), (0, 2), (2, 5)][rng.integers(4)]
    for x0, y0, x1, y1 in lines[first:last]:
        canvas.line([x0, y0, x1, y1], int(rng.integers(90, 230)), int(rng.integers(1, 4)))
    gray = 255 * rng.uniform(0.8, 0.98) - 0.85 * np.asarray(page)
    if rng.random() < 0.6:
        noise = rng.normal(0, 4, (H, W)) + 150 * grain(H, W, rng)
        gray = ndimage.gaussian_filter(gray, 0.7) + noise
    return np.clip(gray, 0, 255).astype(np.uint8)
