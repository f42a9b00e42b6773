"""Bombs: small files that would fill the memory or the day of whoever believes them.

Each is made on the spot and read by a process of its own, which reports by how much it has grown
and how long it took. All must be refused, or read, within 200 MB and a few seconds.

    python -m benchmarks.bombs
"""

import argparse
import collections
import gzip
import io
import json
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from benchmarks.command import progress
from benchmarks.findings import Finding, peak_megabytes, report
from benchmarks.mutations import DRAWING
from tinycnn.errors import ImageError, TinyCNNError
from tinycnn.ink.drawings import LONGEST_LINE

ROOT = Path(__file__).parents[1]
GROWTH, SECONDS = 200, 10.0  # MB; seconds of processor time
GIGABYTES = 3
SIDE = 5_000  # pixels: as many as a picture may have

Maker = Callable[[Path], None]


def packed(start: bytes, piece: bytes) -> bytes:
    """A gzip file of ``start`` and of ``piece`` again and again, three gigabytes in all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits=-15)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    mebibyte = packer.compress(piece * (2**20 // len(piece))) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush a block refers to nothing before it, so it may simply be repeated.
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + head + GIGABYTES * 1024 * mebibyte


def idx_header(*sizes: int) -> bytes:
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, 8, len(sizes), *sizes)


def hollow(header: dict, size: int = 0) -> Maker:
    """A safetensors file with a hole of ``size`` bytes for its arrays."""

    def make(path: Path) -> None:
        text = json.dumps(header, separators=(",", ":")).encode()
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            file.truncate(8 + len(text) + size)

    return make


def dense(inputs: int) -> Maker:
    """A weights file that is right in all respects, only very large."""
    size = 40 * inputs
    layers = [{"layer": "Dense", "units": 10}]
    described = json.dumps({"format": 1, "input_shape": [inputs], "layers": layers})
    b = {"dtype": "F32", "shape": [10], "data_offsets": [0, 40]}
    w = {"dtype": "F32", "shape": [inputs, 10], "data_offsets": [40, 40 + size]}
    return hollow({"__metadata__": {"tinycnn": described}, "0.b": b, "0.w": w}, 40 + size)


def many_names() -> dict:
    nothing = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return {str(number): nothing for number in range(1_000_000)}


def deep(key: str, depth: int) -> Maker:
    return hollow({"__metadata__": {key: "[" * depth}})


def picture(kind: str, mode: str, height: int = SIDE, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (SIDE, height)).save(file, kind, **options)
    return file.getvalue()


def half_a_webp() -> bytes:
    return picture("WEBP", "RGBA", SIDE // 2, lossless=True)


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


def many_strokes() -> bytes:
    """A drawing of empty strokes, on the longest line that is read."""
    return gzip.compress(b'{"strokes":[' + b"[]," * (LONGEST_LINE // 3 - 10) + b"[]]}\n")


def one_stroke() -> bytes:
    """The same with points, all in a single stroke."""
    count = (LONGEST_LINE - 30) // 6
    return gzip.compress(b'{"strokes":[[' + b"[1,2]," * count + b"[3,4]]]}\n")


def content(make: Callable[[], bytes]) -> Maker:
    def write(path: Path) -> None:
        path.write_bytes(make())

    return write


LINE = json.dumps(DRAWING).encode() + b"\n"
BOMBS: dict[str, tuple[str, Maker]] = {
    "IDX: 3 GB of zeros behind ten images": (
        *("idx", content(lambda: packed(idx_header(10, 28, 28), b"\0"))),
    ),
    "IDX: 3 GB, as promised": ("idx", content(lambda: packed(idx_header(3 * 2**30), b"\0"))),
    "IDX: 2^128 bytes promised": ("idx", content(lambda: idx_header(*[2**32 - 1] * 4))),
    "weights: 3 GB of zeros": ("weights", dense(75_000_000)),
    "weights: a million names": ("weights", hollow(many_names())),
    "weights: a description of 90 MB": ("weights", deep("tinycnn", 90_000_000)),
    "weights: a deep description": ("weights", deep("tinycnn", 60_000)),
    "checkpoint: 3 GB of zeros": ("checkpoint", dense(75_000_000)),
    "checkpoint: a million names": ("checkpoint", hollow(many_names())),
    "checkpoint: a deep description": ("checkpoint", deep("tinycnn-checkpoint", 500_000)),
    "PNG of 60,000 x 60,000": ("image", content(lambda: png_header(60_000))),
    "PNG of 5,000 x 5,000 in color": ("image", content(lambda: picture("PNG", "RGBA"))),
    "PNG of 5,000 x 5,000 in 16 bits": ("image", content(lambda: picture("PNG", "I;16"))),
    "WebP of 5,000 x 5,000": ("image", content(lambda: picture("WEBP", "RGBA", lossless=True))),
    "WebP of 5,000 x 2,500": ("image", content(half_a_webp)),
    "GIF of 5,000 x 5,000": ("image", content(lambda: picture("GIF", "P"))),
    "TIFF of 5,000 x 5,000 in color": (
        *("image", content(lambda: picture("TIFF", "RGBA", compression="tiff_adobe_deflate"))),
    ),
    "TIFF of 5,000 x 1,250 fractions": (
        *("image", content(lambda: picture("TIFF", "F", 1250, compression="tiff_adobe_deflate"))),
    ),
    "TIFF whose tags share 60 kB": ("image", content(shared_tags)),
    "JPEG of 1,000 scans": ("image", content(lambda: scans(1000))),
    "BMP of ten million runs": ("image", content(lambda: runs(10_000_000))),
    "strokes: 3 GB of empty lines": ("strokes", content(lambda: packed(b"", b"\n"))),
    "strokes: 3 GB in one line": ("strokes", content(lambda: packed(b'{"strokes":[', b"[],"))),
    "strokes: 3 GB of brackets": ("strokes", content(lambda: packed(b"", b"["))),
    "strokes: a million strokes": ("strokes", content(many_strokes)),
    "strokes: one stroke of 700,000 points": ("strokes", content(one_stroke)),
    "strokes: drawings without end": ("strokes", content(lambda: gzip.compress(LINE * 20_000))),
}
"""What is read, and the file."""


def read(kind: str, path: Path) -> str:
    """Read a bomb as strangers' files are read; returns what came of it."""
    from tinycnn.data import read_idx
    from tinycnn.ink import decode_picture, read_drawings, read_file
    from tinycnn.nn import Sequential
    from tinycnn.train import checkpoint

    readers: dict[str, Callable[[Path], object]] = {
        "idx": read_idx,
        "weights": Sequential.load,
        "checkpoint": checkpoint.read,
        "image": lambda path: decode_picture(read_file(path)),
        "strokes": lambda path: _last(read_drawings(read_file(path))),
    }
    before, started = peak_megabytes(), time.process_time()
    try:
        outcome = f"read: {type(readers[kind](path)).__name__}"
    except TinyCNNError as error:
        outcome = f"refused: {str(error).replace(str(path), 'it')[:90]}"
    grown = peak_megabytes() - before
    return json.dumps([grown, time.process_time() - started, outcome])


def _last(drawings: Iterator) -> object:
    """Go through all drawings without keeping them; a refusal at the end is raised."""
    (last,) = collections.deque(drawings, maxlen=1) or (None,)
    if isinstance(last, ImageError):
        raise last
    return last


def finding(name: str) -> Finding:
    """Make one bomb and let a process read it."""
    kind, make = BOMBS[name]
    result = Finding("a small file costs little memory and time", name, times=1)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "bomb"
        make(path)
        words = [sys.executable, "-m", "benchmarks.bombs", "--read", kind, str(path)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        result.breaches.append(done.stderr[-200:])
        return result
    grown, seconds, outcome = json.loads(done.stdout)
    if grown > GROWTH or seconds > SECONDS:
        result.breaches.append("too much")
    result.note = f"{outcome}; grew by {grown} MB, {seconds:.1f} s of processor time"
    return result


def findings(tell: Callable[[str], None]) -> Iterator[Finding]:
    """All bombs, one after the other."""
    for name in BOMBS:
        found = finding(name)
        tell(f"{name}: {found.outcome()}")
        yield found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bombs", description=__doc__)
    parser.add_argument("--read", nargs=2, metavar=("KIND", "FILE"), help="for itself")
    options = parser.parse_args()
    if options.read:
        print(read(options.read[0], Path(options.read[1])))
        return 0
    with progress() as tell:
        return report(list(findings(tell)))


if __name__ == "__main__":
    raise SystemExit(main())
