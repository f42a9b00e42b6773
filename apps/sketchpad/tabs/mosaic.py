"""All maps of a layer as one picture of tiles, and which number lies under the mouse."""

from dataclasses import dataclass

import numpy as np

from apps.sketchpad import primitives, theme
from apps.sketchpad.canvas import Area, Canvas, Place, inside

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
    shape: tuple[int, int, int]
    """Of the maps: (H,W,F)."""

    gap: float = 2.0

    @classmethod
    def fitted(cls, area: Area, shape: tuple[int, int, int], most: float) -> "Mosaic":
        """As large as ``area`` allows, with tiles of at most ``most``."""
        x, y, width, height = area
        F, gap = shape[2], cls.gap if shape[:2] != (1, 1) else 1.0
        best, columns, fewest = 0.0, 1, F
        for count in range(1, F + 1):
            rows = -(-F // count)
            side = min((width + gap) / count - gap, (height + gap) / rows - gap, most)
            if side > best or (side == best and rows < fewest):
                best, columns, fewest = side, count, rows
        return cls((x, y), max(best, 0.0), columns, shape, gap)

    @property
    def height(self) -> float:
        """Of the whole picture."""
        rows = -(-self.shape[2] // self.columns)
        return rows * (self.side + self.gap) - self.gap

    @property
    def width(self) -> float:
        """Of the whole picture."""
        return min(self.columns, self.shape[2]) * (self.side + self.gap) - self.gap

    def tile(self, channel: int) -> Area:
        """Where a channel is."""
        row, column = divmod(channel, self.columns)
        pitch = self.side + self.gap
        return (self.at[0] + column * pitch, self.at[1] + row * pitch, self.side, self.side)

    def square(self, cell: Cell) -> Area:
        """Where a number is."""
        x, y, side, _ = self.tile(cell[2])
        H, W, _ = self.shape
        return (x + side * cell[1] / W, y + side * cell[0] / H, side / W, side / H)

    def cell_at(self, mouse: Place | None) -> Cell | None:
        """The number under the mouse."""
        if mouse is None or self.side <= 0:
            return None
        pitch = self.side + self.gap
        column, row = (int((m - c) // pitch) for m, c in zip(mouse, self.at, strict=True))
        channel = row * self.columns + column
        if not (0 <= column < self.columns and row >= 0 and channel < self.shape[2]):
            return None
        area = self.tile(channel)
        if not inside(mouse, area):
            return None
        H, W, _ = self.shape
        i, j = (mouse[1] - area[1]) / area[3] * H, (mouse[0] - area[0]) / area[2] * W
        return int(i), int(j), channel

    def draw(
        self, canvas: Canvas, maps: np.ndarray, most: float, pixels: np.ndarray | None = None
    ) -> None:
        """Paint maps (H,W,F), full color at ``most``; or ``pixels`` that were made of them."""
        if self.side > 0:
            made = self.pixels(maps, most, canvas.scale) if pixels is None else pixels
            canvas.picture((*self.at, self.width, self.height), made)

    def pixels(self, maps: np.ndarray, most: float, scale: float) -> np.ndarray:
        """The picture in pixels of the screen, so that stretching it moves no border."""
        H, W, F = maps.shape
        pitch = self.side + self.gap
        size = round(self.height * scale), round(self.width * scale)
        places = [(np.arange(length) + 0.5) / scale for length in size]
        tiles = [(p // pitch).astype(int) for p in places]
        offsets = [p - t * pitch for p, t in zip(places, tiles, strict=True)]
        h, w = (
            np.minimum(o / self.side * length, length - 1).astype(int)
            for o, length in zip(offsets, (H, W), strict=True)
        )
        channel = tiles[0][:, None] * self.columns + tiles[1]
        values = maps[h[:, None], w, np.minimum(channel, F - 1)]
        pixels = primitives.diverging(values, most)
        gaps = (offsets[0] >= self.side)[:, None] | (offsets[1] >= self.side) | (channel >= F)
        pixels[gaps] = theme.CARD
        return pixels
