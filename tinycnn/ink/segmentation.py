"""Which fragments of ink make up one digit or sign: weigh every sensible grouping, choose the best.

Within a line, fragments are sorted from left to right. A digit is then a run of neighboring
fragments, and a reading of the line is a way to divide it into runs. Its weight is a sum of
logarithms:

    for each run              how sure the classifier is that the run is one digit
    between two neighbors     how likely their place makes it that they belong together, or not

so the best of all 2^(n-1) readings comes out of one pass from left to right, in which
``best[k]`` is the weight of the best reading of the first k fragments (dynamic programming).

Small signs are told by their size and place: a dot on the baseline is a point, one above another a
colon. Large signs look like digits to a network that has seen only digits, so their images are
compared with drawn ones, and ink must look more like a sign than nearly all digits do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product

import numpy as np
from scipy import ndimage

from tinycnn.ink.fragments import Fragments, Span, TextLine
from tinycnn.ink.results import Digit, Group, Mark
from tinycnn.ink.strokes import strokes_to_image

LONGEST_RUN = 9  # fragments in one digit: people use up to four strokes
WIDEST_RUN = 2.0  # line heights
HOPELESS = -7.0  # log-odds: neighbors that belong together less probably than that are not tried
RARELY = -3.0  # log-odds: no gap speaks more against two fragments than that, if they are tried
TINY = 0.15  # line heights: a dot for certain
LONE_DOT, LONE_MARK = 0.5, 0.02  # probabilities that such ink is no part of a digit
USUAL_WIDTH = 0.8  # line heights: wider digits are rarer
RARER = 4.0  # by this much in log-probability for each line height
MARGIN = 1.6  # score above the threshold that real digits have, and halves and pairs do not
ONE = 3.0  # score above the threshold that two digits in one image do not have
TOGETHER = 0.5  # of what it says against several digits, it says for one in several parts
CERTAIN = 5.0  # log-odds where geometry leaves little doubt
SMALL = 0.35  # line heights: ink smaller than that is a dot, a comma, an apostrophe
LOOSE = 0.06  # line heights: small ink farther than that beside a digit is a sign of its own
DOT = 0.2  # line heights: a dot is no larger
LARGE = {"+": (0.25, 0.85), "": (0.6, 1.6)}  # line heights of a plus, and of other large signs
DASH = 0.4  # height over width: ink flatter than that is a dash
LEANING = 0.15  # run over rise of a slash, to the right
TALLER = 1.1  # times its neighbors: a slash is, and reaches above and below them
NEIGHBORS = 3  # digits beside a sign that say where the line is
BLUR = 1.2  # pixels of 28: so far lines may be from where they are in the drawing

STEEPNESS, HARDLY = 50, 2.0  # of the evidence for a sign: in likeness, and in the digit's score
WORD_GAP = 0.55  # line heights between words, at least
BETWEEN = ".,:'/"  # signs with a digit on both sides
BEFORE, AFTER, BESIDE = "-+", "=%", "$€£"  # signs before, after, and before or after a digit

LIKENESS = {"+": 0.86, "%": 0.845, "$": 0.935, "€": 0.89, "£": 0.92}
"""Correlation with its drawing from which ink is rather that sign than a digit."""

Run = tuple[int, int]
"""Fragments start, ..., stop - 1 in the order of the line."""


@dataclass(frozen=True)
class Candidates:
    """The runs into which a line could be divided."""

    line: TextLine
    odds: np.ndarray  # (n-1,), log-odds that each fragment belongs together with the next one
    groups: dict[Run, Group]  # the fragments of every run that could be one digit


def candidates(fragments: Fragments, line: TextLine) -> Candidates:
    """All runs of a line that could be one digit."""
    odds = np.array([_odds(fragments, *pair, line.height) for pair in pairwise(line.order)])
    groups = {}
    for start in range(len(line.order)):
        for stop in range(start + 1, min(start + LONGEST_RUN, len(line.order)) + 1):
            group = tuple(line.order[start:stop])
            x0, _, x1, _ = fragments.span(group)
            if len(group) > 1 and (odds[stop - 2] < HOPELESS or x1 - x0 > WIDEST_RUN * line.height):
                break
            groups[start, stop] = group
    return Candidates(line, np.maximum(odds, RARELY), groups)


def _odds(fragments: Fragments, one: int, other: int, height: float) -> float:
    """Log-odds that two neighbors belong together.

    A logistic regression on the geometry of strokes in line heights; the overlap is the share
    of the narrower one's width that lies above or below the other.
    """
    (a0, b0, a1, b1), (c0, d0, c1, d1) = fragments.spans[one], fragments.spans[other]
    if _is_loose(fragments.spans[[one, other]], height, fragments.pen):
        return -CERTAIN
    if _is_across(fragments.spans[[one, other]], height):
        return CERTAIN
    narrower = max(min(a1 - a0, c1 - c0), 0.05 * height)
    overlap = min(max((min(a1, c1) - max(a0, c0)) / narrower, 0.0), 1.0)
    distance = min(fragments.distance(one, other) / height, 0.5)
    lower = min(b1 - b0, d1 - d0) / height  # bars and hats are low
    width = (max(a1, c1) - min(a0, c0)) / height  # of both together
    return float(5.0 + 6.5 * overlap - 8.5 * distance - 7.3 * lower - 3.4 * width)


def _is_loose(spans: np.ndarray, height: float, pen: float) -> bool:
    """Whether one of two fragments is a sign beside the other: small, low enough, and apart."""
    small, large = spans[np.argsort((spans[:, 2:] - spans[:, :2]).max(axis=1))]
    W, H = small[2:] - small[:2]
    gap = max(small[0] - large[2], large[0] - small[2])
    place = (small[1] + small[3]) / 2 - large[1]
    signlike = max(W, H) <= SMALL * height or (H <= 0.4 * W and 0.8 * height > W)
    apart = gap > LOOSE * height + pen / 2
    return bool(signlike and apart and place > 0.3 * (large[3] - large[1]))


def _is_across(spans: np.ndarray, height: float) -> bool:
    """Whether one of two fragments runs through the middle of the other, as in a slashed zero."""
    narrow, wide = spans[np.argsort(spans[:, 2] - spans[:, 0])]
    place = ((narrow[0] + narrow[2]) / 2 - wide[0]) / max(wide[2] - wide[0], 0.2 * height)
    return bool(0.15 < place < 0.85 and min(narrow[3], wide[3]) > max(narrow[1], wide[1]))


def digit_weight(span: Span, height: float, confidence: float, score: float) -> float:
    """Log-probability that a run is one digit: like its class, like any digit, not too wide.

    A digit whose ``score``, above the threshold of the weights, is negative is rejected.
    """
    excess = max((span[2] - span[0]) / height - USUAL_WIDTH, 0.0)
    like_a_digit = -np.logaddexp(0, MARGIN - score)
    return float(np.log(confidence) + like_a_digit - RARER * excess)


def several_weight(score: float) -> float:
    """Log-probability that ink is not just one digit, whose score above the threshold is given."""
    return -float(np.logaddexp(0, score - ONE))


def mark_weight(span: Span, height: float, sign: str) -> float:
    """Log-probability that ink is on its own and no part of a digit, given the sign it may be."""
    tiny = max(span[2] - span[0], span[3] - span[1]) < TINY * height
    return float(np.log(LONE_DOT if tiny or sign else LONE_MARK))


def best_reading(row: Candidates, weights: Mapping[Run, float]) -> tuple[list[Run], float]:
    """The best way to divide a line into runs, and how probable it is among all the ways.

    weights: for every run of ``row``, the log-probability that it is a digit.
    """
    joined = -np.logaddexp(0, -row.odds)  # log-probabilities of being together, and of being apart
    apart = -np.logaddexp(0, row.odds)
    count = len(row.line.order)
    best, total = np.full(count + 1, -np.inf), np.full(count + 1, -np.inf)
    best[0] = total[0] = 0
    came_from = [0] * (count + 1)
    for (start, stop), weight in sorted(weights.items(), key=lambda item: item[0][1]):
        weight = weight + joined[start : stop - 1].sum() + apart[stop - 1 : stop].sum()
        total[stop] = np.logaddexp(total[stop], total[start] + weight)
        if best[start] + weight > best[stop]:
            best[stop], came_from[stop] = best[start] + weight, start
    path, stop = [], count
    while stop:
        path.append((came_from[stop], stop))
        stop = came_from[stop]
    return path[::-1], float(np.exp(best[count] - total[count]))


def small_sign(fragments: Fragments, group: Group, line: TextLine) -> str:
    """The sign that ink is by its size and place on the line; empty if it is none."""
    spans = fragments.spans[list(group)]
    shape = "".join(_shape(span, line.height, fragments.pen) for span in spans)
    if len(group) == 2:
        x0, _, x1, _ = fragments.span(group)
        stacked = x1 - x0 < 1.5 * float((spans[:, 2] - spans[:, 0]).max()) + 0.1 * line.height
        return {"..": ":", "--": "="}.get(shape.replace(",", "."), "") if stacked else ""
    top, bottom = _digits_beside(fragments, group, line)
    y0, y1 = ((spans[0, 1::2] - top) / (bottom - top)).tolist()
    place = (y0 + y1) / 2
    if y0 < 0 and y1 > 1.02 and y1 - y0 > TALLER:
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
    spans, order = fragments.spans, np.array(line.order)
    heights = spans[order, 3] - spans[order, 1]
    tall = order[(heights > 0.5 * line.height) & ~np.isin(order, group)]
    away = abs(spans[tall, ::2].mean(axis=1) - spans[list(group)][:, ::2].mean())
    near = tall[np.argsort(away, kind="stable")[:NEIGHBORS]] if len(tall) else list(group)
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
    # not @: for so little work, waking the threads of a matrix product takes longer than the work
    likeness = np.einsum("nd,td->nt", _normalized(images), drawn)
    likeness -= np.array([LIKENESS[name] for name in names], np.float32)
    best = likeness.argmax(axis=1)
    evidence = STEEPNESS * likeness.max(axis=1) + np.clip(HARDLY - margins, -10, HARDLY)
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
_RING = _arc(0, 0, 0.3, 0.4, 0, 360)
_FOOT = _line((0.33, 0.5), (0.3, 0.8), (0.1, 1), (0.75, 1))
_SIGNS = (
    ("+", [_line((0, 0.5), (1, 0.5)), _line((0.5, 0), (0.5, 1))]),
    ("%", [_RING + (0.2, 0.22), _line((0.85, 0), (0.15, 1)), _RING + (0.8, 0.78)]),
    ("$", [_S, _line((0.35, 0), (0.35, 1))]),
    ("$", [_S, _line((0.35, 0.12), (0.35, 0.88))]),
    ("$", [_S, _line((0.28, 0), (0.28, 1)), _line((0.42, 0), (0.42, 1))]),
    ("€", [_C, _line((0, 0.4), (0.6, 0.4)), _line((0, 0.6), (0.55, 0.6))]),
    ("€", [_C, _line((-0.05, 0.4), (0.6, 0.4)), _line((-0.05, 0.6), (0.55, 0.6))]),
    ("£", [np.concatenate([_HOOK, _FOOT]), _line((0.1, 0.52), (0.6, 0.52))]),
)


def write(
    spans: Sequence[Span], found: Sequence[Digit | Mark], height: float
) -> tuple[str, list[bool]]:
    """The characters of a line from left to right, and what of ``found`` is among them.

    A sign counts only beside digits, where numbers have it; a wide gap between digits is a blank.
    """
    digital = [isinstance(z, Digit) for z in found]
    digits = [span for span, digit in zip(spans, digital, strict=True) if digit]
    gaps = [right[0] - left[2] for left, right in pairwise(digits)]
    usual = float(np.median(gaps)) if len(gaps) > 1 else np.inf
    word_gap = max(WORD_GAP * height, 2.5 * usual)
    text, read, end = "", [], np.inf
    around = zip([False, *digital[:-1]], digital, [*digital[1:], False], strict=True)
    for span, z, (after, digit, before) in zip(spans, found, around, strict=True):
        signs = BETWEEN * (before and after) + BEFORE * before + AFTER * after
        signs += BESIDE * (before != after)
        read.append(digit or (z.name != "" and z.name in signs))
        if read[-1]:
            text += " " * (digit and span[0] - end > word_gap) + z.name
            end = span[2] if digit else np.inf
    return text, read
