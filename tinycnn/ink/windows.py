"""Digits that touch or overlap, read without cutting them apart.

A window as high as a digit slides along ink that may be several, and a network of its own says
which digit is in the middle of the window, or that none does (a space displacement network,
LeCun et al. 1998). It was trained on windows that ``augment/rows.py`` makes of MNIST's training
digits; ``docs/model-card.md`` has the command.

A digit is then a run of windows that show it, and a reading of the ink is a way to divide all
windows into digits and gaps between them. The best one comes out of one pass from left to right.
"""

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from tinycnn.data.mnist import BOX, PEN, SIZE
from tinycnn.ink.bitmaps import INKED, MARGIN, Fragment, box_of, rescale, signed_distance, width_of
from tinycnn.ink.strokes import FINE, coverage
from tinycnn.nn.classifier import Recognizer
from tinycnn.nn.model import Sequential

WEIGHTS = Path(__file__).parent / "windows.safetensors"
LEAST = 1e-3  # probability: nothing is less likely
NEW = 4.0  # log-odds against the beginning of a digit
DOUBT = 2.0  # less of NEW in a second look, if the first finds no two digits; lowers their scores
DIGIT = 0.9  # line heights: so tall is a digit of several; their ink is taller than each
TEMPERATURE = 1.3  # of the windows: among neighbors' ink they are surer than right
WIDE = 0.5  # line heights: ink narrower or lower than this is not two digits
WIDEST = 10.0  # line heights: wider ink is no writing

Link = tuple[Fragment, np.ndarray, float]
"""The ink of one digit of several, the probabilities (10,), log-odds that there is one at all."""


def may_be_several(ink: np.ndarray, height: float, pen: float) -> bool:
    """Whether ink (H,W) on a line of digits of that height has room for two of them."""
    H, W = ink.shape
    return bool(min(H, W) >= WIDE * height and 2 * pen <= W <= WIDEST * height)


def read_chain(whole: Fragment, height: float) -> list[Link]:
    """Read ink as digits side by side, each about ``height`` pixels tall."""
    scale = (BOX - PEN) / (DIGIT * height)
    row = _normalized(whole.ink, scale)
    views = np.lib.stride_tricks.sliding_window_view(row, SIZE, axis=1).transpose(1, 0, 2)
    seen = np.clip(_network()(views).probabilities, LEAST, 1)
    middles, doubt = best_middles(np.log(seen), NEW), 0.0
    if len(middles) < 2:
        middles, doubt = best_middles(np.log(seen), NEW - DOUBT), DOUBT
    cuts = [_valley(row, *pair) - MARGIN / FINE for pair in pairwise(middles)]
    edges = np.array([0, *cuts, np.inf]).clip(0, whole.ink.shape[1] * scale) / scale
    links = []
    for middle, (left, right) in zip(middles, pairwise(edges.astype(int)), strict=False):
        *digits, none = seen[max(middle - 1, 0) : middle + 2].mean(axis=0)
        probabilities = np.array(digits) ** (1 / TEMPERATURE)
        probabilities /= probabilities.sum()
        piece = _between(whole, left, max(right, left + 1))
        links.append((piece, probabilities, float(np.log(sum(digits) / none)) - doubt))
    return links


@cache
def _network() -> Recognizer:
    return Recognizer.of(Sequential.load(WEIGHTS))


def _normalized(ink: np.ndarray, scale: float) -> np.ndarray:
    """Ink by a thin pen at a ``scale``, in the middle of 28 rows, half a window at its ends."""
    depth = signed_distance(rescale(ink, scale * FINE) / np.float64(255))
    level = min((width_of(depth) - PEN * FINE) / 2, float(depth.max()) - 1)
    H, W = depth.shape
    depth = np.pad(depth, ((0, -H % FINE), (0, -W % FINE)), constant_values=-SIZE)
    image = coverage(depth - level)
    inked = np.flatnonzero(image.max(axis=1) > 127)
    down = SIZE // 2 - (int(inked[0]) + int(inked[-1]) + 1) // 2 if inked.size else 0
    row = np.zeros((SIZE, image.shape[1] + SIZE), np.uint8)
    top, bottom = max(down, 0), min(down + len(image), SIZE)
    row[top:bottom, SIZE // 2 : -SIZE // 2] = image[top - down : bottom - down]
    return row


def _valley(row: np.ndarray, left: int, right: int) -> float:
    """The column with the least ink in the middle half between two digits."""
    quarter = (right - left) // 4
    ink = row[:, SIZE // 2 + left + quarter : SIZE // 2 + right - quarter]
    return left + quarter + int(ink.sum(axis=0).argmin()) + 0.5


def _between(whole: Fragment, left: int, right: int) -> Fragment:
    """The ink in some columns of a fragment."""
    ink = whole.ink[:, left:right]
    inked = ink >= INKED
    y0, x0, y1, x1 = box_of(inked if inked.any() else ~inked)
    return Fragment(whole.top + y0, whole.left + left + x0, ink[y0:y1, x0:x1])


def best_middles(seen: np.ndarray, new: float) -> list[int]:
    """The windows in the middle of each digit of the best reading, from left to right.

    seen (n,K): log-probabilities of what is in the middle of each window; class K - 1 is nothing.
    A reading weighs as much as its windows together, less ``new`` for each digit (Viterbi).
    """
    n, K = seen.shape
    cost = np.append(np.full(K - 1, new), 0)
    weight, came_from = -cost, np.empty((n, K), int)
    for k, here in enumerate(seen):
        best = int(weight.argmax())
        begun = weight[best] - cost
        came_from[k] = np.where(begun > weight, best, np.arange(K))
        weight = np.maximum(begun, weight) + here
    path = [int(weight.argmax())]
    for before in came_from[:0:-1]:
        path.append(int(before[path[-1]]))
    classes = np.array(path[::-1])
    starts = np.flatnonzero(np.diff(classes, prepend=-1))
    middles = (starts + np.append(starts[1:], n) - 1) // 2
    return [int(z) for z in middles[classes[starts] < K - 1]]
