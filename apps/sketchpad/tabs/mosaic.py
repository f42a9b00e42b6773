"""A mosaic: all maps of a layer as one picture of tiles, and the number under the mouse."""

from dataclasses import dataclass

import numpy as np

from apps.sketchpad import primitives, theme
from apps.sketchpad.canvas import Canvas, inside
from apps.sketchpad.document import Place
from apps.sketchpad.layout import Area
from apps.sketchpad.theme import Color

Cell = tuple[int, int, int]
"""Row, column and channel of a number."""


def as_maps(values: np.ndarray) -> np.ndarray:
    """Maps (H,W,F) as they are; a row (K,) as K maps of one number."""
    return values if values.ndim == 3 else values.reshape(1, 1, -1)


def index_of(values: np.ndarray, cell: Cell) -> tuple[int, ...]:
    """The index of a cell of ``as_maps(values)`` in ``values``."""
    return cell if values.ndim == 3 else cell[-1:]


@dataclass(frozen=True)
class Mosaic:
    """Tiles of ``side`` logical pixels in ``columns``, ``gap`` apart, from the corner ``at``."""

    at: Place
    side: float
    columns: int
    shape: tuple[int, int, int]  # of the maps: (H,W,F)
    gap: float = 2.0

    @classmethod
    def fitted(cls, area: Area, shape: tuple[int, int, int], most: float) -> "Mosaic":
        """As large as ``area`` allows, with tiles of at most ``most``."""
        x, y, width, height = area
        F, gap = shape[2], cls.gap if shape[:2] != (1, 1) else 1.0
        rows = [-(-F // columns) for columns in range(1, F + 1)]
        sides = [
            max(min((width + gap) / (k + 1) - gap, (height + gap) / n - gap, most), 0.0)
            for k, n in enumerate(rows)
        ]
        best = max(range(F), key=lambda k: (sides[k], -rows[k]))
        return cls((x, y), sides[best], best + 1, shape, gap)

    @property
    def pitch(self) -> float:
        """From one tile to the next."""
        return self.side + self.gap

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of all tiles."""
        columns, rows = min(self.columns, self.shape[2]), -(-self.shape[2] // self.columns)
        return columns * self.pitch - self.gap, rows * self.pitch - self.gap

    def tile(self, channel: int) -> Area:
        """The area of a channel."""
        row, column = divmod(channel, self.columns)
        x, y = self.at[0] + column * self.pitch, self.at[1] + row * self.pitch
        return x, y, self.side, self.side

    def square(self, cell: Cell) -> Area:
        """The area of a number."""
        x, y, side, _ = self.tile(cell[2])
        H, W, _ = self.shape
        return (x + side * cell[1] / W, y + side * cell[0] / H, side / W, side / H)

    def cell_at(self, mouse: Place | None) -> Cell | None:
        """The number under the mouse."""
        if mouse is None or self.side <= 0:
            return None
        column, row = (int((m - c) // self.pitch) for m, c in zip(mouse, self.at, strict=True))
        H, W, F = self.shape
        channel = row * self.columns + column
        x, y, side, _ = area = self.tile(channel)
        if not (0 <= column < self.columns and 0 <= channel < F and inside(mouse, area)):
            return None
        return int((mouse[1] - y) / side * H), int((mouse[0] - x) / side * W), channel

    def draw(self, canvas: Canvas, maps: np.ndarray, most: float, night: bool = False) -> None:
        """Paint maps (H,W,F), full color at ``most``; on black in the ``night``."""
        if self.side > 0:
            canvas.picture((*self.at, *self.size), self._pixels(maps, most, canvas.scale, night))

    def mark(self, canvas: Canvas, cell: Cell, tile: Color, square: Color) -> None:
        """Frame a map, and a number in it where that is not the same."""
        x, y, side, _ = self.tile(cell[2])
        canvas.frame((x - 1, y - 1, side + 2, side + 2), tile, 2)
        if self.shape[:2] != (1, 1):  # at least so large that the frame around it is seen
            x, y, width, height = self.square(cell)
            wide, high = max(width, 5.0), max(height, 5.0)
            canvas.frame((x - (wide - width) / 2, y - (high - height) / 2, wide, high), square, 2)

    def _pixels(self, maps: np.ndarray, most: float, scale: float, night: bool) -> np.ndarray:
        """The picture in pixels of the screen, so that stretching it moves no border."""
        H, W, F = maps.shape
        places = [(np.arange(round(length * scale)) + 0.5) / scale for length in self.size[::-1]]
        tiles = [(p // self.pitch).astype(int) for p in places]
        offsets = [p - t * self.pitch for p, t in zip(places, tiles, strict=True)]
        h, w = (
            np.minimum(o / self.side * length, length - 1).astype(int)
            for o, length in zip(offsets, (H, W), strict=True)
        )
        channel = tiles[0][:, None] * self.columns + tiles[1]
        colors = primitives.diverging(maps, most, night)
        pixels: np.ndarray = colors[h[:, None], w, np.minimum(channel, F - 1)]
        gaps = (offsets[0] >= self.side)[:, None] | (offsets[1] >= self.side) | (channel >= F)
        pixels[gaps] = theme.NIGHT if night else theme.CARD
        return pixels


def peak(maps: np.ndarray, channel: int) -> Cell:
    """Where a map is strongest."""
    i, j = np.unravel_index(np.abs(maps[..., channel]).argmax(), maps.shape[:2])
    return int(i), int(j), channel
