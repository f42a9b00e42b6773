"""What a file that is not read is called: formats by their first bytes, and the way out of each."""

from tinycnn.data.idx import GZIP_MAGIC

FIRST_BYTES = {
    b"%PDF": "a PDF document; save the page as PNG or JPEG",
    b"<svg": "an SVG drawing; save it as PNG",
    b"<!DOCTYPE": "a web page; save the picture that it shows",
    b"<html": "a web page; save the picture that it shows",
    b"PK\x03\x04": "a ZIP archive; unpack it first",
    b"8BPS": "a Photoshop document; save it as PNG or JPEG",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture; save it as PNG or JPEG",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture; save it as PNG or JPEG",
    b"\xff\x0a": "a JPEG XL picture; save it as PNG or JPEG",
    b"\0\0\1\0": "an icon; save it as PNG",
    b"\x93NUMPY": "a NumPy array; save it as a picture or as an IDX file",
    GZIP_MAGIC: "something compressed with gzip; unpack it first",
}
HEIC = "a HEIC picture; save it as PNG or JPEG (Python's pillow-heif does)"
AVIF = "an AVIF picture; save it as PNG or JPEG (Python's pillow-avif-plugin does)"
FILM = "a film; save one of its pictures as PNG or JPEG"
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
HEAD = 1024  # bytes


def format_of(payload: bytes) -> str | None:
    """What these bytes are, in words, with the way to something that is read; None if unknown."""
    if payload[4:8] == b"ftyp":  # the box that HEIC, AVIF and films begin with lists its brands
        brands = payload[8 : min(int.from_bytes(payload[:4]), HEAD)]
        if b"avif" in brands or b"avis" in brands:
            return AVIF
        return HEIC if any(brand in brands for brand in HEIC_BRANDS) else FILM
    head = payload[:HEAD].removeprefix(b"\xef\xbb\xbf")
    text = head.lstrip().lower()
    if text.startswith((b"<?xml", b"<!--")) and b"<svg" in text:
        text = b"<svg"
    for first, name in FIRST_BYTES.items():
        if head.startswith(first) or text.startswith(first.lower()):
            return name
    return None
