"""Bombs: small files that would fill the memory, or take hours, if a reader believed them.

Each is made on the spot and read by a process of its own, which reports by how much it has grown
and how long it took. All must be refused, or read, within 200 MB and a few seconds.
"""

import collections
import gzip
import io
import json
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from benchmarks.machine import peak_megabytes
from tests.reliability.findings import Finding
from tests.reliability.mutations import DRAWING
from tinycnn.data import read_idx
from tinycnn.errors import TinyCNNError
from tinycnn.ink import decode_picture, read_drawings, read_file
from tinycnn.ink.drawings import LONGEST_LINE
from tinycnn.nn import Sequential
from tinycnn.train import checkpoint

GROWTH, SECONDS = 200, 10.0  # MB; seconds of processor time
GIGABYTES = 3
SIDE = 5_000  # pixels: as many as a picture may have

Maker = Callable[[], bytes | tuple[bytes, int]]
"""Returns the bytes of a file, and how many zeros follow that take no place on the disk."""


def packed(start: bytes, piece: bytes) -> bytes:
    """A gzip file of ``start`` and of ``piece`` again and again, three gigabytes in all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits=-15)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    mebibyte = packer.compress(piece * (2**20 // len(piece))) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush a block refers to nothing before it, so it may simply be repeated.
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + head + GIGABYTES * 1024 * mebibyte


def idx_header(*sizes: int) -> bytes:
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, 8, len(sizes), *sizes)


def hollow(header: dict, size: int = 0) -> tuple[bytes, int]:
    """A safetensors file with a hole of ``size`` bytes for its arrays."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text, size


def dense(inputs: int) -> tuple[bytes, int]:
    """A weights file that is right in all respects, only very large."""
    size = 40 * inputs
    layers = [{"layer": "Dense", "units": 10}]
    described = json.dumps({"format": 1, "input_shape": [inputs], "layers": layers})
    b = {"dtype": "F32", "shape": [10], "data_offsets": [0, 40]}
    w = {"dtype": "F32", "shape": [inputs, 10], "data_offsets": [40, 40 + size]}
    return hollow({"__metadata__": {"tinycnn": described}, "0.b": b, "0.w": w}, 40 + size)


def many_names() -> tuple[bytes, int]:
    nothing = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return hollow({str(number): nothing for number in range(1_000_000)})


def deep(key: str, depth: int) -> tuple[bytes, int]:
    return hollow({"__metadata__": {key: "[" * depth}})


def picture(kind: str, mode: str, height: int = SIDE, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (SIDE, height)).save(file, kind, **options)
    return file.getvalue()


def png_header(side: int) -> bytes:
    good = bytearray(picture("PNG", "L"))
    good[16:24] = struct.pack(">II", side, side)
    good[29:33] = zlib.crc32(bytes(good[12:29])).to_bytes(4, "big")
    return bytes(good)


def scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    good = picture("JPEG", "L", progressive=True)
    last = good.rindex(b"\xff\xda")
    return good[:last] + good[last:-2] * count + good[-2:]


def runs(count: int) -> bytes:
    """A BMP picture in runs of a single pixel."""
    sizes = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, 2 * count, 0, 0, 256, 0)
    start = 14 + len(sizes) + 1024
    head = b"BM" + struct.pack("<IHHI", start + 2 * count, 0, 0, start)
    return head + sizes + bytes(1024) + b"\1\0" * count


def shared_tags() -> bytes:
    """A TIFF of 780 kB with 65,000 tags that all have the same 60 kB for their value."""
    tags = b"".join(struct.pack("<HHII", number, 7, 60_000, 8) for number in range(65_000))
    return b"II*\0" + struct.pack("<IH", 8, 65_000) + tags + bytes(4)


def stuffed(start: str, piece: str, end: str) -> bytes:
    """A drawing of ``piece`` again and again, on the longest line that is read."""
    pieces = piece * ((LONGEST_LINE - 30) // len(piece))
    return gzip.compress(f'{{"strokes":{start}{pieces}{end}\n'.encode())


LINE = json.dumps(DRAWING).encode() + b"\n"
DEFLATED: dict[str, Any] = {"compression": "tiff_adobe_deflate"}
BOMBS: dict[str, tuple[str, Maker]] = {
    "IDX: 3 GB of zeros behind ten images": ("idx", lambda: packed(idx_header(10, 28, 28), b"\0")),
    "IDX: 3 GB, as promised": ("idx", lambda: packed(idx_header(3 * 2**30), b"\0")),
    "IDX: 2^128 bytes promised": ("idx", lambda: idx_header(*[2**32 - 1] * 4)),
    "weights: 3 GB of zeros": ("weights", lambda: dense(75_000_000)),
    "weights: a million names": ("weights", many_names),
    "weights: a description of 90 MB": ("weights", lambda: deep("tinycnn", 90_000_000)),
    "weights: a deep description": ("weights", lambda: deep("tinycnn", 60_000)),
    "checkpoint: 3 GB of zeros": ("checkpoint", lambda: dense(75_000_000)),
    "checkpoint: a deep description": ("checkpoint", lambda: deep("tinycnn-checkpoint", 500_000)),
    "PNG of 60,000 x 60,000": ("image", lambda: png_header(60_000)),
    "PNG of 5,000 x 5,000 in color": ("image", lambda: picture("PNG", "RGBA")),
    "WebP of 5,000 x 5,000": ("image", lambda: picture("WEBP", "RGBA", lossless=True)),
    "TIFF of 5,000 x 1,250 fractions": ("image", lambda: picture("TIFF", "F", 1250, **DEFLATED)),
    "TIFF whose tags share 60 kB": ("image", shared_tags),
    "JPEG of 1,000 scans": ("image", lambda: scans(1000)),
    "BMP of ten million runs": ("image", lambda: runs(10_000_000)),
    "strokes: 3 GB of empty lines": ("strokes", lambda: packed(b"", b"\n")),
    "strokes: 3 GB in one line": ("strokes", lambda: packed(b'{"strokes":[', b"[],")),
    "strokes: 3 GB of brackets": ("strokes", lambda: packed(b"", b"[")),
    "strokes: one of 700,000 points": ("strokes", lambda: stuffed("[[", "[1,2],", "[3,4]]]}")),
    "strokes: a million strokes": ("strokes", lambda: stuffed("[", "[],", "[]]}")),
    "strokes: drawings without end": ("strokes", lambda: gzip.compress(LINE * 20_000)),
}
"""The reader, and a function that makes the file."""


def read(kind: str, path: Path) -> tuple[int, float, str]:
    """Read a bomb as any file is read; return MB of growth, processor seconds and the outcome."""
    readers: dict[str, Callable[[Path], object]] = {
        "idx": read_idx,
        "weights": Sequential.load,
        "checkpoint": checkpoint.read,
        "image": lambda path: decode_picture(read_file(path)),
        "strokes": lambda path: collections.deque(read_drawings(read_file(path)), maxlen=1)[0],
    }
    before, started = peak_megabytes(), time.process_time()
    try:
        outcome = f"read: {type(readers[kind](path)).__name__}"
    except TinyCNNError as error:
        outcome = f"refused: {str(error).replace(str(path), 'it')[:90]}"
    return peak_megabytes() - before, time.process_time() - started, outcome


def finding(name: str) -> Finding:
    """Make one bomb and let a process of its own read it."""
    kind, make = BOMBS[name]
    result = Finding("a small file costs little memory and time", name, times=1)
    with TemporaryDirectory() as place, ProcessPoolExecutor(1, get_context("spawn")) as process:
        path = Path(place) / "bomb"
        made = make()
        content, hole = made if isinstance(made, tuple) else (made, 0)
        path.write_bytes(content)
        os.truncate(path, len(content) + hole)
        try:
            grown, seconds, outcome = process.submit(read, kind, path).result()
        except Exception as error:  # the process died, or something undocumented was raised
            result.breaches.append(repr(error)[-200:])
            return result
    if grown > GROWTH or seconds > SECONDS:
        result.breaches.append("too much")
    result.note = f"{outcome}; grew by {grown} MB, {seconds:.1f} s of processor time"
    return result


def findings(tell: Callable[[str], None]) -> Iterator[Finding]:
    for name in BOMBS:
        tell(name)
        yield finding(name)
