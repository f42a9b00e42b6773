"""Hostile files: small good ones, mutated.

For every format there is a mutator that knows how it is built: one that changes bytes at random
is stopped by the first checksum, and never gets to what lies behind.
"""

import gzip
import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy
from PIL import Image

from tinycnn.data.idx import ELEMENT_TYPES, encode_idx
from tinycnn.errors import TinyCNNError
from tinycnn.nn import Sequential
from tinycnn.nn.text import layers_of
from tinycnn.nn.weights import FORMAT
from tinycnn.train.checkpoint import Checkpoint, encode
from tinycnn.train.state import State

Rng = np.random.Generator
Mutator = Callable[[Rng], bytes]


class Format(NamedTuple):
    """A kind of file: ``read`` takes its bytes, returns False or raises ``refusal`` to refuse."""

    mutate: Mutator
    read: Callable[[bytes], object]
    refusal: type[TinyCNNError]
    tried: int  # so many files

    def accepts(self, data: bytes) -> bool:
        """Whether the file is read; an undocumented exception comes out."""
        try:
            return self.read(data) is not False
        except self.refusal:
            return False


SIZES = (0, 1, 2, 3, 28, 127, 255, 256, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e9, 1e308, 10**400, 2**63, 2**64),
    *("", "x", "Dense", "../../x", "\udc80", "é" * 20, [], [0], [[0]], {}, {"x": 1}, [[[[]]]]),
    *(float("nan"), float("inf"), -float("inf")),
)
"""Values that JSON allows and few programs expect."""

DRAWING = {"strokes": [[[1, 2], [3, 9.5], [4, 4]], [[5, 5]]], "label": 7, "writer": "w", "pen": 2}
SESSION: list[dict] = [
    {"sketchpad": 1, "size": [620, 636]},
    {"at": 0.1, "do": ["down", 100.0, 80.5]},
    {"at": 0.2, "do": ["move", 120.0, 200.0]},
    {"at": 0.3, "do": ["up"]},
    {"at": 0.4, "do": ["label", "7"]},
    *({"at": 0.5, "do": [name]} for name in ("undo", "redo", "clear", "naive", "help", "freeze")),
    *({"at": 0.6, "do": [name, 1]} for name in ("ask", "select", "next", "show", "brush")),
    *({"at": 0.7, "do": [name, 30, 40]} for name in ("rub", "room", "hover", "tab")),
    {"at": 0.8, "do": ["brush_part", 0.5]},
]


def bytes_changed(data: bytes, rng: Rng) -> bytes:
    """Change, insert, drop or repeat a few bytes, or cut the rest off."""
    mutated = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        at, length = int(rng.integers(len(mutated) + 1)), int(rng.integers(1, 9))
        match rng.integers(5):
            case 0 | 1:
                mutated[at : at + 1] = rng.bytes(1)
            case 2:
                mutated[at:at] = rng.bytes(length)
            case 3:
                del mutated[at : at + length]
            case 4:
                mutated[at:at] = mutated[at : at + 8 * length]
    return bytes(mutated[: rng.integers(len(mutated) + 1)] if rng.random() < 0.1 else mutated)


def json_changed(thing: Any, rng: Rng) -> Any:
    """Put something else into one place of ``thing``, however deep."""
    if rng.random() < 0.25 or not isinstance(thing, list | dict) or not thing:
        return VALUES[rng.integers(len(VALUES))]
    keys = list(thing) if isinstance(thing, dict) else list(range(len(thing)))
    key = keys[rng.integers(len(keys))]
    changed = thing.copy()
    if rng.random() < 0.1:
        del changed[key]
    else:
        changed[key] = json_changed(thing[key], rng)
    return changed


def idx(rng: Rng) -> bytes:
    """Headers of strange sizes, and bodies that fit them or do not."""
    shape = tuple(rng.integers(0, 6, rng.integers(1, 5)))
    element = list(ELEMENT_TYPES.values())[rng.integers(len(ELEMENT_TYPES))]
    data = encode_idx(np.zeros(shape, element))
    if rng.random() < 0.4:
        sizes = [SIZES[i] for i in rng.integers(0, len(SIZES), rng.integers(0, 6))]
        kind = rng.integers(7, 16)
        header = struct.pack(f">BBBB{len(sizes)}I", 0, 0, kind, len(sizes), *sizes)
        data = header + bytes(rng.integers(0, 40))
    data = bytes_changed(data, rng) if rng.random() < 0.5 else data
    if rng.random() < 0.4:
        data = gzip.compress(data, mtime=0)
        data = bytes_changed(data, rng) if rng.random() < 0.5 else data
    return data


SMALL = Sequential(
    layers_of("Conv2D(2, 2) BatchNorm ReLU MaxPool2D(2) Flatten Dropout(0.1) Dense(3)"), (5, 5, 1)
)
DESCRIPTION = {
    "format": FORMAT,
    "input_shape": [*SMALL.input_shape],
    "layers": [{"layer": type(z).__name__, **z.config()} for z in SMALL],
    "classes": ["a", "b", "c"],
    "training": {"sample": "00", "images": 3, "dataset": "x"},
    "calibration": {"temperature": 1.0},
}


def weights(rng: Rng) -> bytes:
    """The description, the header, or the arrays of a small network, changed."""
    description, arrays = DESCRIPTION, SMALL.arrays()
    if rng.random() < 0.5:
        description = json_changed(description, rng)
    if rng.random() < 0.3:
        arrays = arrays_changed(arrays, rng)
    data = safetensors.numpy.save(arrays, {"tinycnn": json.dumps(description)})
    return container_changed(data, rng)


def arrays_changed(arrays: dict[str, np.ndarray], rng: Rng) -> dict[str, np.ndarray]:
    """One array left out, renamed, of another shape or type, or with another number."""
    name = sorted(arrays)[rng.integers(len(arrays))]
    array, others = arrays[name].copy(), {z: arrays[z] for z in arrays if z != name}
    array.flat[rng.integers(array.size)] = (np.nan, np.inf, -np.inf, 3e38)[rng.integers(4)]
    another_type = array.astype(("f8", "f2", "i4", "u1")[rng.integers(4)])
    forms = array, another_type, array.ravel()[:-1]
    return others | ({}, {name + "x": array}, *({name: form} for form in forms))[rng.integers(5)]


def container_changed(data: bytes, rng: Rng) -> bytes:
    """A safetensors file as it is, with other bytes, or with another header."""
    chance = rng.random()
    if chance < 0.4:
        return data
    if chance < 0.7:
        return bytes_changed(data, rng)
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(json_changed(json.loads(data[8 : 8 + length]), rng)).encode()
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


def checkpoint_maker(genuine: Checkpoint) -> Mutator:
    """A mutator of one checkpoint; most of its files have a correct checksum."""

    def checkpoint(rng: Rng) -> bytes:
        state, origin, arrays = vars(genuine.state), genuine.origin, genuine.arrays
        match rng.integers(4):
            case 0:
                origin = json_changed(origin, rng)
            case 1:
                name = list(state)[rng.integers(len(state) - 1)]  # the last one is the history
                state = {**state, name: VALUES[rng.integers(len(VALUES))]}
            case 2:
                arrays = arrays_changed(arrays, rng)
        finite = {z: np.nan_to_num(a) if a.dtype.kind == "f" else a for z, a in arrays.items()}
        data = encode(replace(genuine, arrays=finite, state=State(**state), origin=origin))
        return data if rng.random() < 0.7 else container_changed(data, rng)

    return checkpoint


def _pictures() -> list[bytes]:
    gray = Image.fromarray((np.indices((24, 32)).sum(0) * 4).astype(np.uint8))
    wide = Image.fromarray((np.indices((24, 32)).sum(0) * 900).astype(np.uint16))
    exif, found = Image.Exif(), []
    exif[0x0112] = 6
    kinds: list[tuple[Image.Image, str, dict[str, Any]]] = [
        (gray.convert("RGBA"), "PNG", {"exif": exif}),
        (wide, "PNG", {}),
        (gray.convert("P"), "PNG", {"transparency": 3}),
        (gray.convert("1"), "PNG", {}),
        (gray, "PNG", {"save_all": True, "append_images": [gray]}),
        (gray, "JPEG", {"exif": exif}),
        (gray.convert("CMYK"), "JPEG", {"progressive": True}),
        (gray.convert("RGBA"), "WEBP", {"lossless": True}),
        (gray, "BMP", {}),
    ]
    for image, kind, options in kinds:
        image.save(file := io.BytesIO(), kind, **options)
        found.append(file.getvalue())
    return found


PICTURES = _pictures()


def picture(rng: Rng) -> bytes:
    """Pictures with other bytes, strange sizes, and PNG chunks whose checksums are right."""
    data = PICTURES[rng.integers(len(PICTURES))]
    if rng.random() < 0.5:
        at = rng.integers(2, min(len(data), 64))
        size = struct.pack((">I", "<I")[rng.integers(2)], SIZES[rng.integers(len(SIZES))])
        data = data[:at] + size + data[at + len(size) :]
    else:
        data = bytes_changed(data, rng)
    return with_right_checksums(data) if rng.random() < 0.7 else data


def with_right_checksums(data: bytes) -> bytes:
    """A PNG file with the checksums of its chunks put right; others stay as they are."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        out += data[at:end] + zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(out) + data[at:]


def strokes(rng: Rng) -> bytes:
    """Stroke files with another value in one place, and with other bytes."""
    lines = [json_changed(DRAWING, rng) if rng.random() < 0.7 else DRAWING for _ in range(2)]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    data = bytes_changed(data, rng) if rng.random() < 0.5 else data
    if rng.random() < 0.2:
        data = gzip.compress(data, mtime=0)
        data = bytes_changed(data, rng) if rng.random() < 0.5 else data
    return data


def replay(rng: Rng) -> bytes:
    """Recorded sessions in another order, with another value in one place, or other bytes."""
    first, *rest = SESSION
    lines = [rest[i] for i in rng.integers(0, len(rest), 8)]
    lines = [json_changed(line, rng) if rng.random() < 0.2 else line for line in lines]
    data = "".join(json.dumps(line) + "\n" for line in [first, *lines]).encode()
    return bytes_changed(data, rng) if rng.random() < 0.2 else data
