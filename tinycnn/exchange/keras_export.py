"""Write a network for Keras: as .keras, which describes it, or as .weights.h5 with code.

Keras has channels last as well, so arrays only have their axes transposed. Its HDF5 files have a
group for every layer, named after its kind and counted: layers/conv2d, layers/conv2d_1.
"""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import h5py
import numpy as np

from tinycnn import nn
from tinycnn.exchange.code import rebuilding_code
from tinycnn.exchange.layout import ArrayMap, external_arrays, with_shapes
from tinycnn.exchange.metadata import KEY, PRODUCER, metadata_json
from tinycnn.nn.checks import Shape

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
"""The members of a .keras file, a zip archive."""

VERSION = "3.0.0"
"""The first version of Keras that reads such files."""

_GROUPS = {
    nn.Conv2D: "conv2d",
    nn.Dense: "dense",
    nn.BatchNorm: "batch_normalization",
    nn.Dropout: "dropout",
}

_AXES = {1: (0,), 2: (0, 1), 4: (1, 2, 3, 0)}
"""For each rank how an array's axes are transposed for Keras: (F,KH,KW,C) -> (KH,KW,C,F)."""

_CONSTANT_DATE = (1980, 1, 1, 0, 0, 0)  # equal networks give equal bytes


def keras_files(model: nn.Sequential, name: str) -> dict[str, bytes]:
    """Return a .keras file called ``name``, or a .weights.h5 file and the code that loads it.

    Images are (N,H,W,C) as here, filters (KH,KW,C,F). Equal models give equal bytes.
    """
    if name.endswith(".keras"):
        return {name: _archive(model)}
    layers = [f"keras.Input({model.input_shape})"]
    for kind, arguments in map(_keras_layer, model.layers):
        listed = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        layers.append(f"keras.layers.{kind}({listed})")
    return {name: _weights(model)} | rebuilding_code(
        weights=name,
        framework="Keras",
        input_shape=model.input_shape,
        imports="import keras",
        network="keras.Sequential([{}])",
        layers=layers,
        loading="network.load_weights({weights})",
    )


def array_maps(layers: Sequence[nn.Layer], input_shape: Shape) -> Iterator[ArrayMap]:
    """Yield the arrays of the layers with Keras' names: "layers/conv2d_1/vars/0"."""
    groups = _groups(layers)
    for index, (_, _, shapes) in enumerate(with_shapes(layers, input_shape)):
        group = next(groups)
        for number, (key, sizes) in enumerate(shapes.items()):
            yield ArrayMap(f"{group}/vars/{number}", f"{index}.{key}", _AXES[len(sizes)])


def _groups(layers: Sequence[nn.Layer]) -> Iterator[str]:
    """Yield the group of each layer, "" for one without arrays."""
    seen: Counter[str] = Counter()
    for layer in layers:
        name = _GROUPS.get(type(layer), "")
        yield f"layers/{name}_{seen[name]}".removesuffix("_0") if name else ""
        seen[name] += 1


def _keras_layer(layer: nn.Layer) -> tuple[str, dict[str, Any]]:
    """Return the Keras class that does what ``layer`` does, and its arguments."""
    match layer:
        case nn.Conv2D():
            return "Conv2D", {"filters": layer.filters, "kernel_size": layer.kernel_size}
        case nn.MaxPool2D():
            return "MaxPooling2D", {"pool_size": layer.size}
        case nn.AveragePool2D():
            return "AveragePooling2D", {"pool_size": layer.size}
        case nn.GlobalAveragePool2D():
            return "GlobalAveragePooling2D", {}
        case nn.ZeroPad2D():
            return "ZeroPadding2D", {"padding": [[layer.before, layer.after]] * 2}
        case nn.Tanh() | nn.Sigmoid():
            return "Activation", {"activation": type(layer).__name__.lower()}
        case nn.LeakyReLU():
            return "LeakyReLU", {"negative_slope": layer.slope}
        case nn.BatchNorm():
            return "BatchNormalization", {"momentum": 1 - layer.FOLLOW, "epsilon": layer.EPSILON}
        case _:
            return type(layer).__name__, dict(layer.config())


def _archive(model: nn.Sequential) -> bytes:
    """Return a zip archive with the description from which Keras builds its Sequential."""
    shape = {"batch_shape": [None, *model.input_shape], "dtype": "float32"}
    layers = [
        {"module": "keras.layers", "class_name": kind, "config": arguments}
        for kind, arguments in [("InputLayer", shape), *map(_keras_layer, model.layers)]
    ]
    config = {"name": "tinycnn", "layers": layers}
    network = {"module": "keras", "class_name": "Sequential", "config": config}
    members = {
        METADATA: json.dumps({"keras_version": VERSION, "producer": PRODUCER}).encode(),
        CONFIG: json.dumps(network).encode(),
        WEIGHTS: _weights(model),
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, payload in members.items():
            file.writestr(zipfile.ZipInfo(name, _CONSTANT_DATE), payload)
    return archive.getvalue()


def _weights(model: nn.Sequential) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        maps = array_maps(model.layers, model.input_shape)
        for path, array in external_arrays(model, maps).items():
            h5[path] = array
        for index, (layer, group) in enumerate(zip(model, _groups(model.layers), strict=True)):
            if isinstance(layer, nn.Dropout):  # Keras requires the state of its random generator
                h5[f"{group}/seed_generator/vars/0"] = np.array([index, 0], np.uint32)
        h5[KEY] = np.frombuffer(metadata_json(model, "NHWC").encode(), np.uint8)
    return file.getvalue()
