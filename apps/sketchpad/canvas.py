"""A canvas: a part of the window to draw on, in logical pixels; it lists what can be clicked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pygame

from apps.sketchpad import primitives, theme
from apps.sketchpad.context import Command
from apps.sketchpad.document import Place
from apps.sketchpad.layout import Area
from apps.sketchpad.theme import Color


@dataclass(frozen=True)
class Hit:
    """A part of the window that answers to the mouse."""

    area: Area  # in logical pixels of the window
    command: Command
    hint: str = ""  # shown while the mouse is over it
    slides: bool = False  # dragging repeats the command with the place, 0 to 1, as an argument

    @property
    def middle(self) -> Place:
        """The middle of the area."""
        x, y, width, height = self.area
        return x + width / 2, y + height / 2


def inside(place: Place | None, area: Area) -> bool:
    """Whether a place lies in an area."""
    if place is None:
        return False
    x, y, width, height = area
    return x <= place[0] < x + width and y <= place[1] < y + height


class Canvas:
    """A rectangle of a surface: (0, 0) is its top left, ``width`` by ``height`` its size."""

    def __init__(
        self, surface: pygame.Surface, scale: float = 1.0, mouse: Place | None = None
    ) -> None:
        """The whole of ``surface``; ``scale``: its pixels for one logical pixel."""
        self.surface, self.scale = surface, scale
        self.width, self.height = (length / scale for length in surface.get_size())
        self.corner: Place = (0.0, 0.0)
        self.zoom = 1.0  # pixels of the window for one of this canvas, both logical
        self.mouse = mouse
        self.hits: list[Hit] = []
        self.jargon = False  # whether names of functions are shown
        self.still = False  # a picture to share: nothing can be clicked

    def part(self, area: Area) -> "Canvas":
        """A canvas on ``area`` of this one; what lies outside it is cut off."""
        x, y, width, height = area
        box = self._pixels(area).clip(self.surface.get_rect())
        one = Canvas(self.surface.subsurface(box) if box else pygame.Surface((1, 1)), self.scale)
        one.hits, one.width, one.height = self.hits, width, height
        one.jargon, one.still, one.zoom = self.jargon, self.still, self.zoom
        one.corner = self.corner[0] + x * self.zoom, self.corner[1] + y * self.zoom
        if self.mouse is not None and inside(self.mouse, area):
            one.mouse = self.mouse[0] - x, self.mouse[1] - y
        return one

    def zoomed(self, zoom: float) -> "Canvas":
        """The same canvas, everything on it so much larger."""
        one = self.part((0, 0, self.width, self.height))
        one.scale, one.zoom = self.scale * zoom, self.zoom * zoom
        one.width, one.height = self.width / zoom, self.height / zoom
        if one.mouse is not None:
            one.mouse = one.mouse[0] / zoom, one.mouse[1] / zoom
        return one

    def over(self, area: Area) -> bool:
        """Whether the mouse is over ``area``."""
        return inside(self.mouse, area)

    def fill(
        self, area: Area, color: Color, corner: float = 0.0, edge: Color | None = None
    ) -> None:
        """A filled area, its corners rounded by ``corner``; ``edge`` is a thin line around it."""
        box, reach = self._pixels(area), math.ceil(corner * self.scale) + 1
        if not (corner and box):
            self.surface.fill(color, box)
            return
        shape = primitives.rounded(box.size, color, corner * self.scale, edge)
        inner = box.inflate(-2 * reach, -2 * reach)
        if min(inner.size) <= 0:
            self.surface.blit(shape, box)
            return
        self.surface.fill(color, inner)  # only the rim is blended, which takes longer
        right, bottom = box.width - reach, box.height - reach
        rows = (0, 0, box.width, reach), (0, bottom, box.width, reach)
        for part in (*rows, (0, reach, reach, inner.height), (right, reach, reach, inner.height)):
            self.surface.blit(shape, box.move(part[:2]), part)

    def frame(self, area: Area, color: Color, thickness: float = 2.0, dashed: bool = False) -> None:
        """The outline of an area."""
        box, wide = self._pixels(area), max(round(thickness * self.scale), 1)
        if dashed:
            primitives.dashes(self.surface, box, color, wide, round(6 * self.scale))
        else:
            pygame.draw.rect(self.surface, color, box, wide)

    def veil(self, color: Color, alpha: int) -> None:
        """Lay a thin sheet of a color over everything that is here."""
        self.surface.blit(primitives.veil(self.surface.get_size(), color, alpha), (0, 0))

    def line(self, points: Sequence[Place], color: Color, thickness: float = 1.0) -> None:
        """A line through at least two points."""
        ends = [(x * self.scale, y * self.scale) for x, y in points]
        wide = max(round(thickness * self.scale), 1)
        if wide == 1 and len({x for x, _ in ends}) > 1 < len({y for _, y in ends}):
            pygame.draw.aalines(self.surface, color, False, ends)
        else:
            pygame.draw.lines(self.surface, color, False, ends, wide)

    def dots(self, places: Sequence[Place], radius: float, color: Color) -> None:
        """A filled circle at each of many places."""
        side = max(round(2 * radius * self.scale), 1)
        shape = primitives.rounded((side, side), color, radius * self.scale)
        half = side / 2
        corners = [(round(x * self.scale - half), round(y * self.scale - half)) for x, y in places]
        self.surface.blits([(shape, corner) for corner in corners], False)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        color: Color | None = None,
        size: float = theme.NORMAL,
        bold: bool = False,
        anchor: str = "left",
    ) -> float:
        """One line of text, its middle at height ``y``; returns its width.

        ``anchor`` says what ``x`` is: "left", "center" or "right" of the text.
        """
        image = primitives.text(text, round(size * self.scale), color or theme.TEXT, bold)
        width, height = image.get_size()
        left = x * self.scale - {"left": 0.0, "center": 0.5, "right": 1.0}[anchor] * width
        self.surface.blit(image, (round(left), round(y * self.scale - height / 2)))
        return width / self.scale

    def text_width(self, text: str, size: float = theme.NORMAL, bold: bool = False) -> float:
        """How wide ``text`` would be."""
        return primitives.font(round(size * self.scale), bold).size(text)[0] / self.scale

    def fitting(self, text: str, room: float, size: float, least: float = theme.SMALLEST) -> float:
        """The size, at most ``size``, at which bold ``text`` is no wider than ``room``."""
        while self.text_width(text, size, bold=True) > room and size > least:
            size -= 1
        return size

    def lines(
        self, area: Area, text: str, color: Color | None = None, leading: float = 1.4
    ) -> None:
        """Text broken into lines that are as wide as ``area`` at most."""
        x, y, width, _ = area
        size, top = float(theme.SMALLEST), y
        step = size * leading
        for paragraph in text.split("\n"):
            line = ""
            for word in [*paragraph.split(), ""]:
                longer = f"{line} {word}".strip()
                if word and self.text_width(longer, size) <= width:
                    line = longer
                    continue
                self.text(x, top + step / 2, line, color or theme.QUIET, size)
                top, line = top + step, word

    def picture(self, area: Area, pixels: np.ndarray, smooth: bool = False) -> None:
        """Colors uint8 (H,W,3), or gray (H,W), stretched to fill ``area``: a square per pixel."""
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        image = pygame.surfarray.make_surface(pixels.swapaxes(0, 1))  # surfarray is x first
        box = self._pixels(area)
        if not box:
            return
        scale = pygame.transform.smoothscale if smooth else pygame.transform.scale
        self.surface.blit(scale(image, box.size), box)

    def tiles(
        self, corner: Place, pitch: float, side: float, pixels: np.ndarray, columns: int
    ) -> None:
        """Equal tiles, in ``columns`` on a picture (H,W,3), as squares that are ``pitch`` apart."""
        H, W, _ = pixels.shape
        count = round(columns * H / W)
        unit = round(side * self.scale)
        coarse = unit > 2 * W / columns  # then pixels stay squares
        stretch = pygame.transform.scale if coarse else pygame.transform.smoothscale
        image = pygame.surfarray.make_surface(pixels.swapaxes(0, 1))
        image = stretch(image, (columns * unit, count * unit))
        xs, ys = (
            [round((z + k * pitch) * self.scale) for k in range(max(columns, count))]
            for z in corner
        )
        places = [(column, row) for row in range(count) for column in range(columns)]
        blits = [(image, (xs[c], ys[r]), (c * unit, r * unit, unit, unit)) for c, r in places]
        self.surface.blits(blits, False)

    def light(self, image: pygame.Surface) -> None:
        """Add light to everything that is here."""
        if image.get_size() != self.surface.get_size():
            image = pygame.transform.scale(image, self.surface.get_size())
        self.surface.blit(image, (0, 0), None, pygame.BLEND_RGB_ADD)

    def hit(self, area: Area, command: Command, hint: str = "", slides: bool = False) -> None:
        """Make a click on ``area`` give ``command``; later hits lie above earlier ones."""
        x, y, width, height = (length * self.zoom for length in area)
        place = (self.corner[0] + x, self.corner[1] + y, width, height)
        self.hits.append(Hit(place, command, hint, slides))

    def button(
        self,
        area: Area,
        label: str,
        command: Command,
        hint: str = "",
        pressed: bool = False,
        possible: bool = True,
    ) -> None:
        """A button with a word on it; pale while it is not ``possible``."""
        if self.still:
            return
        x, y, width, height = area
        color = theme.BLUE if pressed else theme.CARD
        if self.over(area) and possible and not pressed:
            color = theme.PALE_BLUE
        self.fill(area, color, 6, theme.BLUE if pressed else theme.EDGE)
        ink = theme.CARD if pressed else theme.TEXT if possible else theme.FAINT
        self.text(x + width / 2, y + height / 2, label, ink, theme.SMALLEST, anchor="center")
        self.hit(area, command, hint)

    def buttons(
        self, x: float, y: float, *those: tuple[str, Command, str, bool], height: float = 30.0
    ) -> float:
        """Buttons in a row, each with label, command, hint and state; returns where they end."""
        for label, command, hint, pressed in those:
            width = self.text_width(label, theme.SMALLEST) + 22
            self.button((x, y, width, height), label, command, hint, pressed)
            x += width + 8
        return x

    def slider(self, area: Area, fraction: float, command: Command, hint: str = "") -> None:
        """A line with a knob at ``fraction``, 0 to 1; dragging gives ``(*command, fraction)``."""
        x, y, width, height = area
        middle, knob = y + height / 2, x + width * min(max(fraction, 0.0), 1.0)
        self.fill((x, middle - 2, width, 4), theme.EDGE, 2)
        self.fill((x, middle - 2, max(knob - x, 4), 4), theme.BLUE, 2)
        self.fill((knob - 7, middle - 7, 14, 14), theme.BLUE, 7)
        self.hit(area, command, hint, slides=True)

    def _pixels(self, area: Area) -> pygame.Rect:
        """The pixels of an area; neighbors with a common border leave no gap."""
        x, y, width, height = (length * self.scale for length in area)
        left, top = round(x), round(y)
        size = max(round(x + width) - left, 0), max(round(y + height) - top, 0)
        return pygame.Rect((left, top), size)
