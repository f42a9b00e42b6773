"""Read Keras' files: .keras describes its network in JSON, .weights.h5 has only the arrays.

Of all that HDF5 could hold, only what Keras writes is read.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

from tinycnn import nn
from tinycnn.errors import WeightsError
from tinycnn.exchange.keras_export import CONFIG, WEIGHTS, array_maps
from tinycnn.exchange.metadata import KEY, Metadata, parse_metadata
from tinycnn.exchange.reading import (
    Arrays,
    ExternalLayer,
    ImportedModel,
    KnownNetwork,
    Settings,
    known_model,
    refuse,
    refuse_known,
    same_padding,
    shown,
    simplified,
)
from tinycnn.nn.weights import MAX_BYTES

_LONGEST_CONFIG = 2**20  # bytes
_MOST_OBJECTS = 10_000

_LAST = {"data_format": "channels_last"}

SUPPORTED: dict[str, Settings] = {
    "InputLayer": {"sparse": False, "ragged": False},
    "Rescaling": {},
    "Reshape": {},
    "Conv2D": {"strides": 1, "dilation_rate": 1, "groups": 1, **_LAST},
    "ZeroPadding2D": _LAST,
    "MaxPooling2D": _LAST,
    "AveragePooling2D": _LAST,
    "GlobalAveragePooling2D": {"keepdims": False, **_LAST},
    "BatchNormalization": {"center": True, "scale": True},
    "Dropout": {"noise_shape": None},
    "Flatten": _LAST,
    "Dense": {},
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "LeakyReLU": {},
    "Softmax": {"axis": -1},
    "Activation": {},
    "Identity": {},
}
"""For each kind of layer, the settings that our layers can express."""

_START_OF_CONFIG = re.compile(rb'\{"class_name": "(Sequential|Functional|Model)", "config": \{')

_KEYS = {"kernel": "w", "gamma": "w", "bias": "b", "beta": "b"}
_KEYS |= {"moving_mean": "mean", "moving_variance": "variance"}
"""Our names for the arrays of a whole-model .h5."""


def read_archive(payload: bytes, known: KnownNetwork | None) -> ImportedModel:
    """Return the network in a .keras file, which describes it: ``known`` must be None."""
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        config = json.loads(_member(archive, CONFIG, _LONGEST_CONFIG))
        refuse_known(known)
        model = _read_config(config)[0]
        arrays, model.metadata = _read_hdf5(_member(archive, WEIGHTS, MAX_BYTES))
    _fill(model, arrays)
    return model


def read_hdf5(payload: bytes, known: KnownNetwork | None) -> ImportedModel:
    """Return the network in a whole-model .h5, or the ``known`` one with a .weights.h5's arrays."""
    arrays, metadata = _read_hdf5(payload)
    if any(path.startswith("model_weights/") for path in arrays):
        refuse_known(known)
        return _read_whole_model(payload, arrays)
    model = known_model(known, (z.shape for z in arrays.values() if z.ndim == 2), metadata)
    _fill(model, arrays)
    if metadata:  # tinycnn wrote the file, so the epsilon is ours
        model.epsilons = {}
    elif not model.epsilons and any(isinstance(layer, nn.BatchNorm) for layer in model.layers):
        raise WeightsError(
            "it does not give the epsilon of its BatchNormalization; use --epsilon (Keras' default "
            "is 1e-3), or save the model as .keras, which gives it"
        )
    return model


def _read_whole_model(payload: bytes, arrays: Arrays) -> ImportedModel:
    """Return the network of a legacy .h5, whose arrays are under the names of their layers.

    Its description is one JSON text in one piece, so it is found without reading attributes.
    """
    start = _START_OF_CONFIG.search(payload)
    if start is None:
        raise WeightsError("it does not say what its layers are; save the model as .keras")
    text = payload[start.start() :][:_LONGEST_CONFIG].decode(errors="replace")
    model, names = _read_config(json.JSONDecoder().raw_decode(text)[0])
    maps = {z.name: z for z in array_maps(model.layers, model.input_shape)}
    by_path = {}
    for path, array in arrays.items():
        _, layer, *_, key = path.removesuffix(":0").split("/")
        if path.startswith("model_weights/"):
            place = maps.get(f"{names.get(layer)}.{_KEYS.get(key)}")
            by_path[place.external if place else f"layers/{path}"] = array
    _fill(model, by_path)
    return model


def _fill(model: ImportedModel, arrays: Arrays) -> None:
    """Put the arrays of an HDF5 file where the layers have them."""
    maps = {z.external: z for z in array_maps(model.layers, model.input_shape)}
    if not any(path.startswith("layers/") for path in arrays):
        raise WeightsError("it is HDF5, but not as Keras 3 writes it; save the model as .keras")
    surplus = [path for path in arrays if path.startswith("layers/") and path not in maps]
    if surplus:
        raise WeightsError(f"the network has no place for {shown(surplus)}")
    for path, z in maps.items():
        weights = arrays.get(f"{path[:-1]}0", np.empty(0))
        if path in arrays:
            model.arrays[z.name] = z.from_external(arrays[path])
        elif path.endswith("/1") and weights.ndim > 1:  # the layer has no bias
            model.arrays[z.name] = np.zeros(weights.shape[-1], np.float32)


def _read_config(config: Any) -> tuple[ImportedModel, dict[str, int]]:
    """Return the network that Keras' JSON describes, without arrays, and its layers by name.

    It is a Sequential, or a Functional that is a chain of layers. Raises WeightsError for
    unsupported parts, and any exception if it is not such a config.
    """
    kind, inner = config["class_name"], config["config"]
    if kind not in ("Sequential", "Functional", "Model"):
        refuse(f"a model of the class {shown(kind)}")
    model, names = ImportedModel(), {}
    for entry in inner["layers"]:
        settings = entry["config"]
        external = ExternalLayer(str(entry["class_name"]), settings.get("name", ""), settings)
        if external.kind not in SUPPORTED:
            refuse(f"the layer {external}")
        external.require_settings(SUPPORTED[external.kind])
        before = len(model.layers)
        _add_layer(model, external)
        padded = before < len(model.layers) and isinstance(model.layers[before], nn.ZeroPad2D)
        names[external.name] = before + padded  # where its arrays belong, if it has any
    if kind != "Sequential":
        _refuse_branches(inner)
    return model, names


_SIMPLE: dict[str, Callable[[Any], nn.Layer]] = {
    "Dense": lambda settings: nn.Dense(settings["units"]),
    "Dropout": lambda settings: nn.Dropout(settings["rate"]),
    "GlobalAveragePooling2D": lambda settings: nn.GlobalAveragePool2D(),
    "LeakyReLU": lambda settings: nn.LeakyReLU(
        settings.get("negative_slope", settings.get("alpha"))
    ),
    "ReLU": lambda settings: nn.ReLU(),
    "Softmax": lambda settings: nn.Softmax(),
}
_POOLS = {"MaxPooling2D": nn.MaxPool2D, "AveragePooling2D": nn.AveragePool2D}


def _add_layer(model: ImportedModel, external: ExternalLayer) -> None:
    kind, settings = external.kind, external.settings
    match kind:
        case "InputLayer":
            shape = settings.get("batch_shape") or settings["batch_input_shape"]
            model.start(tuple(shape[1:]))
        case "Rescaling":
            model.prepare(external, settings["scale"], settings.get("offset", 0.0))
        case "Reshape":
            model.reshape(external, settings["target_shape"])
        case "Conv2D":
            size = external.square(settings["kernel_size"])
            model.pad(*_padding(external, size))
            model.add(nn.Conv2D(settings["filters"], size))
        case "MaxPooling2D" | "AveragePooling2D":
            _add_pool(model, external)
        case "ZeroPadding2D":
            rows, columns = settings["padding"]
            external.require(rows == columns, f"with the padding {shown(settings['padding'])}")
            model.pad(*rows)
        case "BatchNormalization":
            axis = settings.get("axis", -1)
            external.require(simplified(axis) in (-1, len(model.shape)), f"over axis {shown(axis)}")
            model.add_batch_norm(float(settings.get("epsilon", 1e-3)))
        case "Flatten":
            model.flatten()
        case _ if kind in _SIMPLE:
            model.add(_SIMPLE[kind](settings))
    model.activate(external, settings.get("activation"))


def _add_pool(model: ImportedModel, external: ExternalLayer) -> None:
    size = external.square(external.settings["pool_size"])
    whole = not any(z % size for z in model.shape[:2]) or not any(_padding(external, size))
    external.require(whole, "with the padding 'same' of an image that it does not divide")
    strides = external.settings.get("strides") or size
    model.add_pool(external, _POOLS[external.kind], size, strides)


def _padding(external: ExternalLayer, size: int) -> tuple[int, int]:
    """Return the zeros before and behind the image; kinds of padding that are new are refused."""
    padding = external.settings.get("padding", "valid")
    external.require(padding in ("valid", "same"), f"with the padding {shown(padding)}")
    return same_padding(size) if padding == "same" else (0, 0)


def _refuse_branches(model: Any) -> None:
    """Every layer must take the output of the one before it, and the last one be the output."""
    before: list[str] = []
    for entry in model["layers"]:
        if list(_sources(entry["inbound_nodes"])) != before:
            refuse(f"the layer {shown(entry['name'])}, whose input is not the layer before it,")
        before = [entry["name"]]
    outputs = model["output_layers"]  # ["dense", 0, 0] or [["dense", 0, 0]]
    if not {*before} & {z[0] for z in (outputs if isinstance(outputs[0], list) else [outputs])}:
        refuse("a model whose output is not that of its last layer")


def _sources(nodes: Any) -> Iterator[str]:
    """Yield the names of the layers that a layer's input comes from."""
    if isinstance(nodes, dict) and "keras_history" in nodes:
        yield nodes["keras_history"][0]
    elif isinstance(nodes, list) and nodes and isinstance(nodes[0], str):  # of Keras 2
        yield nodes[0]
    elif isinstance(nodes, dict | list):
        for inner in nodes.values() if isinstance(nodes, dict) else nodes:
            yield from _sources(inner)


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return the file ``name`` in a zip archive, unpacked no further than ``most`` bytes."""
    if name not in archive.namelist():
        raise WeightsError(f"it holds no {name}, so it is not a .keras file")
    with archive.open(name) as file:
        payload = file.read(most + 1)
    if len(payload) > most:
        raise WeightsError(f"its {name} is longer than {most:,} bytes")
    return payload


def _read_hdf5(payload: bytes) -> tuple[Arrays, Metadata]:
    """Return the float32 arrays by path, "layers/dense/vars/0", and our metadata, if there is any.

    Attributes are not read, because damaged texts in them can keep the library busy forever.
    ``visititems`` does not follow links to other files.
    """
    arrays: Arrays = {}
    seen = 0

    def visit(path: str, thing: h5py.Group | h5py.Dataset) -> None:
        nonlocal seen
        seen += 1
        if seen > _MOST_OBJECTS:
            raise WeightsError(f"it holds more than {_MOST_OBJECTS:,} objects")
        wanted = np.uint8 if path == KEY else np.float32
        if isinstance(thing, h5py.Dataset) and thing.dtype == wanted:
            arrays[path] = _array(path, thing, len(payload))

    with h5py.File(io.BytesIO(payload), "r") as file:
        file.visititems(visit)
    text = arrays.pop(KEY, np.empty(0, np.uint8)).tobytes().decode(errors="replace")
    return arrays, parse_metadata(text)


def _array(path: str, dataset: h5py.Dataset, most: int) -> np.ndarray:
    """Read an array that is in the file in one piece; others could unpack to any size."""
    in_one_piece = not (dataset.chunks or dataset.external or dataset.is_virtual)
    if not in_one_piece or dataset.id.get_storage_size() != dataset.nbytes:
        raise WeightsError(f"{shown(path)} is not in the file in one piece")
    if dataset.nbytes > most:
        raise WeightsError(f"{shown(path)} claims to be larger than the file")
    return np.asarray(dataset[()])
