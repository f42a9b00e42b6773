"""Which fragments of ink make up one digit: weigh every sensible grouping, choose the best.

Within a line, fragments are sorted from left to right. A digit is then a run of neighboring
fragments, and a reading of the line is a way to divide it into runs. Its weight is a sum of
logarithms:

    for each run              how sure the classifier is that the run is one digit
    between two neighbors     how likely their place makes it that they belong together, or not

so the best of all 2^(n-1) readings comes out of one pass from left to right, in which
``best[k]`` is the weight of the best reading of the first k fragments (dynamic programming).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tinycnn.ink.fragments import Fragments, Group, Span, TextLine

LONGEST_RUN = 9  # fragments in one digit: people use up to four strokes, but many seams are tried
WIDEST_RUN = 2.0  # line heights
HOPELESS = -7.0  # log-odds: neighbors that belong together less probably than that are not tried
TINY = 0.15  # line heights: a dot for certain
LONE_DOT, LONE_MARK = 0.5, 0.02  # probabilities that such ink is no part of a digit
USUAL_WIDTH = 0.8  # line heights: wider digits are rarer
RARER = 4.0  # by this much in log-probability for each line height
MARGIN = 2.0  # score above the threshold that real digits have, and halves and pairs do not
SMALL = 0.35  # line heights: ink smaller than that is a dot, a comma, an apostrophe
CERTAIN = 5.0  # log-odds where geometry leaves little doubt
LOOSE = 0.06  # line heights: small ink farther than that beside a digit is a sign of its own

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
    return Candidates(line, odds, groups)


def _odds(fragments: Fragments, one: int, other: int, height: float) -> float:
    """Log-odds that two neighbors belong together: of their seam, or of two strokes.

    For strokes, a logistic regression on their geometry in line heights; the overlap is the share
    of the narrower one's width that lies above or below the other.
    """
    seam_odds = fragments.seam_odds(one, other)
    if seam_odds is not None:
        return seam_odds
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
    return bool(0.2 < place < 0.8 and min(narrow[3], wide[3]) > max(narrow[1], wide[1]))


def digit_weight(span: Span, height: float, confidence: float, score: float) -> float:
    """Log-probability that a run is one digit: like its class, like any digit, not too wide.

    A digit whose ``score``, above the threshold of the weights, is negative is rejected.
    """
    excess = max((span[2] - span[0]) / height - USUAL_WIDTH, 0.0)
    like_a_digit = -np.logaddexp(0, MARGIN - score)
    return float(np.log(confidence) + like_a_digit - RARER * excess)


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
