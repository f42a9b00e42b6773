"""The IDX reader believes nothing, and what the writer writes it reads back."""

import gzip
import io
import os
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.data.idx import ELEMENT_TYPES, decode_idx, read_idx, write_idx
from tinycnn.errors import DataError

IMAGES = np.random.default_rng(3).integers(0, 256, (5, 4, 3), dtype=np.uint8)
GOOD = b"\0\0\x08\x03" + struct.pack(">3I", 5, 4, 3) + IMAGES.tobytes()


def header(code, *sizes, rank=None):
    rank = len(sizes) if rank is None else rank
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, code, rank, *sizes)


HOSTILE = {
    "empty": (b"", "starts with nothing"),
    "an HTML page": (b"<!DOCTYPE html><html>", "3c 21 44 4f; it looks like an HTML page"),
    "second byte not zero": (b"\0\x01" + GOOD[2:], "no IDX file"),
    "element type 0x0a": (header(0x0A, 5) + b"12345", "no IDX file"),
    "little-endian": (struct.pack("<4I", 0x803, 5, 4, 3) + bytes(60), "starts with 03 08 00 00"),
    "no dimension": (header(0x08) + b"1", "0 dimensions"),
    "five dimensions": (header(0x08, 1, 1, 1, 1, 1) + b"1", "5 dimensions"),
    "nothing after the magic": (GOOD[:4], "ends inside its header"),
    "one byte short": (GOOD[:-1], "promises 5 x 4 x 3 uint8 = 60 bytes"),
    "one byte long": (GOOD + b"!", "the file holds"),
    "half a float": (header(0x0D, 2) + bytes(7), "2 float32 = 8 bytes"),
    "bytes after an empty array": (header(0x08, 0, 28, 28) + b"!", "0 x 28 x 28"),
}

PACKED = gzip.compress(GOOD, mtime=0)
HOSTILE_STREAMS = {
    "gzip body cut": (PACKED[:40], "cut or damaged"),
    "a wrong checksum": (PACKED[:-8] + b"\1\2\3\4" + PACKED[-4:], "cut or damaged"),
    "garbage behind zeros": (PACKED + bytes(100_000) + b"!", "cut or damaged"),
    "a second array": (PACKED + PACKED, "the file holds more"),
    "compressed twice": (gzip.compress(PACKED), "compressed with gzip"),
}


@pytest.mark.parametrize("case", [*HOSTILE, *HOSTILE_STREAMS])
def test_a_hostile_file_is_refused_with_its_name_and_the_reason(tmp_path, case):
    content, phrase = (HOSTILE | HOSTILE_STREAMS)[case]
    path = tmp_path / "hostile-idx3-ubyte"
    for payload in (content, gzip.compress(content)) if case in HOSTILE else (content,):
        path.write_bytes(payload)
        with pytest.raises(DataError) as caught:
            read_idx(path)
        assert str(path) in str(caught.value)
        assert phrase in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("images", PACKED),
        ("images.gz", GOOD),
        ("padded with zeros", PACKED + bytes(200_000)),
        ("several members", gzip.compress(GOOD[:50]) + gzip.compress(GOOD[50:])),
    ],
)
def test_the_content_and_not_the_name_says_whether_a_file_is_compressed(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    np.testing.assert_array_equal(read_idx(tmp_path / name), IMAGES)


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (0x08, "00 7f 80 ff", np.array([0, 127, 128, 255], np.uint8)),
        (0x09, "00 7f 80 ff", np.array([0, 127, -128, -1], np.int8)),
        (0x0B, "0001 ff00", np.array([1, -256], np.int16)),
        (0x0C, "00000001 ff000000", np.array([1, -(2**24)], np.int32)),
        (0x0D, "3f800000 c0490fdb", np.array([1, -np.pi], np.float32)),
        (0x0E, "3ff0000000000000 c000000000000000", np.array([1.0, -2.0])),
    ],
)
def test_each_element_type_is_read_big_endian_and_given_native(code, body, expected):
    content = header(code, len(expected)) + bytes.fromhex(body)
    array = decode_idx(io.BytesIO(content), len(content))
    np.testing.assert_array_equal(array, expected)
    assert array.dtype == expected.dtype
    assert array.dtype.isnative
    assert array.flags.writeable


@given(
    shape=st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple),
    element=st.sampled_from(sorted(ELEMENT_TYPES.values())),
    order=st.sampled_from("<>"),
    packed=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_is_written_is_read_back(tmp_path_factory, shape, element, order, packed, seed):
    path = tmp_path_factory.mktemp("idx") / ("array.gz" if packed else "array")
    dtype = np.dtype(order + element)
    raw = np.random.default_rng(seed).bytes(int(np.prod(shape)) * dtype.itemsize)
    array = np.frombuffer(raw, dtype).reshape(shape)
    write_idx(path, array.T)  # of more than one dimension: not in its order in memory
    again = read_idx(path).T
    assert again.dtype == np.dtype(element)
    assert again.shape == shape
    # Bit for bit: random bits hold NaNs too, which are unequal to themselves.
    assert again.astype(dtype, order="C").tobytes() == raw


def test_the_same_array_always_gives_the_same_bytes(tmp_path):
    for name in ("one.gz", "two.gz"):
        write_idx(tmp_path / name, IMAGES)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    assert (tmp_path / "one.gz").read_bytes()[4:8] == bytes(4)  # no time in the gzip header


@pytest.mark.parametrize(
    "array",
    [np.zeros(3, np.int64), np.array(["a"]), np.float32(1), np.zeros((1, 1, 1, 1, 1), np.uint8)],
    ids=lambda array: f"{array.dtype}-rank{array.ndim}",
)
def test_what_idx_cannot_hold_is_not_written(tmp_path, array):
    with pytest.raises(DataError, match=r"IDX"):
        write_idx(tmp_path / "array", np.asarray(array))
    assert os.listdir(tmp_path) == []


@pytest.mark.timeout(20)
def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(DataError, match="no regular file"):
            read_idx(path)
    with pytest.raises(DataError, match=r"cannot read .*nowhere"):
        read_idx(tmp_path / "nowhere")
