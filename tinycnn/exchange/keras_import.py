"""Read Keras' files that describe their network in JSON: .keras, and a whole model in .h5.

Of all that HDF5 could hold, only what Keras writes is read.
"""

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from tinycnn import nn
from tinycnn.errors import WeightsError
from tinycnn.exchange.chain import Chain, Part, Settings, refuse, same_padding, shown, simplified
from tinycnn.exchange.layout import KERAS, Arrays
from tinycnn.nn.weights import MAX_BYTES

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
"""The members of a .keras file, a zip archive."""

_LONGEST_CONFIG = 2**20  # bytes

_START_OF_CONFIG = re.compile(rb'\{"class_name": "(Sequential|Functional|Model)", "config": \{')

_KEYS = {"0": "w", "1": "b", "2": "mean", "3": "variance", "kernel": "w", "gamma": "w"}
_KEYS |= {"bias": "b", "beta": "b", "moving_mean": "mean", "moving_variance": "variance"}
"""Our names for the arrays of a layer: those of .keras are numbered."""


def read_archive(payload: bytes) -> Chain:
    """Return the network in a .keras file, whose arrays are in groups named after their kind."""
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        chain, owners = _read_config(json.loads(_member(archive, CONFIG, _LONGEST_CONFIG)))
        arrays = _read_hdf5(_member(archive, WEIGHTS, MAX_BYTES), "layers/")
    _fill(chain, arrays, owners)
    return chain


def read_hdf5(payload: bytes) -> Chain:
    """Return the network of a whole-model .h5, whose arrays are in groups named like their layers.

    Its description is one JSON text in one piece, so it is found without reading attributes.
    """
    start = _START_OF_CONFIG.search(payload)
    if start is None:
        raise WeightsError("it does not say what its layers are; save the model as .keras")
    text = payload[start.start() :][:_LONGEST_CONFIG].decode(errors="replace")
    chain, owners = _read_config(json.JSONDecoder().raw_decode(text)[0])
    _fill(chain, _read_hdf5(payload, "model_weights/"), owners)
    return chain


def _fill(chain: Chain, arrays: Arrays, owners: dict[str, int]) -> None:
    """Put the arrays of an HDF5 file, as "dense/vars/0" or "dense/s/dense/kernel:0", into place."""
    for path, array in arrays.items():
        owner, *_, key = path.removesuffix(":0").split("/")
        if owner not in owners or key not in _KEYS:
            raise WeightsError(f"the network has no place for {shown(path)}")
        chain.arrays[f"{owners[owner]}.{_KEYS[key]}"] = array


def _read_config(config: Any) -> tuple[Chain, dict[str, int]]:
    """Return the network that Keras' JSON describes, without arrays.

    With it come the layers that may have arrays, by their names and by those of their groups in
    .keras: conv2d, conv2d_1. Raises any exception if it is no chain of supported layers.
    """
    kind, inner = config["class_name"], config["config"]
    if kind not in ("Sequential", "Functional", "Model"):
        refuse(f"a model of the class {shown(kind)}")
    chain, seen = Chain(KERAS), Counter[str]()
    owners: dict[str, int] = {}
    for entry in inner["layers"]:
        settings = entry["config"]
        part = Part(str(entry["class_name"]), settings.get("name", ""), settings)
        if part.kind not in LAYERS:
            refuse(f"the layer {part}")
        add, supported = LAYERS[part.kind]
        part.require_settings(supported)
        before = len(chain.layers)
        add(chain, part)
        owner = len(chain.layers) - 1  # a Conv2D may have added its padding before
        chain.activate(part, settings.get("activation"))
        if owner >= before and isinstance(chain.layers[owner], nn.Conv2D | nn.Dense | nn.BatchNorm):
            group = re.sub("(?<=[a-z])(?=[A-Z])", "_", part.kind).lower()
            numbered = f"{group}_{seen[group]}".removesuffix("_0")
            owners |= dict.fromkeys((numbered, part.name), owner)
            seen[group] += 1
    if kind != "Sequential":
        _refuse_branches(inner)
    return chain, owners


def _layer(kind: Callable[..., nn.Layer], *names: str) -> Callable[[Chain, Part], None]:
    """Return the function that adds a layer made of the settings with these ``names``."""
    return lambda chain, part: chain.add(kind(*(part.settings[name] for name in names)))


def _input(chain: Chain, part: Part) -> None:
    shape = part.settings.get("batch_shape") or part.settings["batch_input_shape"]
    chain.start(tuple(shape[1:]))


def _rescale(chain: Chain, part: Part) -> None:
    chain.prepare(part, part.settings["scale"], part.settings.get("offset", 0.0))


def _conv(chain: Chain, part: Part) -> None:
    size = part.square(part.settings["kernel_size"])
    chain.pad(*(same_padding(size) if _is_same(part) else (0, 0)))
    chain.add(nn.Conv2D(part.settings["filters"], size))


def _is_same(part: Part) -> bool:
    padding = part.settings.get("padding", "valid")
    part.require(padding in ("valid", "same"), f"with the padding {shown(padding)}")
    return bool(padding == "same")


def _pad(chain: Chain, part: Part) -> None:
    rows, columns = part.settings["padding"]
    part.require(rows == columns, f"with the padding {shown(part.settings['padding'])}")
    chain.pad(*rows)


def _pool(kind: type[nn.Layer]) -> Callable[[Chain, Part], None]:
    return lambda chain, part: chain.add_pool(kind, part, "pool_size", _is_same(part))


def _normalize(chain: Chain, part: Part) -> None:
    axis = part.settings.get("axis", -1)
    part.require(simplified(axis) in (-1, len(chain.shape)), f"over axis {shown(axis)}")
    chain.add_batch_norm(float(part.settings.get("epsilon", 1e-3)))


def _leaky_relu(chain: Chain, part: Part) -> None:
    slope = part.settings["alpha" if "alpha" in part.settings else "negative_slope"]
    chain.add(nn.LeakyReLU(slope))


_LAST = {"data_format": "channels_last"}

LAYERS: dict[str, tuple[Callable[[Chain, Part], None], Settings]] = {
    "Activation": (lambda chain, part: None, {}),  # any layer may have one
    "AveragePooling2D": (_pool(nn.AveragePool2D), _LAST),
    "BatchNormalization": (_normalize, {"center": True, "scale": True}),
    "Conv2D": (_conv, {"strides": 1, "dilation_rate": 1, "groups": 1, **_LAST}),
    "Dense": (_layer(nn.Dense, "units"), {}),
    "Dropout": (_layer(nn.Dropout, "rate"), {"noise_shape": None}),
    "Flatten": (lambda chain, part: chain.flatten(), _LAST),
    "GlobalAveragePooling2D": (_layer(nn.GlobalAveragePool2D), {"keepdims": False, **_LAST}),
    "Identity": (lambda chain, part: None, {}),
    "InputLayer": (_input, {"sparse": False, "ragged": False}),
    "LeakyReLU": (_leaky_relu, {}),
    "MaxPooling2D": (_pool(nn.MaxPool2D), _LAST),
    "ReLU": (_layer(nn.ReLU), {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}),
    "Rescaling": (_rescale, {}),
    "Reshape": (lambda chain, part: chain.reshape(part, part.settings["target_shape"]), {}),
    "Softmax": (_layer(nn.Softmax), {"axis": -1}),
    "ZeroPadding2D": (_pad, _LAST),
}
"""For each kind of layer the function that adds it, and the settings that ours can express."""


def _refuse_branches(model: Any) -> None:
    """Every layer must take the output of the one before it, and the last one be the output."""
    before: list[str] = []
    for entry in model["layers"]:
        if _names(entry["inbound_nodes"]) != before:
            refuse(f"the layer {shown(entry['name'])}, whose input is not the layer before it,")
        before = [entry["name"]]
    if _names(model["output_layers"]) != before:
        refuse("a model whose output is not that of its last layer")


def _names(nodes: Any) -> list[str]:
    """Return the layers in a description of tensors, in which each is as ["dense", 0, 0]."""
    return re.findall(r'\["([^"]*)", \d+, \d+', json.dumps(nodes))


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Return the file ``name`` in a zip archive, unpacked no further than ``most`` bytes."""
    with archive.open(name) as file:
        payload = file.read(most + 1)
    if len(payload) > most:
        raise WeightsError(f"its {name} is longer than {most:,} bytes")
    return payload


def _read_hdf5(payload: bytes, root: str) -> Arrays:
    """Return the float32 arrays below ``root`` by the path there: "dense/vars/0".

    Attributes are not read, because damaged texts in them can keep the library busy forever.
    ``visititems`` does not follow links to other files. Arrays must be in one piece: others could
    unpack to any size.
    """
    arrays: Arrays = {}

    def visit(path: str, thing: h5py.Group | h5py.Dataset) -> None:
        is_array = isinstance(thing, h5py.Dataset) and thing.dtype == np.float32
        if is_array and path.startswith(root):
            in_one_piece = not (thing.chunks or thing.external or thing.is_virtual)
            if not in_one_piece or thing.id.get_storage_size() != thing.nbytes:
                raise WeightsError(f"{shown(path)} is not in the file in one piece")
            arrays[path.removeprefix(root)] = np.asarray(thing[()])

    with h5py.File(io.BytesIO(payload), "r") as file:
        file.visititems(visit)
    return arrays
