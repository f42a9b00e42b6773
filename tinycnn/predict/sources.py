"""From the bytes of a file to a reading of each picture, drawing or image in it.

The first bytes of a file say which kind it is; its name does not matter. An error inside one file,
or in one drawing among many, becomes an item that reports it; the others are read all the same.
"""

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image

from tinycnn.data.checks import oddity
from tinycnn.data.formats import GZIP_MAGIC
from tinycnn.data.idx import ELEMENT_TYPES, decode_idx
from tinycnn.errors import DataError, ImageError, TinyCNNError
from tinycnn.ink.drawings import Drawing, read_drawings
from tinycnn.ink.pictures import Picture, decode_picture
from tinycnn.ink.reading import image_steps, picture_trace, read_images, read_picture, read_strokes
from tinycnn.ink.results import Reading, draw_boxes, draw_drawing, percent
from tinycnn.ink.strokes import Step
from tinycnn.nn.classifier import Recognizer

MOST_ROWS = 100  # of a trace
BATCH = 256  # images of an IDX file at a time
MOST_PAGES = 1000  # of a TIFF or PDF file: it takes minutes
MOST_IMAGES = 100_000  # of an IDX file: half a megabyte of gzip can hold 680,000 blank ones


@dataclass(frozen=True)
class Item:
    """One picture, drawing or image of a file, with its reading or the reason why there is none."""

    file: str
    index: int | None = None  # its number in a file that holds several
    page: Picture | Drawing | None = None  # None for a prepared image, or if nothing was decoded
    reading: Reading | None = None
    note: str | None = None  # a remark on the reading for the user
    error: str | None = None  # why there is no reading
    cause: Exception | None = None  # the exception behind ``error``

    @property
    def name(self) -> str:
        """The file, with the number in it."""
        return self.file if self.index is None else f"{self.file}[{self.index}]"

    def framed(self) -> Image.Image | None:
        """The page with a frame around each digit; None without a page that was read."""
        if self.page is None or self.reading is None:
            return None
        if isinstance(self.page, Drawing):
            return draw_drawing(self.page.strokes, self.reading)
        return draw_boxes(Image.fromarray(self.page.gray), self.reading, 1 / self.page.scale)

    def trace(self, most: int = MOST_ROWS) -> list[tuple[str, list[Step]]]:
        """The steps of the page and of up to ``most`` digits: titled rows for ``draw_trace``."""
        rows: list[tuple[str, list[Step]]] = []
        if isinstance(self.page, Picture):
            rows.append((self.file, []))
            with suppress(ImageError), one_input():  # ``error`` reports it; earlier steps are kept
                rows[0][1].extend(picture_trace(self.page))
        digits = self.reading.digits if self.page and self.reading else ()
        for digit in digits[: max(most - len(rows), 0)]:
            title = f"{self.name}: {digit.name}, {percent(digit.confidence)}"
            rows.append((title, list(image_steps(digit.ink))))
        return rows


@contextmanager
def one_input() -> Iterator[None]:
    """Turn unexpected exceptions into an ImageError, because only one input is at fault."""
    try:
        yield
    except TinyCNNError:
        raise
    except MemoryError as error:
        raise ImageError("there is not enough memory to read it; make it smaller") from error
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ImageError(f"tinycnn failed to read it ({reason}); --debug shows where") from error


def read_items(
    name: str,
    payload: bytes,
    recognizer: Recognizer,
    *,
    strokes: bool = False,
    single: bool = False,
) -> Iterator[Item]:
    """Read the bytes of a file of that name.

    strokes: take it for a stroke file; single: every picture and drawing is one digit.
    """
    try:
        with one_input():
            read = _read_drawings if strokes else _reader(payload)
            yield from read(name, payload, recognizer, single)
    except (ImageError, DataError) as error:
        yield Item(name, error=str(error), cause=error)


def _reader(payload: bytes) -> Callable[[str, bytes, Recognizer, bool], Iterator[Item]]:
    first = payload[:64]
    if first.startswith(GZIP_MAGIC):
        try:
            first = zlib.decompressobj(wbits=31).decompress(payload[:4096], 64)
        except zlib.error as error:
            raise ImageError(f"the gzip stream is damaged ({error})") from error
    if first.startswith(b"\0\0") and ELEMENT_TYPES.keys() & first[2:3]:
        return _read_idx
    return _read_drawings if first.lstrip().startswith(b"{") else _read_picture


def _read_picture(
    file: str, payload: bytes, recognizer: Recognizer, single: bool
) -> Iterator[Item]:
    number, pages = 0, 1
    while number < min(pages, MOST_PAGES):
        picture = decode_picture(payload, number)
        pages = picture.pages
        read = partial(read_picture, recognizer=recognizer, single=single)
        yield _upright(Item(file, number if pages > 1 else None, picture), picture, read)
        number += 1
    if pages > MOST_PAGES:
        raise ImageError(f"the first {MOST_PAGES:,} of its {pages:,} pages were read, no more")


def _upright(item: Item, picture: Picture, read: Callable[[Picture], Reading]) -> Item:
    """Read a picture; if it is doubtful and has more digits when turned, as lying on its side."""
    items = [_with_reading(item, partial(read, picture))]
    if items[0].reading and items[0].reading.doubtful:
        for turns, side in (1, "right"), (3, "left"):
            turned = replace(picture, gray=np.rot90(picture.gray, turns).copy())
            note = f"it lies on its {side} side and was turned upright"
            lying = replace(item, page=turned, note=note)
            items.append(_with_reading(lying, partial(read, turned)))
    return max(items, key=_digits_of)


def _digits_of(item: Item) -> int:
    """How many digits of a reading are accepted; 0 if most of it is none, or there is but one."""
    digits = item.reading.digits if item.reading and not item.reading.doubtful else ()
    accepted = sum(not digit.rejected for digit in digits)
    return accepted if accepted > 1 else 0


def _read_drawings(
    file: str, payload: bytes, recognizer: Recognizer, single: bool
) -> Iterator[Item]:
    for index, drawing in enumerate(read_drawings(payload)):
        if isinstance(drawing, ImageError):
            yield Item(file, index, error=str(drawing), cause=drawing)
        else:
            read = partial(read_strokes, drawing.strokes, recognizer, drawing.pen, single=single)
            yield _with_reading(Item(file, index, drawing), read)


def _with_reading(item: Item, read: Callable[[], Reading]) -> Item:
    try:
        with one_input():
            return replace(item, reading=read())
    except ImageError as error:
        return replace(item, error=str(error), cause=error)


def _read_idx(file: str, payload: bytes, recognizer: Recognizer, _: bool) -> Iterator[Item]:
    """IDX images are prepared already, so they go to the network as they are."""
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
            yield Item(file, index, reading=reading, note=None if index else note)
    if len(images) > MOST_IMAGES:
        raise ImageError(
            f"the first {MOST_IMAGES:,} of its {len(images):,} images were read, no more; "
            "tinycnn.evaluate measures whole data sets"
        )
