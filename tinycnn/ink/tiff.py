"""Whether the tags of a TIFF file, or of a picture's EXIF data, have room in it.

A tag says where its values lie and how many there are, and a decoder copies them. Nothing keeps
thousands of tags from naming the same megabyte, so what they claim is added up before a decoder
sees the file.
"""

import numpy as np

BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
ITEM_BYTES = np.array([0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4])  # by the number of a tag's type
DIRECTORIES = (34665, 34853, 40965)  # tags whose value is the place of another directory
MOST_TAGS = 2**16  # of a directory
TILE_SIDES = (322, 323)


def tags_fit(payload: bytes) -> bool:
    """Whether all tags together claim no more bytes than there are."""
    order = BYTE_ORDERS.get(payload[:4])
    if order is None or len(payload) < 8:
        return False
    starts, room = [int(np.frombuffer(payload, order + "u4", 1, 4)[0])], len(payload)
    while starts:
        tags = _directory(payload, starts.pop(), order)
        room -= 2 + tags.nbytes + int((_item_bytes(tags) * tags["count"].astype(np.int64)).sum())
        if room < 0:
            return False
        starts += tags["value"][np.isin(tags["tag"], DIRECTORIES)].tolist()
    return True


def tile_pixels(tags: dict[int, object]) -> int:
    """The pixels of one tile, 0 where there are none: a small picture may come in huge ones."""
    width, height = (tags.get(side, 0) for side in TILE_SIDES)
    return width * height if isinstance(width, int) and isinstance(height, int) else 0


def _directory(payload: bytes, start: int, order: str) -> np.ndarray:
    """The tags of the directory at ``start``, as far as the file reaches."""
    fields = [("tag", "u2"), ("type", "u2"), ("count", "u4"), ("value", "u4")]
    layout = np.dtype([(name, order + kind) for name, kind in fields])
    head, body = payload[start : start + 2], payload[start + 2 : start + 2 + MOST_TAGS * 12]
    promised = int(np.frombuffer(head, order + "u2")[0]) if len(head) == 2 else 0
    return np.frombuffer(body, layout, min(promised, len(body) // layout.itemsize))


def _item_bytes(tags: np.ndarray) -> np.ndarray:
    """Bytes of one value of each tag; decoders skip tags of types that there are not."""
    known = tags["type"] < len(ITEM_BYTES)
    return np.where(known, ITEM_BYTES[np.where(known, tags["type"], 0)], 0)
