"""Open untrusted pictures of any size, orientation, depth or color space, damaged ones included.

The result is always gray levels, upright, at a size that is quick to work on. A picture that
cannot be read is refused with one sentence, and a small file never becomes a large array: sizes
are compared with a limit before anything is unpacked.
"""

import io
import os
import stat
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tinycnn.data.formats import HEIC, format_of
from tinycnn.data.mnist import is_prepared
from tinycnn.errors import ImageError
from tinycnn.files import PathLike

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF")
PDF_MAGIC = b"%PDF"
MOST_PIXELS = 25_000_000
MOST_BYTES = 100 * 2**20  # of a file: room for 25 million pixels in uncompressed color
MOST_SCANS = 20  # times that a JPEG of the most pixels may go over all of them; usual is ten
MOST_RUNS = 2**18  # bytes of a BMP in run lengths, which Pillow unpacks one by one, in Python
WORKING_SIDE = 1600  # pixels: larger pictures are reduced to it
NARROWEST = 8  # pixels: a picture that a reduction makes narrower is unreadable

_NEEDED = '{0} is read if {1} is installed: pip install "tinycnn[documents]"; or save it as PNG'
_TOO_LARGE = "the picture has too many pixels (25 million are read, fewer of some kinds); reduce it"

TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+")  # all that Pillow takes
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
# Bytes of a value by the number of a tag's type; decoders skip unknown types, the last entry here.
ITEM_BYTES = np.array([0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0])
DIRECTORIES = (34665, 34853, 40965)  # tags whose value is the place of another directory
MOST_TAGS = 2**16  # of a directory
TILE_SIDES = (322, 323)


@dataclass(frozen=True)
class Picture:
    """Gray levels of a picture, upright."""

    gray: np.ndarray  # uint8 (H,W), 0 is black
    scale: float = 1.0  # pixels of the file for one pixel of ``gray``
    pages: int = 1  # how many pages the file has; ``gray`` is one of them

    def prepared(self) -> np.ndarray | None:
        """The image, white on black, if it has MNIST's size, box and center already; else None."""
        return next(filter(is_prepared, (self.gray, 255 - self.gray)), None)


def read_file(path: PathLike, most_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file of bounded size; raises ImageError."""
    try:
        # Opening a pipe without a writer would otherwise wait for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ImageError("it is no regular file")
            payload = file.read(most_bytes + 1)
    except OSError as error:
        raise ImageError(f"it cannot be read: {error.strerror or error}") from error
    if len(payload) > most_bytes:
        raise ImageError(f"the file is larger than {most_bytes // 2**20} MB")
    return payload


def decode_picture(payload: bytes, page: int = 0) -> Picture:
    """A picture in the bytes of a PNG, JPEG, WebP, BMP, GIF, TIFF, AVIF, HEIC or PDF file.

    page: its number, in a TIFF or PDF file; animations give their first frame. EXIF says which
    side is up, transparent pixels become paper, and 16 bits become 8 by division. Raises
    ImageError, with a sentence that names no file, for anything wrong with it.
    """
    if not payload:
        raise ImageError("the file is empty")
    if payload.startswith(PDF_MAGIC):
        return _pdf_page(payload, page)
    if format_of(payload) == HEIC:
        _open_heic()
    if payload.startswith(TIFF_MAGIC) and not tags_fit(payload):
        raise ImageError("the TIFF file is damaged or of an odd kind; save it as PNG or JPEG")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            Image.init()
            formats = [name for name in FORMATS if name in Image.OPEN]
            with Image.open(io.BytesIO(payload), formats=formats) as image:
                pages = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
                image.seek(page)
                _refuse_bombs(image, payload)
                return replace(_decode(image), pages=pages)
        except ImageError:
            raise
        except UnidentifiedImageError as error:
            known = format_of(payload) or "no picture of a kind that is read"
            raise ImageError(f"this is {known}") from error
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise ImageError(_TOO_LARGE) from error
        except Exception as error:  # decoders raise exceptions of any type
            raise ImageError(f"the picture is damaged ({error or type(error).__name__})") from error


def _pdf_page(payload: bytes, page: int) -> Picture:
    """A page of a PDF document, as large as pictures are worked on; ``scale`` gives points."""
    try:
        from pypdfium2 import PdfDocument, PdfiumError
    except ImportError as error:
        raise ImageError(_NEEDED.format("PDF", "pypdfium2")) from error
    try:
        with PdfDocument(payload) as document:
            sheet = document[page]
            scale = WORKING_SIDE / max(*sheet.get_size(), 1.0)
            image = sheet.render(scale=scale).to_pil().convert("L")
            return Picture(np.array(image), 1 / scale, len(document))
    except (PdfiumError, OSError, ValueError) as error:
        raise ImageError(f"the PDF document is damaged or locked ({error})") from error


def _open_heic() -> None:
    """Teach Pillow HEIC, if pillow-heif is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise ImageError(_NEEDED.format("HEIC", "pillow-heif")) from error
    register_heif_opener()


def _refuse_bombs(image: Image.Image, payload: bytes) -> None:
    """Before a pixel is unpacked, refuse pictures that would take too much memory or time."""
    width, height = (getattr(image, "tag_v2", {}).get(side, 0) for side in TILE_SIDES)
    tile = width * height if isinstance(width, int) and isinstance(height, int) else 0
    pixels = max(image.width * image.height, tile)  # a small TIFF may come in huge tiles
    # The decoder of WebP holds several pictures in color; others take four bytes per pixel.
    times = 4 if image.mode in ("I", "F") else 2 if image.format == "WEBP" else 1
    if times * pixels > MOST_PIXELS:
        raise ImageError(_TOO_LARGE)
    scans = payload.count(b"\xff\xda") if image.format in ("JPEG", "MPO") else 1
    if scans * pixels > MOST_SCANS * MOST_PIXELS:
        raise ImageError(f"the picture is made of {scans:,} scans, far more than it needs")
    runs = image.format == "BMP" and image.info.get("compression") in (1, 2)
    if runs and len(payload) > MOST_RUNS:
        raise ImageError("BMP pictures in run lengths are read up to 256 kB; save it as PNG")


def _decode(image: Image.Image) -> Picture:
    longer = max(image.size)
    reduction = min(WORKING_SIDE / longer, 1.0)
    if reduction * min(image.size) < min(NARROWEST, *image.size):
        raise ImageError(
            f"the picture is {image.width:,} x {image.height:,} pixels, too narrow for its length; "
            "cut it into shorter ones"
        )
    size = max(round(image.width * reduction), 1), max(round(image.height * reduction), 1)
    info = {} if image.format == "TIFF" else dict(image.info)  # Pillow itself turns TIFF upright
    image.draft(None, size)  # JPEG can be unpacked at a half or a quarter of its size
    layer, opacity = _layers(image)
    gray = np.asarray(layer.resize(size, Image.Resampling.BOX))
    if opacity:
        gray = _on_paper(gray, np.asarray(opacity.resize(size, Image.Resampling.BOX)))
    return Picture(_upright(gray, info), longer / max(size))


def _upright(gray: np.ndarray, info: dict[Any, Any]) -> np.ndarray:
    """Turn a picture as its EXIF data say; with damaged EXIF data it is still a picture."""
    if not tags_fit((info.get("exif") or b"").removeprefix(b"Exif\0\0")):
        return gray
    image = Image.fromarray(gray)
    image.info = info
    try:
        return np.asarray(ImageOps.exif_transpose(image))
    except Exception:  # noqa: BLE001 - the EXIF parser, too, raises exceptions of any type
        return gray


def _layers(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Gray levels and, where the picture has it, opacity: images of mode L."""
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image), None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return image.convert("L"), image.getchannel("A")
    return (image.convert("RGB") if image.mode == "CMYK" else image).convert("L"), None


def _eight_bits(image: Image.Image) -> Image.Image:
    """More than 8 bits: divided, where Pillow would cut everything off above 255."""
    levels = np.nan_to_num(np.asarray(image))
    low, high = levels.min(), max(levels.max(), levels.min() + 1)
    if image.mode != "F" and low >= 0 and high <= 65535:
        return Image.fromarray((levels // 257).astype(np.uint8))
    return Image.fromarray(((levels - low) * (255 / (high - low))).astype(np.uint8))


def _on_paper(gray: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Put the picture on paper: white, or black under light ink.

    Where most of the picture is opaque, the paper is in it, and its gray goes on behind the holes.
    """
    opaque = gray[alpha >= 128]
    if opaque.size > 0.5 * gray.size:
        paper = float(np.median(opaque))
    else:
        paper = 0.0 if opaque.size and opaque.mean() > 127 else 255.0
    share = alpha.astype(np.float32) / 255
    return np.rint(gray * share + paper * (1 - share)).astype(np.uint8)


def tags_fit(payload: bytes) -> bool:
    """Whether the tags of a TIFF file, or of EXIF data, together claim no more bytes than it has.

    A tag says where its values lie and how many there are, and a decoder copies them. Thousands of
    tags may name the same megabyte, so their claims are added up before a decoder sees the file.
    """
    order = BYTE_ORDERS.get(payload[:4])
    if order is None or len(payload) < 8:
        return False
    starts, room = [int(np.frombuffer(payload, order + "u4", 1, 4)[0])], len(payload)
    while starts:
        tags = _directory(payload, starts.pop(), order)
        item_bytes = ITEM_BYTES[np.minimum(tags["type"], len(ITEM_BYTES) - 1)]
        room -= 2 + tags.nbytes + int((item_bytes * tags["count"].astype(np.int64)).sum())
        if room < 0:
            return False
        starts += tags["value"][np.isin(tags["tag"], DIRECTORIES)].tolist()
    return True


def _directory(payload: bytes, start: int, order: str) -> np.ndarray:
    """The tags of the directory at ``start``, as far as the file reaches."""
    fields = [("tag", "u2"), ("type", "u2"), ("count", "u4"), ("value", "u4")]
    layout = np.dtype([(name, order + kind) for name, kind in fields])
    head, body = payload[start : start + 2], payload[start + 2 : start + 2 + MOST_TAGS * 12]
    promised = int(np.frombuffer(head, order + "u2")[0]) if len(head) == 2 else 0
    return np.frombuffer(body, layout, min(promised, len(body) // layout.itemsize))
