"""Reading one line of ink: a run of fragments is a digit, a mark, or several digits that touch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tinycnn.data.catalogue import DIGITS
from tinycnn.ink.bitmaps import bitmap_to_image
from tinycnn.ink.fragments import BitmapFragments, Fragments, Span
from tinycnn.ink.results import Box, Digit, Group, Ink, Mark, Reading
from tinycnn.ink.segmentation import (
    TOGETHER,
    Candidates,
    Run,
    best_reading,
    digit_weight,
    large_signs,
    mark_weight,
    several_weight,
    small_sign,
    write,
)
from tinycnn.ink.windows import Link, may_be_several, read_chain
from tinycnn.nn.classifier import Recognizer

MOST_JOINED = 3  # components that are read as several digits together
PLACED = 0.95  # probability of a sign that is told by its size and place
RATHER = 4.0  # times the log of its probability: what a sign gives up to several digits

Seen = Mapping[Group, Digit]
"""The digit in each group of fragments that may be one."""

Signs = Mapping[Group, tuple[str, float]]
"""The sign in each group that looks like one, and how probable it is."""

Place = tuple[Span, Digit | Mark]
"""Where on a line a digit or mark is, and what it is."""

Several = tuple[float, list[Place]]
"""Digits that touch, and the log-probability that they are what the ink shows."""

Output = tuple[np.ndarray, np.ndarray, float]
"""An image, its probabilities and its score."""


def digit_of(box: Box, ink: Ink, fragments: Group, output: Output, recognizer: Recognizer) -> Digit:
    """The digit that a network saw in some ink, the likeliest class of its output."""
    image, probabilities, score = output
    best, second = np.argsort(-probabilities, kind="stable")[:2]
    return Digit(
        box=box,
        label=int(best),
        name=recognizer.classes[best],
        confidence=float(probabilities[best]),
        rejected=bool(score < recognizer.threshold),
        second=(recognizer.classes[second], float(probabilities[second])),
        probabilities=probabilities,
        score=float(score),
        image=image,
        ink=ink,
        fragments=fragments,
    )


def find_signs(
    fragments: Fragments, rows: Sequence[Candidates], seen: Seen, threshold: float
) -> Signs:
    """The groups that could be a sign, with its name and probability."""
    signs: dict[Group, tuple[str, float]] = {}
    for row in rows:
        groups = [group for group in row.groups.values() if group in seen]
        if groups:
            heights = np.ptp([fragments.span(group)[1::2] for group in groups], axis=1)
            margins = np.array([seen[group].score - threshold for group in groups])
            images = np.stack([seen[group].image for group in groups])
            large = large_signs(images, heights / row.line.height, margins)
            signs |= {z: sign for z, sign in zip(groups, large, strict=True) if sign[0]}
        for group in row.groups.values():
            if len(group) <= 2 and (name := small_sign(fragments, group, row.line)):
                signs[group] = name, PLACED
    return signs


def _find_several(
    fragments: Fragments, row: Candidates, seen: Seen, recognizer: Recognizer
) -> dict[Run, Several]:
    """The digits in every run of components that may be several, as their ink touches."""
    found: dict[Run, Several] = {}
    if recognizer.classes != DIGITS or not isinstance(fragments, BitmapFragments):
        return found
    height, pen, threshold = row.line.height, fragments.pen, recognizer.threshold
    for run, group in row.groups.items():
        one = seen.get(group)
        most = several_weight(one.score - threshold) if one else 0.0
        if one and most < _weight([(fragments.span(group), one)], height, threshold):
            continue
        inks = [fragments.fragments[index].ink for index in group]
        if len(group) <= MOST_JOINED and any(may_be_several(z, height, pen) for z in inks):
            links = read_chain(fragments.joined(group), height)
            places = [_linked(link, group, pen, recognizer) for link in links]
            if len(places) > 1:
                found[run] = most + _weight(places, height, threshold), places
    return found


def _linked(link: Link, group: Group, pen: float, recognizer: Recognizer) -> Place:
    """One digit of several in the ink of a group."""
    piece, probabilities, score = link
    alone = BitmapFragments([piece], pen)
    shift = recognizer.threshold if np.isfinite(recognizer.threshold) else 0.0
    output = bitmap_to_image(piece.ink), probabilities, score + shift
    return alone.span((0,)), digit_of(alone.box((0,)), piece.ink, group, output, recognizer)


def _alone(fragments: Fragments, group: Group, seen: Seen, signs: Signs) -> Place:
    """A group of fragments as one digit, or as a mark."""
    digit = seen.get(group)
    if digit is not None and group not in signs:
        return fragments.span(group), digit
    name, probable = signs.get(group, ("", 0.0))
    return fragments.span(group), Mark(fragments.box(group), name, probable, read=False)


def _weight(places: Sequence[Place], height: float, threshold: float) -> float:
    """Log-probability that a run is these digits, or this mark."""
    return sum(
        digit_weight(span, height, z.confidence, z.score - threshold)
        if isinstance(z, Digit)
        else mark_weight(span, height, z.name)
        for span, z in places
    )


def read_line(
    fragments: Fragments, row: Candidates, seen: Seen, signs: Signs, recognizer: Recognizer
) -> Reading:
    """The most probable reading of one line; ``seen``: the digit in each group that is no mark."""
    height, threshold = row.line.height, recognizer.threshold
    found = {run: [_alone(fragments, group, seen, signs)] for run, group in row.groups.items()}
    weights = {run: _weight(places, height, threshold) for run, places in found.items()}
    for run, group in row.groups.items() if np.isfinite(threshold) else ():
        if found[run][0][1] is seen.get(group) and sum((part,) in seen for part in group) > 1:
            weights[run] -= TOGETHER * several_weight(seen[group].score - threshold)
    for run, (weight, places) in _find_several(fragments, row, seen, recognizer).items():
        _, probable = signs.get(row.groups[run], ("", 1.0))
        if weight > weights[run] + RATHER * np.log(probable):
            found[run], weights[run] = places, weight
    path, certainty = best_reading(row, weights)
    spans, best = zip(*(place for run in path for place in found[run]), strict=True)
    text, read = write(spans, best, height)
    groups = (row.groups[run] for run in path for _ in found[run])
    misplaced = {z for z, in_text in zip(groups, read, strict=True) if not in_text and z in seen}
    if misplaced:  # where no number has that sign, it is a digit
        others = {group: sign for group, sign in signs.items() if group not in misplaced}
        return read_line(fragments, row, seen, others, recognizer)
    pairs = list(zip(best, read, strict=True))
    digits = tuple(z for z in best if isinstance(z, Digit))
    marks = tuple(replace(z, read=in_text) for z, in_text in pairs if isinstance(z, Mark))
    certain = float(np.prod([z.confidence for z, in_text in pairs if in_text]))
    return Reading(text, digits, certainty * certain, marks=marks)
