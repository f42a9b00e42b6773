"""Connected components of ink, and the parts that wide ones could be cut into."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from tinycnn.ink.bitmaps import INKED, SIDE, box_of, rescale, width_of
from tinycnn.ink.distance import signed_distance
from tinycnn.ink.fragments import Box, Group, refuse_texture
from tinycnn.ink.lines import find_lines
from tinycnn.ink.seams import Cut, find_seams

WIDE = 0.5  # line heights: a component narrower or lower than this is not two digits
SAMPLE = 20  # components whose line is measured
CONNECTED = np.ones((3, 3))  # pixels that meet at a corner are one component


@dataclass(frozen=True)
class Part:
    """Some ink of a page: where its box has its corner, and the pixels (H,W) in the box."""

    top: int
    left: int
    ink: np.ndarray
    component: int
    """Number of the component it is, or was cut from."""
    cut: Cut | None = None
    """The seam between it and the part to its left, if there is one."""


class BitmapPieces:
    """Every component is a piece, or several where it could be cut."""

    def __init__(self, ink: np.ndarray):
        """Find the pieces of ink (H,W) uint8, 255 is ink; ImageError if there are too many."""
        components = find_components(ink)
        self.pen = pen_of(components)
        self._hold(components)
        if not components:
            return
        heights = {index: line.height for line in find_lines(self) for index in line.order}
        self._hold(
            [
                p
                for i, component in enumerate(components)
                for p in _cut(component, heights[i], self.pen)
            ]
        )

    def _hold(self, parts: list[Part]) -> None:
        self.parts = parts
        self.boxes = np.array([self._center_line(part) for part in parts]).reshape(-1, 4)
        self.origins = np.array([part.component for part in parts], dtype=int)
        self._trees: dict[int, cKDTree] = {}

    def distance(self, one: int, other: int) -> float:
        near, _ = self._edge(one).query(self._edge(other).data)
        return float(near.min()) + self.pen

    def cut_odds(self, one: int, other: int) -> float | None:
        a, b = self.parts[one], self.parts[other]
        if a.component != b.component or b.cut is None:
            return None
        return b.cut.odds

    def ink(self, group: Group) -> np.ndarray:
        x, y, width, height = map(int, self.frame(group))
        page = np.zeros((height, width), np.uint8)
        for part in (self.parts[index] for index in group):
            H, W = part.ink.shape
            place = page[part.top - y : part.top - y + H, part.left - x : part.left - x + W]
            np.maximum(place, part.ink, out=place)
        return page

    def frame(self, group: Group) -> Box:
        parts = [self.parts[index] for index in group]
        top, left = min(p.top for p in parts), min(p.left for p in parts)
        bottom = max(p.top + p.ink.shape[0] for p in parts)
        right = max(p.left + p.ink.shape[1] for p in parts)
        return left, top, right - left, bottom - top

    def view(self, size: tuple[int, ...]) -> np.ndarray:
        """The page, uint8 (H,W), neighboring pieces in different shades."""
        page = np.zeros(size, np.uint8)
        for number, part in enumerate(self.parts):
            H, W = part.ink.shape
            place = page[part.top : part.top + H, part.left : part.left + W]
            shade = part.ink // 3 * (1 + number % 3)
            np.maximum(place, shade, out=place)
        return page

    def _center_line(self, part: Part) -> tuple[float, float, float, float]:
        """The part's box without half the pen's width on each side."""
        H, W = part.ink.shape
        dy, dx = min(self.pen, H) / 2, min(self.pen, W) / 2
        return part.left + dx, part.top + dy, part.left + W - dx, part.top + H - dy

    def _edge(self, index: int) -> cKDTree:
        if index not in self._trees:
            part = self.parts[index]
            inked = part.ink >= INKED
            edge = inked & ~ndimage.binary_erosion(inked)
            corner = np.array([part.top, part.left])
            self._trees[index] = cKDTree(np.argwhere(edge) + corner)
        return self._trees[index]


def find_components(ink: np.ndarray) -> list[Part]:
    """The connected components of a page, ink (H,W) uint8; ImageError if there are too many."""
    labels, count = ndimage.label(ink >= INKED, CONNECTED)
    refuse_texture(count)
    components = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels)):
        mine = labels[rows, columns] == number + 1
        pixels = np.where(mine, ink[rows, columns], 0)
        components.append(Part(rows.start, columns.start, pixels, number))
    return components


def pen_of(components: Sequence[Part]) -> float:
    """The width of the line on a page, in pixels: the median over its larger components."""
    sizes = np.array([max(component.ink.shape) for component in components])
    large = np.flatnonzero(sizes >= 0.5 * sizes.max(initial=0))[:SAMPLE]
    widths = [
        width_of(signed_distance(rescale(components[index].ink) / np.float64(255)))
        * sizes[index]
        / SIDE
        for index in large
    ]
    return float(np.median(widths)) if widths else 0.0


def _cut(component: Part, height: float, pen: float) -> list[Part]:
    """The parts of a component on a line of digits of that height, written with that pen."""
    H, W = component.ink.shape
    may_be_two = min(H, W) >= WIDE * height and 2 * pen <= W
    cuts = find_seams(component.ink, height) if may_be_two else []
    seams = np.maximum.accumulate([np.zeros(H), *(cut.columns for cut in cuts), np.full(H, W)])
    columns = np.arange(W) + 0.5
    parts = []
    for cut, left, right in zip([None, *cuts], seams[:-1], seams[1:], strict=True):
        between = (columns >= left[:, None]) & (columns < right[:, None])
        pixels = np.where(between, component.ink, 0)
        if (pixels >= INKED).any():
            y0, x0, y1, x1 = box_of(pixels >= INKED)
            inner = pixels[y0:y1, x0:x1]
            parts.append(
                Part(component.top + y0, component.left + x0, inner, component.component, cut)
            )
    return parts
