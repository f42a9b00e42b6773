"""Weights files: named float32 arrays and a description, in the safetensors format.

A file is refused whole or read whole. It is data and nothing else: no code is ever run, and no
array is made that is larger than the file before names and shapes are known to be right.
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
from tinycnn.errors import ShapeError, TinyCNNError, WeightsError
from tinycnn.files import write_bytes
from tinycnn.nn import checks, layers, more_layers
from tinycnn.nn.checks import Array, Shape
from tinycnn.nn.layers import Layer

FORMAT = 1  # version of the description; a file of a newer version is refused
MAX_BYTES = 2**28  # no larger file is read: 67 million parameters, far above any network for digits
_KEY = "tinycnn"  # one key, holding JSON: the order of several is not kept by the format
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

    def __init__(self, layers: Sequence[Layer], input_shape: Shape) -> None:
        raise NotImplementedError

    @property
    def description(self) -> dict[str, Any]:
        """What a weights file says of its network besides the architecture, ready for JSON."""
        return self._description

    @description.setter
    def description(self, description: dict[str, Any]) -> None:
        self._description = description
        self._described = digest(self.arrays()) if description else b""

    def save(self, path: str | Path, **description: Any) -> None:
        """Write the parameters, the architecture and a ``description`` (JSON) to ``path``.

        A calibration of numbers that have changed since is left out. Raises WeightsError for a
        network that could not be read again.
        """
        own = {type(x).__name__: type(x) for x in self.layers if type(x) not in OURS}
        for name, kind in own.items():
            if LAYERS.get(name, kind) is not kind:
                raise WeightsError(
                    f"{path} is not written: its {name} would be read as another layer of that "
                    "name; give your class a name of its own"
                )
        mine = dict(self.description)
        if mine and self._described != digest(self.arrays()):
            mine.pop("calibration", None)
        architecture: dict[str, Any] = {
            "input_shape": self.input_shape,
            "layers": [{"layer": type(x).__name__, **x.config()} for x in self.layers],
            "preparation": "grey levels / 255",
        }
        if own:
            architecture["imports"] = {name: kind.__module__ for name, kind in own.items()}
        write_weights(path, self.arrays(), {**mine, **description, **architecture})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the model that ``path`` holds, or raise WeightsError and change nothing."""
        description, arrays = _read(path)
        layers, input_shape = _described_layers(path, description)
        return cls.of_arrays(path, layers, input_shape, arrays, description)

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
        expected = _expected_shapes(path, layers, input_shape)
        missing, more = (
            sorted(z)[:9] for z in (expected.keys() - arrays, arrays.keys() - expected)
        )
        if missing or more:
            raise WeightsError(
                f"{path} is of another network: missing {missing}, unexpected {more}"
            )
        for name, shape in expected.items():
            if arrays[name].shape != shape:
                raise WeightsError(f"{path}: {name} has {arrays[name].shape}, expected {shape}")
        _refuse_bad_numbers(path, arrays)
        model = cls(layers, input_shape)
        for name, z in model.arrays().items():
            z[...] = arrays[name]
        model.description = description
        return model


def named(dicts: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """Return the values of each layer's dict under the names "0.w", "0.b", "3.w", ..."""
    return {f"{i}.{key}": value for i, values in enumerate(dicts) for key, value in values.items()}


def digest(arrays: Arrays) -> bytes:
    """Return bytes that are others for other numbers."""
    return hashlib.sha256(b"".join(z.tobytes() for z in arrays.values())).digest()


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


def _expected_shapes(path: str | Path, layers: Sequence[Layer], input_shape: Shape) -> Shapes:
    """Return the shapes of a network's arrays; WeightsError for one that fits no memory."""
    try:
        checks.network(layers, input_shape)
        shapes, shape = [], input_shape
        for layer in layers:
            state = layer.state_shapes(shape)
            shape, parameters = layer.shapes(shape)
            shapes.append(parameters | state)
            if math.prod(shape) > MAX_BYTES:
                raise ShapeError(f"{layer} has {math.prod(shape):,} outputs")
    except ShapeError as error:
        raise WeightsError(f"{path} describes an impossible network: {error}") from error
    return named(shapes)


def _refuse_bad_numbers(path: object, arrays: Arrays) -> None:
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise WeightsError(f"{path}: {name} is {array.dtype}, expected float32")
        wrong = np.count_nonzero(~np.isfinite(array))
        if wrong:
            raise WeightsError(f"{path}: {name} holds {wrong} numbers that are not finite")


def write_weights(path: str | Path, arrays: Arrays, description: dict[str, Any]) -> None:
    """Write ``arrays`` and a JSON ``description``, all or nothing, and nothing ``load`` refuses."""
    try:
        text = json.dumps({"format": FORMAT, **description}, sort_keys=True, allow_nan=False)
    except ValueError as error:
        raise WeightsError(
            f"{path} is not written: what describes it is no JSON ({error})"
        ) from error
    _refuse_bad_numbers(f"{path} is not written", arrays)
    ready = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
    payload = safetensors.numpy.save(ready, {_KEY: text})
    if len(payload) > MAX_BYTES or int.from_bytes(payload[:8], "little") > _LONGEST_HEADER:
        raise WeightsError(f"{path} is not written: it or its description would be too large")
    write_bytes(path, payload)


def refuse_bombs(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Raise ValueError for a file of too many bytes; most of them may be a hole."""
    size = path.stat().st_size
    if size > max_bytes:
        raise ValueError(f"it holds {size:,} bytes; more than {max_bytes:,} are not read")
    with open(path, "rb") as file:
        header = int.from_bytes(file.read(8), "little")
    if header > _LONGEST_HEADER:
        raise ValueError(f"its header would have {header:,} bytes")


def _read(path: str | Path) -> tuple[dict[str, Any], Arrays]:
    """Return the description and the arrays of the weights file ``path``; or WeightsError."""
    with opened(path) as file:
        text = (file.metadata() or {}).get(_KEY)
        if text is None:
            raise WeightsError(f"{path} is a safetensors file, but not one of tinycnn's weights")
        names = file.keys()
        for kind in (file.get_slice(name).get_dtype() for name in names):
            if kind != "F32":  # NumPy has no type for some
                raise WeightsError(f"{path} holds numbers of type {kind}, expected F32")
        arrays = {name: file.get_tensor(name) for name in names}
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
    return description, arrays


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """Open a safetensors file from any source; errors become WeightsError."""
    if not Path(path).is_file():
        what = "is not a regular file" if Path(path).exists() else "does not exist"
        raise WeightsError(f"{path} {what}; name a .safetensors file of a training run")
    try:
        refuse_bombs(Path(path))
        with safetensors.safe_open(path, framework="np") as file:
            yield file
    except TinyCNNError:
        raise
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        start = b""
        with contextlib.suppress(OSError), open(path, "rb") as damaged:
            start = damaged.read(HEAD)
        kind, *_ = (format_of(start) or "").split(";")  # the way out that follows is not one here
        why = f": it looks like {kind}" if kind else f", or a damaged one ({str(error)[:120]})"
        raise WeightsError(f"{path} is not a weights file{why}") from error
