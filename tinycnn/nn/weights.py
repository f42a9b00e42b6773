"""Weights files: named float32 arrays and a description, in the safetensors format.

A file is refused whole or read whole. It is data and nothing else: no code is ever run, and the
names and shapes in the file are compared with the expected ones before any array is made.
"""

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import safetensors
import safetensors.numpy

from tinycnn.data.formats import HEAD, format_of
from tinycnn.errors import ShapeError, WeightsError
from tinycnn.files import write_bytes
from tinycnn.nn import checks, layers, more_layers
from tinycnn.nn.checks import Array, Shape
from tinycnn.nn.layers import Layer

FORMAT = 1
"""Version of the description; a file of a newer version is refused."""

MAX_BYTES = 2**28
"""No larger file is read: 67 million parameters, far above any network that fits this library."""

OF_THESE_NUMBERS = ("calibration",)
"""Keys of a description that are true of the numbers in the file only."""

_KEY = "tinycnn"  # one key, holding JSON: the order of several is not kept by the format
_LONGEST_DESCRIPTION = 65_536  # characters
_LONGEST_HEADER = 2**20  # bytes; to parse it takes several times as many

Arrays = dict[str, Array]
Shapes = dict[str, Shape]
T = TypeVar("T")

LAYERS: dict[str, type[Layer]] = {
    name: kind
    for name, kind in {**vars(layers), **vars(more_layers)}.items()
    if isinstance(kind, type) and issubclass(kind, Layer) and kind is not Layer
}
"""Layers that a weights file may name; ``tinycnn.register`` adds those of your own."""

OURS = frozenset(LAYERS.values())


class Storable:
    """The part of ``Sequential`` that has to do with files."""

    layers: tuple[Layer, ...]
    input_shape: Shape
    arrays: Callable[[], Arrays]

    def __init__(self, layers: Sequence[Layer], input_shape: Shape, *, fused: bool = True) -> None:
        raise NotImplementedError

    @property
    def description(self) -> dict[str, Any]:
        """What a weights file says of its network besides the architecture, ready for JSON."""
        return self._description

    @description.setter
    def description(self, description: dict[str, Any]) -> None:
        self._description = description
        self._described = digest(self.arrays()) if description else None

    def save(self, path: str | Path, **description: Any) -> None:
        """Write the parameters, the architecture and a ``description`` (JSON) to ``path``.

        What the model's own description says of numbers that have changed since is left out.
        Raises WeightsError for a network that could not be read again.
        """
        own = {type(x).__name__: type(x) for x in self.layers if type(x) not in OURS}
        for name, kind in own.items():
            if LAYERS.get(name, kind) is not kind:
                raise WeightsError(
                    f"{path} is not written: its {name} would be read as another layer of that "
                    "name; give your class a name of its own"
                )
        mine = self.description
        if self._described not in (None, digest(self.arrays())):
            mine = {key: z for key, z in mine.items() if key not in OF_THESE_NUMBERS}
        architecture = {
            "input_shape": self.input_shape,
            "layers": [{"layer": type(x).__name__, **x.config()} for x in self.layers],
            "preparation": "grey levels / 255",
        } | ({"imports": {name: kind.__module__ for name, kind in own.items()}} if own else {})
        write_weights(path, self.arrays(), {**mine, **description, **architecture})

    @classmethod
    def load(cls, path: str | Path, fused: bool = True) -> Self:
        """Return the model that ``path`` holds, or raise WeightsError and change nothing."""
        description = read_description(path)
        layers, input_shape = _described_layers(path, description)
        expected, largest = _expected_shapes(path, layers, input_shape)
        arrays = _read_arrays(path, expected)
        _refuse_the_huge(path, largest)
        model = cls(layers, input_shape, fused=fused)
        model._take(arrays, description)
        return model

    @classmethod
    def of_arrays(
        cls,
        path: str | Path,
        layers: Sequence[Layer],
        input_shape: Shape,
        arrays: Arrays,
        description: dict[str, Any],
    ) -> Self:
        """Return the model of these layers and ``arrays``; WeightsError if they do not fit."""
        kinds = {np.dtype(np.float32): "F32"}
        found = {k: (kinds.get(z.dtype, str(z.dtype)), z.shape) for k, z in arrays.items()}
        expected, largest = _expected_shapes(path, layers, input_shape)
        _refuse_misfits(path, found, expected)
        _refuse_infinities(path, arrays)
        _refuse_the_huge(path, largest)
        model = cls(layers, input_shape)
        model._take(arrays, description)
        return model

    def _take(self, arrays: Arrays, description: dict[str, Any]) -> None:
        for name, z in self.arrays().items():
            z[...] = arrays[name]
        self.description = description


def named(dicts: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """Return the values of each layer's dict under the names "0.w", "0.b", "3.w", ..."""
    return {f"{i}.{key}": value for i, values in enumerate(dicts) for key, value in values.items()}


def digest(arrays: Arrays) -> bytes:
    """Return bytes that are others for other numbers."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(name.encode())
        found.update(np.ascontiguousarray(array).data)
    return found.digest()


def _described_layers(path: str | Path, description: dict[str, Any]) -> tuple[list[Layer], Shape]:
    """Return the layers, not yet built, and the input shape that a file describes."""
    try:
        layers: list[Layer] = []
        for entry in description["layers"]:
            arguments = dict(entry)
            name = arguments.pop("layer")
            if name not in LAYERS and name in description.get("imports", ()):
                module = description["imports"][name]
                raise ImportError(f"import {module}, or give a command --network {module}.py")
            layers.append(LAYERS[name](**arguments))
        return layers, tuple(description["input_shape"])
    except ImportError as missing:
        raise WeightsError(f"{path} has a layer {name} of your own: first {missing}") from missing
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: its description is no network ({error})") from error


def _expected_shapes(
    path: str | Path, layers: Sequence[Layer], input_shape: Shape
) -> tuple[Shapes, int]:
    """Return the shapes of a network's arrays and the size of the largest output of a layer."""
    try:
        checks.network(layers, input_shape)
        shapes, shape, largest = [], input_shape, math.prod(input_shape)
        for layer in layers:
            state = layer.state_shapes(shape)
            shape, parameters = layer.shapes(shape)
            shapes.append(parameters | state)
            largest = max(largest, math.prod(shape))
    except ShapeError as error:
        raise WeightsError(f"{path} describes an impossible network: {error}") from error
    return named(shapes), largest


def _refuse_the_huge(path: str | Path, largest: int) -> None:
    if largest > MAX_BYTES:
        raise WeightsError(f"{path} describes an impossible network: {largest:,} numbers")


def write_weights(path: str | Path, arrays: Arrays, description: dict[str, Any]) -> None:
    """Write ``arrays`` and a JSON ``description``, all or nothing, and nothing ``load`` refuses."""
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
    _refuse_infinities(f"{path} is not written", arrays)
    ready = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
    write_bytes(path, safetensors.numpy.save(ready, {_KEY: text}))


def refuse_bombs(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Raise ValueError for a file of too many bytes; most of them may be a hole."""
    size = path.stat().st_size
    if size > max_bytes:
        raise ValueError(f"it holds {size:,} bytes; more than {max_bytes:,} are not read")
    with open(path, "rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > _LONGEST_HEADER:
        raise ValueError(f"its header would have {header:,} bytes")


def read_description(path: str | Path) -> dict[str, Any]:
    """Return the description of the weights file ``path``, or raise WeightsError."""
    with opened(path) as file:
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


def _read_arrays(path: str | Path, expected: Shapes) -> Arrays:
    """Return the arrays of ``path``, which must have exactly the ``expected`` names and shapes."""
    with opened(path) as file:
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - no dict
        found = {k: (z.get_dtype(), tuple(z.get_shape())) for k, z in slices.items()}
        _refuse_misfits(path, found, expected)
        arrays = {name: file.get_tensor(name) for name in expected}
    _refuse_infinities(path, arrays)
    return arrays


def _refuse_misfits(path: object, found: dict[str, tuple[str, Shape]], expected: Shapes) -> None:
    """Compare the types and shapes that a file has with those that its network needs."""
    if found.keys() != expected.keys():
        missing, surplus = sorted(expected.keys() - found), sorted(found.keys() - expected)
        raise WeightsError(
            f"{path} does not fit its network: missing {missing}, unexpected {surplus}"
        )
    for name, shape in expected.items():
        kind, actual = found[name]
        if kind != "F32":
            raise WeightsError(f"{path}: {name} is {kind}, expected F32")
        if actual != shape:
            raise WeightsError(f"{path}: {name} has {actual}, expected {shape}")


def _refuse_infinities(path: object, arrays: Arrays) -> None:
    for name, array in arrays.items():
        wrong = np.count_nonzero(~np.isfinite(array))
        if wrong:
            raise WeightsError(f"{path}: {name} holds {wrong} numbers that are not finite")


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """Open a safetensors file from any source; errors become WeightsError."""
    if not Path(path).is_file():
        what = "is not a regular file" if Path(path).exists() else "does not exist"
        raise WeightsError(f"{path} {what}; name a .safetensors file of a training run")
    try:
        refuse_bombs(Path(path))
        file: Any = safetensors.safe_open(path, framework="np")
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise _refusal(path, error) from error
    try:
        with file as content:
            yield content
    except safetensors.SafetensorError as error:
        raise _refusal(path, error) from error


def _refusal(path: str | Path, error: Exception) -> WeightsError:
    start = b""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        start = file.read(HEAD)
    kind, *_ = (format_of(start) or "").split(";")  # the way out that follows is not one here
    if kind:
        return WeightsError(f"{path} is not a weights file: it looks like {kind}")
    return WeightsError(f"{path} is not a weights file, or a damaged one ({str(error)[:120]})")
