"""Stroke files: one drawing per line, as JSON.

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

from tinycnn.data.formats import GZIP_MAGIC
from tinycnn.errors import ImageError
from tinycnn.ink.strokes import check_strokes

LONGEST_LINE = 4 * 2**20  # bytes; a digit needs about two thousand, and JSON 20 times as many
MOST_LINES = 1_000_000
MOST_BYTES = 512 * 2**20  # of all lines together, unpacked


@dataclass(frozen=True)
class Drawing:
    """The strokes of a drawing, with its label and writer if known."""

    strokes: list[np.ndarray]
    label: int | str | None = None
    writer: str | None = None
    pen: float = 0.0  # width of the pen in the unit of the strokes, 0 if unknown


def read_drawings(payload: bytes) -> Iterator[Drawing | ImageError]:
    """The drawings of a stroke file, plain or gzip, one after the other.

    A line without a drawing gives an ImageError in its place, and so does a file without one.
    Memory stays near the size of the file and of one line, even if a compressed file claims more.
    """
    try:
        for line in _lines(payload):
            try:
                yield parse_drawing(line)
            except ImageError as error:
                yield error
    except ImageError as error:
        yield error
    except (EOFError, zlib.error, OSError) as error:
        yield ImageError(f"the gzip stream is cut or damaged ({error})")


def _lines(payload: bytes) -> Iterator[bytes]:
    """The lines of a file that are not blank; ImageError for too many, one too long, or none."""
    file: io.BufferedIOBase = io.BytesIO(payload)
    if payload.startswith(GZIP_MAGIC):
        file = io.BufferedReader(gzip.GzipFile(fileobj=file))
    count = size = filled = 0
    while line := file.readline(LONGEST_LINE + 1):
        count, size, filled = count + 1, size + len(line), filled + bool(line.strip())
        if len(line) > LONGEST_LINE:
            raise ImageError(f"the line is longer than {LONGEST_LINE // 2**20} MB")
        if count > MOST_LINES or size > MOST_BYTES:
            raise ImageError("more than a million lines, or 512 MB, are not read")
        if line.strip():
            yield line
    if not filled:
        raise ImageError("there is no drawing in it")


def parse_drawing(line: str | bytes) -> Drawing:
    """The drawing that one line holds; raises ImageError."""
    try:
        record = json.loads(line)
        strokes = record["strokes"]
    except (ValueError, RecursionError) as error:
        raise ImageError("the line is no JSON") from error
    except (TypeError, KeyError) as error:
        raise ImageError('the line is no JSON object with "strokes"') from error
    label, writer, pen = record.get("label"), record.get("writer"), record.get("pen", 0)
    if not isinstance(label, int | str | None) or isinstance(label, bool):
        raise ImageError('"label" is neither a number nor a text')
    if not isinstance(pen, int | float) or isinstance(pen, bool) or not 0 <= pen <= 1e9:
        raise ImageError('"pen" is no width')
    return Drawing(
        check_strokes(strokes), label, None if writer is None else str(writer), float(pen)
    )
