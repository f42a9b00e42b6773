"""Whatever a file holds, an answer for each picture, drawing or image in it.

What kind of file it is shows in its first bytes, never in its name. Whatever goes wrong inside
one file, or one drawing among many, becomes an answer that says so; the others are read all the
same.
"""

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

from PIL import Image

from tinycnn.data.checks import oddity
from tinycnn.data.idx import ELEMENT_TYPES, GZIP_MAGIC, decode_idx
from tinycnn.errors import DataError, ImageError, TinyCNNError
from tinycnn.ink import (
    Reading,
    Recognizer,
    Steps,
    decode_picture,
    draw_boxes,
    draw_drawing,
    percent,
    read_drawings,
    read_images,
    read_picture,
    read_strokes,
    to_image,
)
from tinycnn.ink.trace import unseen

BATCH = 256  # images of an IDX file at a time
MOST_IMAGES = 100_000  # of an IDX file: half a megabyte of gzip can hold 680,000 blank ones
MOST_ROWS = 100  # of steps that are kept


@dataclass(frozen=True)
class Answer:
    """What became of one picture, drawing or image."""

    file: str
    index: int | None = None
    """Its number in a file that holds several."""

    label: int | str | None = None
    """What it should be, if the file says so."""

    reading: Reading | None = None
    framed: Callable[[], Image.Image] | None = None
    """Draws the page with a frame around each digit."""

    note: str | None = None
    """What people should know about the reading."""

    error: str | None = None
    """Why there is no reading."""

    cause: Exception | None = None
    """What was raised, for people who look for a fault."""

    @property
    def name(self) -> str:
        """The file, with the number in it."""
        return self.file if self.index is None else f"{self.file}[{self.index}]"


@contextmanager
def one_input() -> Iterator[None]:
    """Whatever goes wrong inside is the fault of one input: an ImageError says so.

    Errors of ours pass as they are, Ctrl-C passes too.
    """
    try:
        yield
    except TinyCNNError:
        raise
    except MemoryError as error:
        raise ImageError("there is not enough memory to read it; make it smaller") from error
    except OSError as error:
        raise ImageError(f"it cannot be read: {error.strerror or error}") from error
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ImageError(f"tinycnn failed to read it ({reason}); --debug shows where") from error


def _ends_in_an_answer(reader: Callable[..., Iterator[Answer]]) -> Callable[..., Iterator[Answer]]:
    """A reader whose last answer tells the error that ended it, if one did."""

    @wraps(reader)
    def read(file: str, *arguments: Any) -> Iterator[Answer]:
        try:
            with one_input():
                yield from reader(file, *arguments)
        except (ImageError, DataError) as error:
            yield Answer(file, error=str(error), cause=error)

    return read


@_ends_in_an_answer
def answers(
    file: str, payload: bytes, recognizer: Recognizer, steps: Steps | None = None
) -> Iterator[Answer]:
    """Read the bytes of a file called ``file``; ``steps``, if given, is shown everything."""
    yield from _reader(payload)(file, payload, recognizer, steps)


@_ends_in_an_answer
def drawings(
    file: str, payload: bytes, recognizer: Recognizer, steps: Steps | None = None
) -> Iterator[Answer]:
    """Read a stroke file: an answer for every line."""
    for index, drawing in enumerate(read_drawings(payload)):
        if isinstance(drawing, ImageError):
            yield Answer(file, index, error=str(drawing), cause=drawing)
            continue
        try:
            with one_input():
                reading = read_strokes(drawing.strokes, recognizer, drawing.pen)
        except ImageError as error:
            yield Answer(file, index, drawing.label, error=str(error), cause=error)
            continue
        framed = partial(draw_drawing, drawing.strokes, reading)
        answer = Answer(file, index, drawing.label, reading, framed)
        _show_digits(answer, steps)
        yield answer


def _reader(payload: bytes) -> Callable[..., Iterator[Answer]]:
    first = payload[:64]
    if first.startswith(GZIP_MAGIC):
        try:
            first = zlib.decompressobj(wbits=31).decompress(payload[:4096], 64)
        except zlib.error as error:
            raise ImageError(f"the gzip stream is damaged ({error})") from error
    if first.startswith(b"\0\0") and ELEMENT_TYPES.keys() & first[2:3]:
        return _idx_images
    return drawings if first.lstrip().startswith(b"{") else _picture


def _picture(
    file: str, payload: bytes, recognizer: Recognizer, steps: Steps | None
) -> Iterator[Answer]:
    picture = decode_picture(payload)
    if steps:
        steps.begin(file)
    reading = read_picture(picture, recognizer, steps or unseen)
    page = Image.fromarray(picture.gray)
    framed = partial(draw_boxes, page, reading, 1 / picture.scale)
    note = "only the first of its pages is read" if picture.pages_left_out else None
    answer = Answer(file, reading=reading, framed=framed, note=note)
    _show_digits(answer, steps)
    yield answer


def _idx_images(
    file: str, payload: bytes, recognizer: Recognizer, steps: Steps | None
) -> Iterator[Answer]:
    """IDX images are prepared already, so they are taken as they are."""
    images = decode_idx(io.BytesIO(payload), len(payload))
    if images.ndim != 3 or images.dtype != "uint8" or not images[:1].size:
        raise ImageError(f"the IDX file holds {images.dtype} {images.shape}, not gray images")
    if len(images) > BATCH and not images.any():
        raise ImageError(f"there is no ink in any of its {len(images):,} images")
    odd = oddity(images, None, file)
    note = f"the images look as if they {odd}" if odd else None
    for start in range(0, min(len(images), MOST_IMAGES), BATCH):
        readings = read_images(images[start : min(start + BATCH, MOST_IMAGES)], recognizer)
        for index, reading in enumerate(readings, start):
            yield Answer(file, index, reading=reading, note=None if index else note)
    if len(images) > MOST_IMAGES:
        raise ImageError(
            f"the first {MOST_IMAGES:,} of its {len(images):,} images were read, no more; "
            "tinycnn.evaluate measures whole data sets"
        )


def _show_digits(answer: Answer, steps: Steps | None) -> None:
    """A row of steps for every digit."""
    if steps is None or answer.reading is None:
        return
    for digit in answer.reading.digits[: max(MOST_ROWS - len(steps.rows), 0)]:
        steps.begin(f"{answer.name}: {digit.name}, {percent(digit.confidence)}")
        to_image(digit.ink, steps)
