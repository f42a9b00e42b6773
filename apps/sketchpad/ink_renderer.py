"""Ink on paper: smooth lines with round ends, drawn as they grow and only where they changed.

A line is evened out, and then smoothed by quadratic curves: they run from middle to middle of
neighboring points and turn at the points. Round stamps along the curve, of which the most inked
wins, give clean edges and round ends; and as each curve depends on a few points only, a line that
grows looks like one that is drawn at once.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pygame

from apps.sketchpad import primitives, theme
from apps.sketchpad.document import Stroke

SPACING = 1 / 8  # of the brush, between stamps: the edge is then even within 0.06 pixels
PARTS = 4  # of a pixel that a stamp may be placed at
PASSES = 2  # of evening out
ROUNDING = 9.0  # paper units: a corner is rounded off no further than this
GRID = 40.0  # paper units between the dots


class Paper:
    """The paper as pixels."""

    def __init__(self) -> None:
        self._strokes: dict[int, Stroke] = {}
        self._surface = pygame.Surface((0, 0))
        self._zoom = 0.0
        self._card = theme.CARD
        self._live: list[int] = []

    def surface(
        self, size: tuple[int, int], zoom: float, strokes: Sequence[Stroke], live: Sequence[Stroke]
    ) -> pygame.Surface:
        """The paper with its ink; ``live`` strokes have only grown since the last time.

        size in pixels; ``zoom``: pixels for one paper unit.
        """
        wanted = {stroke.number: stroke for stroke in strokes}
        look = size, zoom, theme.CARD
        if (self._surface.get_size(), self._zoom, self._card) != look:
            self._surface, self._zoom, self._card = pygame.Surface(size), zoom, theme.CARD
            self._strokes, self._live = wanted, []
            self._redraw(self._surface.get_rect())
        gone = [self._strokes[number] for number in self._strokes.keys() - wanted.keys()]
        new = [wanted[number] for number in wanted.keys() - self._strokes.keys()]
        self._strokes = wanted
        if self._live and not live and len(new) != len(self._live):  # begun, but taken back
            self._redraw(self._surface.get_rect())
        elif gone:
            self._redraw(self._pixels(gone[0]).unionall([self._pixels(s) for s in gone]))
        for stroke in new:
            self._stamp(self._surface, even(stroke.points), stroke.brush)
        self._grow(live)
        return self._surface

    def _grow(self, live: Sequence[Stroke]) -> None:
        self._live = self._live[: len(live)] if live else []
        for index, stroke in enumerate(live):
            if index == len(self._live):
                self._live.append(0)
            known, final = self._live[index], max(len(stroke.points) - PASSES, 1)
            line = even(stroke.points)[max(known - 2, 0) : final]
            self._stamp(self._surface, line, stroke.brush, known < 3, False)
            self._live[index] = final

    def tip(self, target: pygame.Surface, live: Sequence[Stroke]) -> None:
        """Draw the very end of a growing line, which the next points may still change."""
        for stroke in live[-1:]:
            line = even(stroke.points)[-PASSES - 2 :]
            self._stamp(target, line, stroke.brush, len(stroke.points) == len(line))

    def _redraw(self, area: pygame.Rect) -> None:
        """Draw an area anew: faint dots, which help to write straight, and the ink."""
        self._surface.set_clip(area)
        self._surface.fill(theme.CARD, area)
        step, side = GRID * self._zoom, max(round(1.5 * self._zoom), 1)
        for row in range(max(math.ceil(area.top / step), 1), int(area.bottom / step) + 1):
            for column in range(max(math.ceil(area.left / step), 1), int(area.right / step) + 1):
                place = round(column * step), round(row * step), side, side
                self._surface.fill(theme.DOT, place)
        for stroke in self._strokes.values():
            if area.colliderect(self._pixels(stroke)):
                self._stamp(self._surface, even(stroke.points), stroke.brush)
        self._surface.set_clip(None)

    def _stamp(self, target: pygame.Surface, line: np.ndarray, brush: float, *ends: bool) -> None:
        if len(line):
            stamps(target, curves(subdivided(line), *ends) * self._zoom, brush * self._zoom)

    def _pixels(self, stroke: Stroke) -> pygame.Rect:
        x, y, width, height = (length * self._zoom for length in stroke.box)
        left, top = math.floor(x) - 2, math.floor(y) - 2
        return pygame.Rect(left, top, math.ceil(width) + 5, math.ceil(height) + 5)


def even(points: np.ndarray) -> np.ndarray:
    """Points (n,2) moved a little toward their neighbors: screens know whole pixels only.

    Points far from their neighbors stay, and so do the ends.
    """
    points = points.astype(float)
    if len(points) < 3:
        return points
    far = (np.hypot(*np.diff(points, axis=0).T) > ROUNDING)[:, None]
    stays = far[:-1] | far[1:]
    for _ in range(PASSES):
        between = (points[:-2] + 2 * points[1:-1] + points[2:]) / 4
        points[1:-1] = np.where(stays, points[1:-1], between)
    return points


def curves(points: np.ndarray, begins: bool = True, ends: bool = True) -> np.ndarray:
    """The smoothed line through points (n,2), as pieces (a, control, b): (m,3,2).

    Curves run from middle to middle of neighboring points, and turn at the points. A part of a
    line that does not begin or end has no piece that turns at its first or last point.
    """
    middles = (points[:-1] + points[1:]) / 2
    joints = np.concatenate([points[:1], middles, points[-1:]])
    pieces = np.stack([joints[:-1], points, joints[1:]], axis=1)
    return pieces[0 if begins else 1 : len(pieces) if ends else -1]


def subdivided(points: np.ndarray) -> np.ndarray:
    """Points (n,2) with others between those that are far apart.

    So long pieces stay straight, and corners between them are rounded off by ROUNDING at most.
    """
    lengths = np.hypot(*np.diff(points, axis=0).T)
    counts = np.ceil(lengths / (2 * ROUNDING)).clip(1).astype(int)
    parts = [k + np.arange(count) / count for k, count in enumerate(counts.tolist())]
    places = np.concatenate([*parts, [len(counts)]])
    return np.column_stack([np.interp(places, np.arange(len(points)), z) for z in points.T])


def stamps(target: pygame.Surface, pieces: np.ndarray, diameter: float) -> None:
    """Press round stamps along curves (a, control, b)."""
    if not len(pieces):
        return
    a, control, b = pieces.swapaxes(0, 1)
    lengths = np.hypot(*(control - a).T) + np.hypot(*(b - control).T)
    counts = (lengths / max(diameter * SPACING, 0.5)).astype(int) + 2
    t = np.concatenate([np.linspace(0, 1, count) for count in counts.tolist()])[:, None]
    a, control, b = (np.repeat(z, counts, axis=0) for z in (a, control, b))
    places = (1 - t) ** 2 * a + 2 * t * (1 - t) * control + t**2 * b
    fine = np.unique(np.rint(places * PARTS).astype(int), axis=0)
    key = round(diameter * 4) / 4
    blend = pygame.BLEND_RGB_MAX if min(theme.INK) > 127 else pygame.BLEND_RGB_MIN
    presses: list[Any] = []
    pixels, parts = np.divmod(fine, PARTS)
    for (x, y), (right, down) in zip(pixels.tolist(), parts.tolist(), strict=True):
        stamp, reach = primitives.disc(key, theme.INK, right, down, PARTS)
        presses.append((stamp, (x - reach, y - reach), None, blend))
    target.blits(presses, False)
