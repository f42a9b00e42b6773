"""Which pieces of ink make up one digit: every sensible grouping is weighed, the best one found.

Within a line, pieces are sorted from left to right. A digit is then a run of neighboring pieces,
and a reading of the line is a way to cut it into runs. Its weight is a sum of logarithms:

    for each run              how sure the classifier is that the run is one digit
    between two neighbors    how likely their place makes it that they belong together, or not

so the best of all 2^(n-1) readings comes out of one pass from left to right, in which
``best[k]`` is the weight of the best reading of the first k pieces (dynamic programming).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tinycnn.ink.fragments import Group, Pieces, span
from tinycnn.ink.lines import Line

LONGEST_RUN = 9  # pieces in one digit: real ones have up to four strokes, but many cuts are tried
WIDEST_RUN = 2.0  # line heights
HOPELESS = -7.0  # log-odds: neighbors that belong together less probably than that are not tried

Run = tuple[int, int]
"""Pieces start, ..., stop - 1 in the order of the line."""


@dataclass(frozen=True)
class Joins:
    """Log-odds that neighbors belong together: a logistic regression on their geometry."""

    bias: float
    overlap: float  # share of the narrower piece's width that lies above or below the other
    distance: float  # between their center lines, in line heights
    lower: float  # height of the lower piece, in line heights: bars and hats are low
    width: float  # of both together, in line heights


STROKES = Joins(bias=5.0, overlap=6.5, distance=-8.5, lower=-7.3, width=-3.4)


@dataclass(frozen=True)
class Candidates:
    """What a line could be cut into."""

    line: Line
    odds: np.ndarray
    """(n-1,): log-odds that each piece belongs together with the next one."""

    groups: dict[Run, Group]
    """The pieces of every run that could be one digit."""


def candidates(pieces: Pieces, line: Line) -> Candidates:
    """All runs of a line that could be one digit."""
    odds = np.array([_odds(pieces, *pair, line.height) for pair in pairwise(line.order)])
    groups = {}
    for start in range(len(line.order)):
        for stop in range(start + 1, min(start + LONGEST_RUN, len(line.order)) + 1):
            group = tuple(line.order[start:stop])
            x0, _, x1, _ = span(pieces, group)
            if len(group) > 1 and (odds[stop - 2] < HOPELESS or x1 - x0 > WIDEST_RUN * line.height):
                break
            groups[start, stop] = group
    return Candidates(line, odds, groups)


def features(pieces: Pieces, one: int, other: int, height: float) -> tuple[float, ...]:
    """What ``Joins`` weighs: overlap, distance, lower and width of two neighbors."""
    (a0, b0, a1, b1), (c0, d0, c1, d1) = pieces.boxes[one], pieces.boxes[other]
    narrower = max(min(a1 - a0, c1 - c0), 0.05 * height)
    overlap = min(max((min(a1, c1) - max(a0, c0)) / narrower, 0.0), 1.0)
    distance = min(pieces.distance(one, other) / height, 0.5)
    lower = min(b1 - b0, d1 - d0) / height
    return overlap, distance, lower, (max(a1, c1) - min(a0, c0)) / height


def best_reading(row: Candidates, weights: Mapping[Run, float]) -> tuple[list[Run], float]:
    """The best way to cut a line into runs, and how probable it is among all the ways.

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


def _odds(pieces: Pieces, one: int, other: int, height: float) -> float:
    cut = pieces.cut_odds(one, other)
    if cut is not None:
        return cut
    overlap, distance, lower, width = features(pieces, one, other, height)
    j = STROKES
    return j.bias + j.overlap * overlap + j.distance * distance + j.lower * lower + j.width * width
