"""What pygame lacks: smooth corners, dashes, signed colors and our font; all sizes in pixels."""

import functools
from importlib import resources

import numpy as np
import pygame

from apps.sketchpad import theme
from apps.sketchpad.theme import Color

FINER = 4  # corners are drawn this much larger and then reduced
FONTS = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}


@functools.cache
def font(size: int, bold: bool = False) -> pygame.font.Font:
    """The bundled font."""
    if not pygame.font.get_init():
        pygame.font.init()
    file = resources.files("apps.sketchpad") / "fonts" / FONTS[bold]
    with resources.as_file(file) as path:
        return pygame.font.Font(path, size)


@functools.lru_cache(1024)
def text(text: str, size: int, color: Color, bold: bool) -> pygame.Surface:
    """One line of text on nothing."""
    return font(size, bold).render(text, True, color)


@functools.lru_cache(512)
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

    Returns the surface, white where the disc is not, and how far its corner is from the center.
    """
    reach = int(np.ceil(diameter / 2)) + 1
    cells = (np.arange(2 * reach * FINER) + 0.5) / FINER - reach
    x, y = cells[None] - right / parts, cells[:, None] - down / parts
    covered = np.clip((diameter / 2 - np.hypot(x, y)) * FINER + 0.5, 0, 1)
    covered = covered.reshape(2 * reach, FINER, 2 * reach, FINER).mean(axis=(1, 3))
    pixels = 255 - covered[..., None] * (255 - np.array(color))
    return pygame.surfarray.make_surface(pixels.astype(np.uint8).swapaxes(0, 1)), reach


@functools.lru_cache(8)
def veil(size: tuple[int, int]) -> pygame.Surface:
    """A thin white sheet."""
    sheet = pygame.Surface(size, pygame.SRCALPHA)
    sheet.fill((*theme.CARD, 150))
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


def diverging(values: np.ndarray, most: float) -> np.ndarray:
    """Numbers (H,W) as colors (H,W,3): gray at 0, blue at ``most``, orange at its negative."""
    part = np.clip(values / max(most, 1e-12), -1, 1)[..., None]
    end = np.where(part < 0, np.array(theme.ORANGE), np.array(theme.BLUE))
    zero = np.array(theme.ZERO)
    colors: np.ndarray = (zero + (end - zero) * np.abs(part)).astype(np.uint8)
    return colors
