"""A replay as an animated picture: few colors, and only what changes from frame to frame."""

import io
from pathlib import Path

import numpy as np
import pygame
from PIL import Image

from tinycnn.files import write_bytes

FRAMES = 10  # a second
PART = 0.625  # of the window's size
COLORS = 64
LAST = 2.5  # seconds that the last frame stays


class Film:
    """Frames, each with the time that it is seen."""

    def __init__(self) -> None:
        self._frames: list[Image.Image] = []
        self._milliseconds: list[int] = []
        self._now = 0.0

    def due(self, seconds: float) -> bool:
        """Whether the next frame belongs before ``seconds`` from the start."""
        return self._now <= seconds

    def take(self, surface: pygame.Surface) -> None:
        """One more frame; one like the last lets that one stay longer."""
        self._now += 1 / FRAMES
        pixels = np.ascontiguousarray(pygame.surfarray.array3d(surface).swapaxes(0, 1))
        image = Image.fromarray(pixels)
        width, height = (round(length * PART) for length in image.size)
        small = image.resize((width, height), Image.Resampling.LANCZOS)
        if self._frames and small.tobytes() == self._frames[-1].tobytes():
            self._milliseconds[-1] += round(1000 / FRAMES)
            return
        self._frames.append(small)
        self._milliseconds.append(round(1000 / FRAMES))

    def save(self, path: Path) -> None:
        """Write a GIF, or what else the name ends in and Pillow can animate."""
        self._milliseconds[-1] += round(1000 * LAST)
        palette = self._frames[-1].quantize(COLORS)
        frames = [f.quantize(palette=palette, dither=Image.Dither.NONE) for f in self._frames]
        buffer = io.BytesIO()
        frames[0].save(
            buffer,
            path.suffix.lstrip("."),
            save_all=True,
            append_images=frames[1:],
            duration=self._milliseconds,
            loop=0,
        )
        write_bytes(path, buffer.getvalue())
