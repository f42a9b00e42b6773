"""Stroke files: a drawing a line, as JSON.

    {"strokes": [[[x, y], [x, y], ...], ...], "label": 7, "writer": "w1", "pen": 12}

x goes right and y goes down, in any unit; all but the strokes may be missing. A line that is
damaged does not keep the others from being read.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tinycnn.errors import ImageError
from tinycnn.ink.strokes import check_strokes

LONGEST_LINE = 16 * 2**20  # bytes; a digit needs about two thousand
GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Drawing:
    """What somebody drew, and what is known of it."""

    strokes: list[np.ndarray]
    label: int | str | None = None
    writer: str | None = None
    pen: float = 0.0
    """Width of the pen in the unit of the strokes, 0 if unknown."""


def read_drawings(payload: bytes) -> Iterator[Drawing | ImageError]:
    """The drawings of a stroke file, plain or gzip, one after the other.

    A line that holds none gives the ImageError that says why, in its place. Memory stays near
    the size of the file and of one line, whatever a compressed file claims.
    """
    file: io.BufferedIOBase = io.BytesIO(payload)
    if payload.startswith(GZIP_MAGIC):
        file = gzip.GzipFile(fileobj=file)
    try:
        while line := file.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                yield ImageError(f"the line is longer than {LONGEST_LINE // 2**20} MB")
                return
            if line.strip():
                yield _drawing_or_error(line)
    except (EOFError, zlib.error, OSError) as error:
        yield ImageError(f"the gzip stream is cut or damaged ({error})")


def parse_drawing(line: str | bytes) -> Drawing:
    """The drawing that one line holds; raises ImageError."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ImageError("the line is no JSON") from error
    if not isinstance(record, dict) or "strokes" not in record:
        raise ImageError('the line is no JSON object with "strokes"')
    label, writer, pen = record.get("label"), record.get("writer"), record.get("pen", 0)
    if not isinstance(label, int | str | None):
        raise ImageError('"label" is neither a number nor a text')
    if not isinstance(pen, int | float) or not 0 <= pen <= 1e9:
        raise ImageError('"pen" is no width')
    strokes = check_strokes(record["strokes"])
    return Drawing(strokes, label, None if writer is None else str(writer), float(pen))


def _drawing_or_error(line: bytes) -> Drawing | ImageError:
    try:
        return parse_drawing(line)
    except ImageError as error:
        return error
