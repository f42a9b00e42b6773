"""The way in: a file of PyTorch's, Keras' or ONNX's becomes a weights file like any other.

What kind of file it is shows in its first bytes. It may come from anybody: it is data, no code in
it is ever run, and whatever is wrong with it ends in a WeightsError of one sentence.
"""

import contextlib
import copy
import importlib.util
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycnn.errors import EnvironmentFault, TinyCNNError, WeightsError
from tinycnn.exchange.metadata import description_of
from tinycnn.exchange.reading import Found, classes_of
from tinycnn.nn import Layer, Sequential
from tinycnn.nn.classifier import calibration_of, names_of
from tinycnn.nn.layers import Shape
from tinycnn.nn.weights import MAX_BYTES


@dataclass(frozen=True)
class Known:
    """What is known of a network whose file holds only numbers.

    ``layers`` returns the layers, given the number of classes. ``epsilon`` is what BatchNorm adds
    to the variance there.
    """

    layers: Callable[[int], Sequence[Layer]]
    input_shape: Shape
    epsilon: float | None = None


HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"

PICKLE = (
    "it is a pickle, which can run anything and is never read here; save it in PyTorch with "
    "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
)


def convert(source: Path, target: Path, known: Known | None = None) -> Sequential:
    """Write the network in ``source`` to the weights file ``target``, and return it."""
    model = read(source, known)
    model.save(target)
    return model


def read(source: Path, known: Known | None = None) -> Sequential:
    """Return the network in ``source``; its description says ``converted_from`` what.

    ``known`` says what the layers are, for files that hold only numbers. What no file tells, the
    classes, the calibration and the training, stays unknown. Raises WeightsError for what is no
    such file or has no equal here, EnvironmentFault if a package is missing that reads it.
    """
    with _refusals(source):
        kind, found = _read(source, known)
        described = {**description_of(found.notes), "converted_from": kind}
        arrays = {name: np.ascontiguousarray(z) for name, z in found.arrays.items()}
        model = Sequential.of_arrays(source, found.layers, found.input_shape, arrays, described)
        calibration_of(model)
        if "classes" in described:
            names_of(model)
    return model


@contextlib.contextmanager
def _refusals(source: Path) -> Iterator[None]:
    """Whatever happens while ``source`` is read becomes a WeightsError that names it."""
    try:
        yield
    except EnvironmentFault:
        raise
    except TinyCNNError as error:
        text = str(error)
        raise WeightsError(text if text.startswith(str(source)) else f"{source}: {text}") from error
    except Exception as error:  # the parsers of other libraries raise what they like
        why = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise WeightsError(f"{source} is damaged, or not what it seems: {why}") from error


def _read(source: Path, known: Known | None) -> tuple[str, Found]:
    payload = _bytes_of(source)
    if payload[8:9] == b"{" and payload[:1] != b"{":
        return "PyTorch", _state_dict(source, known)
    if payload.startswith(HDF5):
        _need("h5py")
        return "Keras", _keras_weights(payload, known)
    if payload.startswith(ZIP):
        _need("h5py")
        return "Keras", _keras_archive(payload, known)
    if payload[:1] == b"\x80":
        raise WeightsError(PICKLE)
    _need("onnx")
    from tinycnn.exchange.onnx_reader import read_onnx

    return "ONNX", _says_itself(read_onnx(payload), known)


def _bytes_of(source: Path) -> bytes:
    if not source.is_file():
        raise WeightsError("there is no such file" if not source.exists() else "it is no file")
    if source.stat().st_size > MAX_BYTES:
        raise WeightsError(f"it is longer than {MAX_BYTES:,} bytes")
    return source.read_bytes()


def _state_dict(source: Path, known: Known | None) -> Found:
    from tinycnn.exchange.pytorch_import import fill, matrices_of, read_modules

    modules, notes = read_modules(source)
    layers, input_shape = _layers(known, matrices_of(modules))
    return fill(modules, notes, layers, input_shape, known.epsilon if known else None)


def _keras_weights(payload: bytes, known: Known | None) -> Found:
    from tinycnn.exchange.hdf5 import read_hdf5
    from tinycnn.exchange.keras_reader import fill, matrices_of

    arrays, notes = read_hdf5(payload)
    layers, input_shape = _layers(known, matrices_of(arrays))
    return fill(arrays, notes, layers, input_shape, known.epsilon if known else None)


def _layers(known: Known | None, matrices: Iterable[Shape]) -> tuple[Sequence[Layer], Shape]:
    if known is None:
        raise WeightsError("it does not say what its layers are; name them with --preset or --like")
    layers = known.layers(classes_of(matrices))
    return [copy.copy(layer) for layer in layers], known.input_shape  # they may be in use


def _keras_archive(payload: bytes, known: Known | None) -> Found:
    from tinycnn.exchange.keras_reader import read_archive

    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        if any(name.endswith("data.pkl") for name in archive.namelist()):
            raise WeightsError(PICKLE)
        return _says_itself(read_archive(archive), known)


def _says_itself(found: Found, known: Known | None) -> Found:
    if known:
        raise WeightsError("it says itself what its layers are; leave out --preset and --like")
    return found


def _need(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise EnvironmentFault(f"to read it {package} is needed: pip install 'tinycnn[export]'")
