"""Keras' files: .keras says what the network is, .weights.h5 has only its numbers."""

import json
import zipfile
from collections.abc import Sequence

import numpy as np

from tinycnn.errors import WeightsError
from tinycnn.exchange.foreign import Found, told, variance_here
from tinycnn.exchange.hdf5 import Arrays, read_hdf5
from tinycnn.exchange.keras_config import read_config
from tinycnn.exchange.keras_file import CONFIG, WEIGHTS
from tinycnn.exchange.keras_layout import channels_last
from tinycnn.exchange.notes import Notes
from tinycnn.nn import BatchNorm, Layer
from tinycnn.nn.layers import Shape
from tinycnn.nn.weights import MAX_BYTES

_LONGEST_CONFIG = 2**20  # bytes


def read_archive(archive: zipfile.ZipFile) -> Found:
    """Return the network in a .keras file."""
    network = read_config(json.loads(_member(archive, CONFIG, _LONGEST_CONFIG)))
    arrays, notes = read_hdf5(_member(archive, WEIGHTS, MAX_BYTES))
    found = _filled(arrays, notes, network.layers, network.input_shape)
    for index, epsilon in network.epsilons.items():
        variance = found.arrays[f"{index}.variance"]
        found.arrays[f"{index}.variance"] = variance_here(variance, epsilon)
    return found


def matrices_of(arrays: Arrays) -> list[Shape]:
    """Return the shapes (D,K) of the Dense layers."""
    return [z.shape for z in arrays.values() if z.ndim == 2]


def fill(arrays: Arrays, notes: Notes, layers: Sequence[Layer], input_shape: Shape) -> Found:
    """Return the network that ``layers`` are, with the numbers of a .weights.h5 file."""
    if not notes and any(isinstance(layer, BatchNorm) for layer in layers):
        raise WeightsError(
            "it does not say which epsilon its BatchNormalization has; "
            "save the model as .keras, which does"
        )
    return _filled(arrays, notes, layers, input_shape)


def _filled(arrays: Arrays, notes: Notes, layers: Sequence[Layer], input_shape: Shape) -> Found:
    wanted = {z.there: z for z in channels_last(layers)}
    if not any(path.startswith("layers/") for path in arrays):
        raise WeightsError("it is HDF5, but not as Keras 3 writes it; save the model as .keras")
    surplus = [path for path in arrays if path.startswith("layers/") and path not in wanted]
    if surplus:
        raise WeightsError(f"the network has no place for {told(surplus)}")
    found, shape = Found(list(layers), input_shape, {}, notes), input_shape
    for index, layer in enumerate(layers):
        shape, shapes = layer.shapes(shape)
        if "b" in shapes and not isinstance(layer, BatchNorm):
            found.arrays[f"{index}.b"] = np.zeros(shapes["b"], np.float32)  # without use_bias
    found.arrays |= {z.here: z.enter(arrays[path]) for path, z in wanted.items() if path in arrays}
    return found


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return what is called ``name`` in a zip archive, unpacked no further than ``most`` bytes."""
    if name not in archive.namelist():
        raise WeightsError(f"it holds no {name}, so it is no .keras file")
    with archive.open(name) as file:
        payload = file.read(most + 1)
    if len(payload) > most:
        raise WeightsError(f"its {name} is longer than {most:,} bytes")
    return payload
