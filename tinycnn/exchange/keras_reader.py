"""Keras' files: .keras says what the network is, .weights.h5 has only its numbers."""

import json
import zipfile
from collections.abc import Sequence

import numpy as np

from tinycnn.errors import WeightsError
from tinycnn.exchange.hdf5 import Arrays, read_hdf5
from tinycnn.exchange.keras_export import CONFIG, WEIGHTS
from tinycnn.exchange.keras_import import read_config
from tinycnn.exchange.keras_layout import channels_last
from tinycnn.exchange.metadata import Notes
from tinycnn.exchange.reading import Found, told
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
        found.change_epsilon(index, epsilon)
    return found


def matrices_of(arrays: Arrays) -> list[Shape]:
    """Return the shapes (D,K) of the Dense layers."""
    return [z.shape for z in arrays.values() if z.ndim == 2]


def fill(
    arrays: Arrays,
    notes: Notes,
    layers: Sequence[Layer],
    input_shape: Shape,
    epsilon: float | None = None,
) -> Found:
    """Return the network that ``layers`` are, with the numbers of a .weights.h5 file.

    ``epsilon`` is what its BatchNormalization adds to variances, if the file is not by us.
    """
    if notes:
        epsilon = BatchNorm.EPSILON
    found = _filled(arrays, notes, layers, input_shape)
    for index, layer in enumerate(layers):
        if isinstance(layer, BatchNorm):
            if epsilon is None:
                raise WeightsError(
                    "it does not say which epsilon its BatchNormalization has; say --epsilon "
                    "(Keras' own is 1e-3), or save the model as .keras, which does"
                )
            found.change_epsilon(index, epsilon)
    return found


def _filled(arrays: Arrays, notes: Notes, layers: Sequence[Layer], input_shape: Shape) -> Found:
    wanted = {z.there: z for z in channels_last(layers)}
    if not any(path.startswith("layers/") for path in arrays):
        raise WeightsError("it is HDF5, but not as Keras 3 writes it; save the model as .keras")
    surplus = [path for path in arrays if path.startswith("layers/") and path not in wanted]
    if surplus:
        raise WeightsError(f"the network has no place for {told(surplus)}")
    found = Found(list(layers), input_shape, {}, notes)
    for path, z in wanted.items():
        kernel = arrays.get(f"{path[:-1]}0", np.empty(0))
        if path in arrays:
            found.arrays[z.here] = z.enter(arrays[path])
        elif path.endswith("/1") and kernel.ndim > 1:  # without use_bias
            found.arrays[z.here] = np.zeros(kernel.shape[-1], np.float32)
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
