"""File formats that tinycnn does not read, by their first bytes, with a way out of each."""

GZIP_MAGIC = b"\x1f\x8b"
HEAD = 1024  # bytes that are looked at

FIRST_BYTES = {
    b"\x89PNG": "a PNG picture, perhaps a damaged one",
    b"%PDF": "a PDF document; save the page as PNG or JPEG",
    b"<svg": "an SVG drawing; save it as PNG",
    b"<?xml": "an XML document; save it as PNG, JPEG or IDX",
    b"<": "an HTML page, perhaps from a proxy or a login; save the file behind it",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x93NUM": "a NumPy array; save it as a picture or as an IDX file",
    GZIP_MAGIC: "something compressed with gzip; unpack it first",
}
HEIC = "a HEIC picture; save it as PNG or JPEG (Python's pillow-heif does)"
VIDEO = "a video; save one of its frames as PNG or JPEG"
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def format_of(payload: bytes) -> str | None:
    """The format of these bytes and a way out of it, in words; None if unknown."""
    if payload[4:8] == b"ftyp":  # the box that HEIC, AVIF and videos begin with lists its brands
        brands = payload[8 : min(int.from_bytes(payload[:4]), HEAD)]
        if b"avif" in brands or b"avis" in brands:
            return "an AVIF picture; save it as PNG or JPEG (Python's pillow-avif-plugin does)"
        return HEIC if any(brand in brands for brand in HEIC_BRANDS) else VIDEO
    head = payload[:HEAD].removeprefix(b"\xef\xbb\xbf")  # text may open with a byte-order mark
    text = head.lstrip().lower()
    if text.startswith((b"<?xml", b"<!--")) and b"<svg" in text:
        text = b"<svg"
    for first, name in FIRST_BYTES.items():
        if head.startswith(first) or text.startswith(first.lower()):
            return name
    return None
