"""Signs in numbers: points, commas, dashes, colons, slashes, plus, equals, percent and currencies.

Small signs are told by their size and place: a dot on the baseline is a point, one above another a
colon. Large signs look like digits to a network that has seen only digits, so their images are
compared with drawn ones, and ink must look more like a sign than nearly all digits do.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise, product

import numpy as np
from scipy import ndimage

from tinycnn.ink.fragments import Fragments, Group, Span, TextLine
from tinycnn.ink.strokes import strokes_to_image

SMALL = 0.35  # line heights: ink smaller than that is a dot, a comma, an apostrophe
DOT = 0.2  # line heights: a dot is no larger
LARGE = {"+": (0.25, 0.85), "": (0.6, 1.6)}  # line heights of a plus, and of other large signs
DASH = 0.4  # height over width: ink flatter than that is a dash
LEANING = 0.15  # run over rise of a slash, to the right
TALLER = 1.1  # times its neighbors: a slash is, and reaches above and below them
NEIGHBORS = 3  # digits beside a sign that say where the line is
WORD_GAP = 0.55  # line heights between words, at least
BLUR = 1.2  # pixels of 28: so far lines may be from where they are in the drawing

STEEPNESS, MARGIN = 50, 2.0  # of the evidence for a sign: in likeness, and in the digit's score

BETWEEN = ".,:'/"  # signs with a digit on both sides
BEFORE, AFTER, BESIDE = "-+", "=%", "$€£"  # signs before, after, and before or after a digit

LIKENESS = {"+": 0.86, "%": 0.845, "$": 0.935, "€": 0.89, "£": 0.885}
"""Correlation with its drawing from which ink is rather that sign than a digit."""


def small_sign(fragments: Fragments, group: Group, line: TextLine) -> str:
    """The sign that ink is by its size and place on the line; empty if it is none."""
    spans = fragments.spans[list(group)]
    shapes = [_shape(span, line.height, fragments.pen) for span in spans[np.argsort(spans[:, 1])]]
    if len(group) == 2:
        x0, _, x1, _ = fragments.span(group)
        stacked = x1 - x0 < 1.5 * float((spans[:, 2] - spans[:, 0]).max()) + 0.1 * line.height
        kinds = "".join(shapes).replace(",", ".")
        return {"..": ":", "--": "="}.get(kinds, "") if stacked else ""
    top, bottom = _digits_beside(fragments, group, line)
    y0, y1 = ((spans[0, 1::2] - top) / (bottom - top)).tolist()
    place, shape = (y0 + y1) / 2, shapes[0] if len(group) == 1 else ""
    if y0 < 0 and y1 > 1.02 and y1 - y0 > TALLER and len(group) == 1:
        return "/" if fragments.lean(group[0]) > LEANING else ""
    if shape == "-" and 0.25 < place < 0.8:
        return "-"
    if shape == "," and place < 0.3:
        return "'"
    if shape == "," and y1 > 0.95:
        return ","
    return "." if shape == "." and place > 0.65 else ""


def _shape(span: np.ndarray, height: float, pen: float) -> str:
    """A dot, a comma, a dash, or nothing of these, by size alone."""
    x0, y0, x1, y1 = span.tolist()
    W, H = x1 - x0, y1 - y0
    if H <= DASH * W and DOT * height < W < 1.5 * height:
        return "-"
    if W < 0.8 * H and 0.11 * height < H <= SMALL * height and 0.5 * pen < H:
        return ","
    return "." if max(W, H) <= max(DOT * height, 1.2 * pen) else ""


def _digits_beside(fragments: Fragments, group: Group, line: TextLine) -> tuple[float, float]:
    """Top and bottom of the digits nearest to a group on its line."""
    spans = fragments.spans
    tall = [i for i in line.order if i not in group and np.ptp(spans[i, 1::2]) > 0.5 * line.height]
    middle = spans[list(group)][:, ::2].mean()
    near = sorted(tall, key=lambda i: abs(spans[i, ::2].mean() - middle))[:NEIGHBORS] or list(group)
    top, bottom = np.median(spans[near, 1::2], axis=0).tolist()
    return top, max(bottom, top + 0.1 * line.height, np.nextafter(top, np.inf))


def large_signs(
    images: np.ndarray, heights: np.ndarray, margins: np.ndarray
) -> list[tuple[str, float]]:
    """The sign that ink looks like, and how probable it is; without a name if it is no sign.

    images (N,28,28) uint8 of the ink; heights (N,) of the ink in line heights; margins (N,), how
    far each score is above the threshold of digits: signs are hardly above it.
    """
    names, drawn = _drawings()
    likeness = _normalized(images) @ drawn.T - [LIKENESS[name] for name in names]
    best = likeness.argmax(axis=1)
    evidence = STEEPNESS * likeness.max(axis=1) + np.clip(MARGIN - margins, -10, MARGIN)
    low, high = np.array([LARGE.get(name, LARGE[""]) for name in names])[best].T
    fits = (evidence > 0) & (low < heights) & (heights < high)
    probable = 1 / (1 + np.exp(-evidence))
    return [(names[k] if f else "", float(p)) for k, f, p in zip(best, fits, probable, strict=True)]


def _normalized(images: np.ndarray) -> np.ndarray:
    """Images (N,28,28) blurred, with mean 0 and length 1: (N,784)."""
    flat = ndimage.gaussian_filter(images.astype(np.float32), (0, BLUR, BLUR))
    flat = flat.reshape(len(images), -1)
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9))


@cache
def _drawings() -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the large signs, and their images in several hands: (T,784), normalized."""
    drawn = []
    for name, strokes in _SIGNS:
        for lean, width in product((-0.15, 0.1, 0.35), (0.8, 1.1)):
            hand = np.array([[width, 0], [-lean, 1]])
            drawn.append((name, strokes_to_image([line @ hand for line in strokes])))
    names, images = zip(*drawn, strict=True)
    return names, _normalized(np.stack(images))


def _arc(x: float, y: float, width: float, height: float, start: int, stop: int) -> np.ndarray:
    """An arc of an ellipse; degrees run clockwise from the right, as y points down."""
    t = np.radians(np.linspace(start, stop, 16))
    return np.column_stack([x + width / 2 * np.cos(t), y + height / 2 * np.sin(t)])


def _line(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, float)


_S = np.concatenate([_arc(0.35, 0.3, 0.55, 0.36, -30, -270), _arc(0.35, 0.68, 0.6, 0.4, -90, 150)])
_C, _HOOK = _arc(0.45, 0.5, 0.7, 1, -50, -310), _arc(0.5, 0.22, 0.35, 0.44, -10, -180)
_FOOT = _line((0.33, 0.5), (0.3, 0.8), (0.1, 1), (0.75, 1))
_SIGNS = (
    ("+", [_line((0, 0.5), (1, 0.5)), _line((0.5, 0), (0.5, 1))]),
    (
        "%",
        [
            _arc(0.2, 0.22, 0.3, 0.4, 0, 360),
            _line((0.85, 0), (0.15, 1)),
            _arc(0.8, 0.78, 0.3, 0.4, 0, 360),
        ],
    ),
    ("$", [_S, _line((0.35, 0), (0.35, 1))]),
    ("$", [_S, _line((0.35, 0.12), (0.35, 0.88))]),
    ("$", [_S, _line((0.28, 0), (0.28, 1)), _line((0.42, 0), (0.42, 1))]),
    ("€", [_C, _line((0, 0.4), (0.6, 0.4)), _line((0, 0.6), (0.55, 0.6))]),
    ("€", [_C, _line((-0.05, 0.4), (0.6, 0.4)), _line((-0.05, 0.6), (0.55, 0.6))]),
    ("£", [np.concatenate([_HOOK, _FOOT]), _line((0.1, 0.52), (0.6, 0.52))]),
)


def write(runs: Sequence[tuple[Span, str, bool]], height: float) -> tuple[str, list[bool]]:
    """The characters of a line, and which of its runs are among them.

    runs: from left to right the span of each, its name, and whether it is a digit. A sign counts
    only beside digits, where numbers have it; a wide gap between digits is a blank.
    """
    digits = [span for span, _, digit in runs if digit]
    gaps = [right[0] - left[2] for left, right in pairwise(digits)]
    usual = float(np.median(gaps)) if len(gaps) > 1 else np.inf
    word_gap = max(WORD_GAP * height, 2.5 * usual)
    text, read, end = "", [], np.inf
    for place, (span, name, digit) in enumerate(runs):
        after = place > 0 and runs[place - 1][2]
        before = place + 1 < len(runs) and runs[place + 1][2]
        places = (before and after, before, after, before != after)
        allowed = zip((BETWEEN, BEFORE, AFTER, BESIDE), places, strict=True)
        read.append(
            digit or (name != "" and any(fits and name in signs for signs, fits in allowed))
        )
        if not read[-1]:
            continue
        blank = digit and span[0] - end > word_gap
        text += " " * blank + name
        end = span[2] if digit else np.inf
    return text, read
