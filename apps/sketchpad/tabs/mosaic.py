"""A mosaic: all maps of a layer as one picture of tiles, and the number under the mouse."""

from dataclasses import dataclass

import numpy as np

from apps.sketchpad import primitives, theme
from apps.sketchpad.canvas import Canvas, inside
from apps.sketchpad.document import Place
from apps.sketchpad.layout import Area
from apps.sketchpad.theme import Color

GAP = 15.0  # of a tile and its gap, the gap is one part

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
    gap: float

    @classmethod
    def fitted(cls, area: Area, shape: tuple[int, int, int], most: float) -> "Mosaic":
        """As large as ``area`` allows, with tiles of at most ``most``."""
        x, y, width, height = area
        F = shape[2]
        sides = []
        for columns in range(1, F + 1):
            pitch = min(width / columns, height / -(-F // columns), most)
            gap = pitch / GAP
            sides.append((max(pitch - gap, 0.0), columns, gap))
        side, columns, gap = max(sides, key=lambda one: (round(one[0], 6), one[1]))
        return cls((x, y), side, columns, shape, gap)

    @property
    def pitch(self) -> float:
        """From one tile to the next."""
        return self.side + self.gap

    @property
    def area(self) -> Area:
        """All tiles, with a gap after each."""
        rows = -(-self.shape[2] // self.columns)
        return *self.at, self.columns * self.pitch, rows * self.pitch

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
        if self.side <= 0:
            return
        (H, W, F), columns = maps.shape, self.columns
        tiles = np.empty((-(-F // columns) * columns, H, W, 3), np.uint8)
        tiles[F:] = theme.NIGHT if night else theme.CARD
        tiles[:F] = primitives.diverging(maps.transpose(2, 0, 1), most, night)
        grid = tiles.reshape(-1, columns, H, W, 3).swapaxes(1, 2).reshape(-1, columns * W, 3)
        canvas.tiles(self.at, self.pitch, self.side, grid, columns)

    def mark(self, canvas: Canvas, cell: Cell, tile: Color, square: Color) -> None:
        """Frame a map, and a number in it where that is not the same."""
        x, y, side, _ = self.tile(cell[2])
        canvas.frame((x - 1, y - 1, side + 2, side + 2), tile, 2)
        if self.shape[:2] != (1, 1):  # at least so large that the frame around it is seen
            x, y, width, height = self.square(cell)
            wide, high = max(width, 5.0), max(height, 5.0)
            canvas.frame((x - (wide - width) / 2, y - (high - height) / 2, wide, high), square, 2)
