"""Draws lines over images with a round pen, as a writer adds strokes to a digit."""

import numpy as np

from tinycnn.data.mnist import PEN
from tinycnn.ink.strokes import draw


def add_marks(images: np.ndarray, marks: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Draw polylines over images (B,H,W) uint8; return new ones. Ink is never erased.

    marks (B,M,P,2) are the rows and columns of M polylines of P points, in pixels; pixel (i,j)
    has its center at (i,j). A polyline with a NaN is left out. widths (B,) are those of the pens.
    """
    marked = images.copy()
    for image, lines, width in zip(marked, marks, widths, strict=True):
        strokes = [line[:, ::-1] + 0.5 for line in lines if np.isfinite(line).all()]
        if strokes:
            np.maximum(image, draw(strokes, width, image.shape), out=image)
    return marked


def pens(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw line widths (count,), in pixels, close to MNIST's."""
    return rng.uniform(0.8, 1.2, count) * PEN
