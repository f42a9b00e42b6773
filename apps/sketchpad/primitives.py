"""What pygame lacks: smooth corners, dashes, signed colors and our font; all sizes in pixels."""

import functools
import itertools
import math
from importlib import resources

import numpy as np
import pygame

from apps.sketchpad import theme
from apps.sketchpad.document import Place
from apps.sketchpad.theme import Color

FINER = 4  # corners are drawn this much larger and then reduced
FONTS = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}


@functools.cache
def font(size: int, bold: bool = False) -> pygame.font.Font:
    """The bundled font."""
    pygame.font.init()
    file = resources.files("apps.sketchpad") / "fonts" / FONTS[bold]
    with resources.as_file(file) as path:
        return pygame.font.Font(path, size)


@functools.lru_cache(1024)
def text(text: str, size: int, color: Color, bold: bool) -> pygame.Surface:
    """One line of text on nothing."""
    return font(size, bold).render(text, True, color)


@functools.lru_cache(192)  # about two windows' worth: one that is dragged takes many sizes
def rounded(
    size: tuple[int, int], color: Color, corner: float, edge: Color | None = None
) -> pygame.Surface:
    """A filled rectangle with smooth round corners, and a line of one pixel around it."""
    width, height = (max(length, 1) for length in size)
    shape = _solid((width, height), edge or color, corner)
    if edge and min(width, height) > 2:
        shape.blit(_solid((width - 2, height - 2), color, corner - 1), (1, 1))
    return shape


def _solid(size: tuple[int, int], color: Color, corner: float) -> pygame.Surface:
    width, height = size
    half = max(1, math.ceil(corner))
    if min(size) > 2 * half + 1:  # only the corners need to be drawn finer
        whole = pygame.Surface(size, pygame.SRCALPHA)
        whole.fill(color)
        corners = _solid((2 * half, 2 * half), color, corner)
        for x, y in itertools.product((0, width - half), (0, height - half)):
            whole.fill((*color, 0), (x, y, half, half))
            whole.blit(corners, (x, y), (half * (x > 0), half * (y > 0), half, half))
        return whole
    fine = pygame.Surface((width * FINER, height * FINER), pygame.SRCALPHA)
    fine.fill((*color, 0))  # transparent, but of this color: no dark rim when it is reduced
    reach = round(min(corner, width / 2, height / 2) * FINER)
    pygame.draw.rect(fine, (*color, 255), fine.get_rect(), border_radius=reach)
    return pygame.transform.smoothscale(fine, size)


@functools.lru_cache(512)
def disc(
    diameter: float, color: Color, right: int = 0, down: int = 0, parts: int = 4
) -> tuple[pygame.Surface, int]:
    """A smooth disc whose center lies ``right`` and ``down`` parts of a pixel off a corner.

    Returns the surface, where the disc is not white, or black for a light color, and how far its
    corner is from the center.
    """
    reach = int(np.ceil(diameter / 2)) + 1
    cells = (np.arange(2 * reach * FINER) + 0.5) / FINER - reach
    x, y = cells[None] - right / parts, cells[:, None] - down / parts
    covered = np.clip((diameter / 2 - np.hypot(x, y)) * FINER + 0.5, 0, 1)
    covered = covered.reshape(2 * reach, FINER, 2 * reach, FINER).mean(axis=(1, 3))
    ground = 0 if min(color) > 127 else 255
    pixels = ground + covered[..., None] * (np.array(color) - ground)
    return pygame.surfarray.make_surface(pixels.astype(np.uint8).swapaxes(0, 1)), reach


@functools.lru_cache(8)
def veil(size: tuple[int, int], color: Color, alpha: int) -> pygame.Surface:
    """A thin sheet of a color."""
    sheet = pygame.Surface(size, pygame.SRCALPHA)
    sheet.fill((*color, alpha))
    return sheet


def dashes(surface: pygame.Surface, box: pygame.Rect, color: Color, wide: int, long: int) -> None:
    """A dashed outline."""
    right, bottom = box.right - wide, box.bottom - wide
    for x in range(box.left, box.right, 2 * long):
        for y in (box.top, bottom):
            surface.fill(color, (x, y, min(long, box.right - x), wide))
    for y in range(box.top, box.bottom, 2 * long):
        for x in (box.left, right):
            surface.fill(color, (x, y, wide, min(long, box.bottom - y)))


def diverging(values: np.ndarray, most: float, night: bool = False) -> np.ndarray:
    """Numbers as colors uint8 (...,3): gray at 0, blue at ``most``, orange at its negative."""
    ends = theme.GLOW if night else (theme.ORANGE, theme.ZERO, theme.BLUE)
    part = np.clip(values / max(most, 1e-12), -1, 1)
    colors: np.ndarray = _scale_of(ends)[np.rint(255 * part + 255).astype(int)]
    return colors


@functools.lru_cache(8)
def _scale_of(ends: tuple[Color, Color, Color]) -> np.ndarray:
    places, colors = np.linspace(0, 2, 511), np.array(ends)
    return np.column_stack([np.interp(places, range(3), c) for c in colors.T]).astype(np.uint8)


def glow(size: tuple[int, int], curves: list[tuple[Place, Place, float]]) -> pygame.Surface:
    """Curves as light, which adds up to their strength; orange if that is negative."""
    light = pygame.Surface(size)
    t = np.linspace(0, 1, 25)
    for (left, start), (right, end), strength in curves:
        color = [round(abs(strength) * part) for part in theme.GLOW[2 if strength > 0 else 0]]
        corner = int(left) - 1, int(min(start, end)) - 1
        xs, ys = left + (right - left) * t, start + (end - start) * t * t * (3 - 2 * t)
        one = pygame.Surface((abs(right - left) + 4, abs(end - start) + 4))
        pygame.draw.aalines(one, color, False, (np.column_stack([xs, ys]) - corner).tolist())
        light.blit(one, corner, None, pygame.BLEND_RGB_ADD)
    return light
