"""Draws an image in the terminal, two characters per pixel."""

import numpy as np

SHADES = " ░▒▓█"
ASCII_SHADES = " .:*#"  # for a terminal that cannot show the blocks


def draw(image: np.ndarray, encoding: str | None = "utf-8") -> str:
    """The lines of an image (H,W) uint8, in five shades that the terminal's ``encoding`` has."""
    known = SHADES.encode(encoding or "ascii", "ignore")
    shades = SHADES if len(known) > 1 else ASCII_SHADES
    levels = np.minimum(image.astype(int) * len(shades) // 255, len(shades) - 1)
    return "\n".join("".join(2 * shades[level] for level in row) for row in levels)
