"""Weights files: named float32 arrays and a description, in the safetensors format.

A file is refused whole or read whole. It is data and nothing else: no code is ever run, and what
the file promises is compared with what is expected before any array is made.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from tinycnn.errors import WeightsError
from tinycnn.files import write_bytes

FORMAT = 1
"""Version of the description; a file of a newer one is refused."""

MAX_BYTES = 2**28
"""No larger file is read: 67 million parameters, far above any network that fits this library."""

OF_THESE_NUMBERS = ("calibration",)
"""What a description says of the very numbers in the file, and of no others."""

_KEY = "tinycnn"  # one key, holding JSON: the order of several is not kept by the format
_LONGEST_DESCRIPTION = 65_536  # characters
_LONGEST_HEADER = 2**20  # bytes; whoever parses one needs several times as many

_OTHERS = {b"<": "an HTML page", b"PK": "a zip archive", b"\x93NUMPY": "a NumPy array"}

Shapes = dict[str, tuple[int, ...]]


def digest(arrays: dict[str, np.ndarray]) -> bytes:
    """Return what tells ``arrays`` from others: other numbers, other bytes."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(name.encode())
        found.update(np.ascontiguousarray(array).data)
    return found.digest()


def write_weights(path: str | Path, arrays: dict[str, np.ndarray], description: dict) -> None:
    """Write ``arrays`` and a JSON ``description`` to ``path``, all or nothing.

    Nothing is written that ``read_arrays`` would refuse.
    """
    if sum(array.nbytes for array in arrays.values()) > MAX_BYTES - _LONGEST_HEADER:
        raise WeightsError(f"{path} is not written: it would be larger than {MAX_BYTES:,} bytes")
    try:
        text = json.dumps({"format": FORMAT, **description}, sort_keys=True, allow_nan=False)
    except ValueError as error:
        raise WeightsError(
            f"{path} is not written: what describes it is no JSON ({error})"
        ) from error
    if len(text) > _LONGEST_DESCRIPTION:
        raise WeightsError(f"the description for {path} is longer than {_LONGEST_DESCRIPTION}")
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise WeightsError(f"{path} is not written: {name} is {array.dtype}, expected float32")
        _refuse_infinities(f"{path} is not written", name, array)
    ready = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
    write_bytes(path, safetensors.numpy.save(ready, {_KEY: text}))


def refuse_bombs(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Raise ValueError for a safetensors file that would take more memory than it is worth.

    A file may be large and yet cost its sender nothing: most of it may be a hole.
    """
    size = path.stat().st_size
    if size > max_bytes:
        raise ValueError(f"it holds {size:,} bytes; more than {max_bytes:,} are not read")
    with open(path, "rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > _LONGEST_HEADER:
        raise ValueError(f"its header would have {header:,} bytes")


def read_description(path: str | Path) -> dict[str, Any]:
    """Return the description of the weights file ``path``, or raise WeightsError."""
    with Opened(path) as file:
        text = (file.metadata() or {}).get(_KEY)
    if text is None:
        raise WeightsError(f"{path} is a safetensors file, but not one of tinycnn's weights")
    if len(text) > _LONGEST_DESCRIPTION:
        raise WeightsError(f"{path}: its description is longer than {_LONGEST_DESCRIPTION}")
    try:
        description = json.loads(text)
    except (ValueError, RecursionError):
        description = None
    if not isinstance(description, dict) or not isinstance(description.get("format"), int):
        raise WeightsError(f"{path}: its description is damaged; train or fetch it again")
    if not 1 <= description["format"] <= FORMAT:
        raise WeightsError(
            f"{path} has format {description['format']}, but {FORMAT} is read; update tinycnn"
        )
    return description


def read_arrays(path: str | Path, expected: Shapes) -> dict[str, np.ndarray]:
    """Return the arrays of ``path``, which must have exactly the ``expected`` names and shapes."""
    with Opened(path) as file:

        def promise(name: str) -> tuple[str, tuple[int, ...]]:
            promised = file.get_slice(name)
            return promised.get_dtype(), tuple(promised.get_shape())

        _refuse_misfits(path, set(file.keys()), promise, expected)
        arrays = {name: file.get_tensor(name) for name in expected}
    for name, array in arrays.items():
        _refuse_infinities(path, name, array)
    return arrays


def fitting_arrays(
    path: str | Path, arrays: dict[str, np.ndarray], expected: Shapes
) -> dict[str, np.ndarray]:
    """Return ``arrays``, which came from ``path``; refuse what ``read_arrays`` would refuse."""

    def promise(name: str) -> tuple[str, tuple[int, ...]]:
        array = arrays[name]
        return "F32" if array.dtype == np.float32 else str(array.dtype), array.shape

    _refuse_misfits(path, set(arrays), promise, expected)
    for name, array in arrays.items():
        _refuse_infinities(path, name, array)
    return arrays


def _refuse_misfits(
    path: str | Path, names: set[str], promise: Callable[[str], tuple], expected: Shapes
) -> None:
    if names != set(expected):
        missing, surplus = sorted(set(expected) - names), sorted(names - set(expected))
        raise WeightsError(
            f"{path} does not fit its network: missing {missing}, unexpected {surplus}"
        )
    for name, shape in expected.items():
        kind, promised = promise(name)
        if kind != "F32":
            raise WeightsError(f"{path}: {name} is {kind}, expected F32")
        if promised != shape:
            raise WeightsError(f"{path}: {name} has {promised}, expected {shape}")


def _refuse_infinities(path, name, array):
    wrong = np.count_nonzero(~np.isfinite(array))
    if wrong:
        raise WeightsError(f"{path}: {name} holds {wrong} numbers that are not finite")


class Opened:
    """Open a safetensors file of anybody's; what goes wrong becomes a WeightsError."""

    def __init__(self, path: str | Path) -> None:
        self.path = path

    def __enter__(self):
        if not Path(self.path).is_file():
            what = "is not a regular file" if Path(self.path).exists() else "does not exist"
            raise WeightsError(f"{self.path} {what}; name a .safetensors file of a training run")
        try:
            refuse_bombs(Path(self.path))
            self._file = safetensors.safe_open(self.path, framework="np")
            return self._file.__enter__()
        except (safetensors.SafetensorError, OSError, ValueError) as error:
            raise self._refusal(error) from error

    def __exit__(self, kind, error, traceback):
        self._file.__exit__(kind, error, traceback)
        if isinstance(error, safetensors.SafetensorError):
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> WeightsError:
        start = b""
        with contextlib.suppress(OSError), open(self.path, "rb") as file:
            start = file.read(8)
        for magic, kind in _OTHERS.items():
            if start.startswith(magic):
                return WeightsError(f"{self.path} is not a weights file: it looks like {kind}")
        return WeightsError(
            f"{self.path} is not a weights file, or a damaged one ({str(error)[:120]})"
        )
