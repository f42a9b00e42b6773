"""IDX, the file format of MNIST: a header that describes the array, then its numbers.

    0 0 | type | rank | size of each dimension, 4 bytes each | the numbers, last index fastest

All of it big-endian. ``train-images-idx3-ubyte`` is 0 0 8 3 | 60000 28 28 | 47,040,000 bytes.

No file is trusted: the size that the header promises must be that of the file. Whether a file is
compressed is read from its first two bytes, never from its name.
"""

import gzip
import math
import os
import struct
import zlib
from typing import BinaryIO

import numpy as np

from tinycnn.data.formats import GZIP_MAGIC, format_of
from tinycnn.errors import DataError
from tinycnn.files import PathLike, write_bytes

ELEMENT_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}
MAX_RANK = 4
MAX_BYTES = 512 * 2**20  # eleven times the largest file of MNIST
DEFLATE_LIMIT = 1032  # deflate spends at least two bits on 258 bytes: nothing expands further


def read_idx(path: PathLike) -> np.ndarray:
    """The array in an IDX file, plain or gzip: native byte order, writeable, rank 1 to 4.

    Memory stays near the size of the array, whatever the file claims, and no array larger than
    ``MAX_BYTES`` is made. Raises DataError, with a sentence that names the file.
    """
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe would block
            raise DataError("this is no regular file; name an IDX file")
        with open(path, "rb") as file:
            return decode_idx(file, os.fstat(file.fileno()).st_size)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error.__cause__
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def decode_idx(file: BinaryIO, size: int) -> np.ndarray:
    """Like ``read_idx``, from an open file of ``size`` bytes; the sentences name no file."""
    compressed = file.read(2) == GZIP_MAGIC
    file.seek(0)
    source = gzip.GzipFile(fileobj=file) if compressed else file
    try:
        dtype, shape = _read_header(source)
        promised, room = math.prod(shape) * dtype.itemsize, size - 4 - 4 * len(shape)
        sizes = " x ".join(map(str, shape))
        promise = f"the header promises {sizes} {dtype.name} = {promised:,} bytes"
        if promised > room * (DEFLATE_LIMIT if compressed else 1):
            raise DataError(f"{promise}, more than the file can hold")
        if math.prod(filter(None, shape)) * dtype.itemsize > MAX_BYTES:  # NumPy multiplies so too
            raise DataError(f"{promise}; more than {MAX_BYTES:,} are not read")
        body = source.read(promised)  # unpacked no further than that: a bomb stays packed
        extra = source.read(1)  # this also verifies the checksum behind the last byte
    except (zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"the gzip stream is cut or damaged ({error})") from error
    if len(body) != promised or extra:
        raise DataError(f"{promise}, the file holds {'more' if extra else f'{len(body):,}'}")
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def write_idx(path: PathLike, array: np.ndarray) -> None:
    """Write ``array`` (rank 1 to 4, one of IDX's six element types) as an IDX file.

    A name that ends in .gz makes a gzip file. The same array always gives the same bytes (with
    the same zlib): no name and no time goes into them. All or nothing, as in ``files``.
    """
    payload = encode_idx(array)
    if os.fspath(path).endswith(".gz"):
        payload = gzip.compress(payload, mtime=0)
    write_bytes(path, payload)


def encode_idx(array: np.ndarray) -> bytes:
    """The bytes of a plain IDX file that holds ``array``."""
    codes = {name: code for code, name in ELEMENT_TYPES.items()}
    code = codes.get(f"{array.dtype.kind}{array.dtype.itemsize}")
    if code is None:
        raise DataError(f"IDX has no element type for {array.dtype}; it has {', '.join(codes)}")
    if not 1 <= array.ndim <= MAX_RANK or max(array.shape) >= 2**32:
        raise DataError(f"an array of shape {array.shape} does not fit into an IDX file")
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def _read_header(source: BinaryIO | gzip.GzipFile) -> tuple[np.dtype, tuple[int, ...]]:
    magic = source.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in ELEMENT_TYPES:
        known = format_of(magic)
        kind = f"; it looks like {known}" if known else ""
        raise DataError(f"this is no IDX file: it starts with {magic.hex(' ') or 'nothing'}{kind}")
    rank = magic[3]
    if not 1 <= rank <= MAX_RANK:
        raise DataError(f"the header claims {rank} dimensions; 1 to {MAX_RANK} are supported")
    sizes = source.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise DataError(f"the file ends inside its header, which needs {rank} dimensions")
    return np.dtype(ELEMENT_TYPES[magic[2]]).newbyteorder(">"), struct.unpack(f">{rank}I", sizes)
