"""Digits in one line of Python: ``tinycnn.read("photo.png").text``."""

import functools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinycnn.errors import ImageError
from tinycnn.files import PathLike
from tinycnn.ink import Picture, Reading, Recognizer, read_picture, read_strokes
from tinycnn.ink.pictures import read_file
from tinycnn.ink.strokes import check_strokes
from tinycnn.nn import Sequential
from tinycnn.predict.sources import read_items
from tinycnn.train.folder import DEFAULT, find_weights

Ink = PathLike | np.ndarray | Sequence[Sequence[Sequence[float]]]


def load(name: PathLike = DEFAULT) -> Sequential:
    """Return the network of a weights file, a run folder, ``last`` or ``default``; WeightsError.

    Any number of threads may share it to predict.
    """
    return Sequential.load(find_weights(name))


def read(ink: Ink, weights: PathLike | Sequential = DEFAULT) -> Reading:
    """Return the ``text`` and the ``digits`` in a file, an image or a drawing.

    ``ink`` is a picture or the first drawing of a stroke file; an array of gray levels (H,W),
    uint8 or from 0 to 1; or strokes, a list of lines of points (x, y), y down. Raises ImageError if
    it cannot be read. Networks are loaded once, and threads may share them.
    """
    if isinstance(weights, Sequential):
        recognizer = Recognizer.of(weights)
    else:
        path = find_weights(weights)
        recognizer = _recognizer(path, os.stat(path).st_mtime_ns if path.exists() else 0)
    if isinstance(ink, str | os.PathLike):
        try:
            item = next(read_items(str(ink), read_file(ink), recognizer))
        except ImageError as error:
            raise ImageError(f"{ink}: {error}") from error
        if item.reading is None:
            raise ImageError(f"{ink}: {item.error}")
        return item.reading
    if isinstance(ink, np.ndarray):
        return read_picture(Picture(_gray(ink)), recognizer)
    return read_strokes(check_strokes(ink), recognizer)


@functools.lru_cache(maxsize=8)
def _recognizer(path: Path, _changed: int) -> Recognizer:
    return Recognizer.of(Sequential.load(path))


def _gray(image: np.ndarray) -> np.ndarray:
    if image.ndim != 2 or not image.size:
        raise ImageError(f"an image is an array of gray levels (H, W), not {image.shape}")
    if image.dtype == np.uint8:
        return image
    if image.dtype.kind != "f" or not (image.min() >= 0 and image.max() <= 1):
        raise ImageError(f"gray levels are uint8, or floats from 0 to 1, not {image.dtype}")
    return np.asarray(np.rint(image * 255), np.uint8)
