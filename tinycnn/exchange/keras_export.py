"""A network as Keras keeps it: .keras, which says all, or .weights.h5 and lines to rebuild it."""

import io
import json
import zipfile
from collections.abc import Mapping

import h5py
import numpy as np

from tinycnn.exchange.code import Program
from tinycnn.exchange.keras_layout import channels_last, groups, keras_layer
from tinycnn.exchange.layout import left, refuse_strangers
from tinycnn.exchange.metadata import NOTES, PRODUCER, notes_text
from tinycnn.nn import Dropout, Sequential

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
"""The members of a .keras file, a zip archive."""

VERSION = "3.0.0"
"""Of Keras: the first that knows such files."""

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # equal networks give equal bytes


def keras_files(model: Sequential, name: str) -> dict[str, bytes]:
    """Return a .keras file called ``name``, or a .weights.h5 file and a program that loads it.

    Images are (N,H,W,C) as here, filters (KH,KW,C,F). Equal models give equal bytes.
    """
    refuse_strangers(model.layers)
    if name.endswith(".keras"):
        return {name: _archive(model)}
    program = Program(
        weights=name,
        framework="Keras",
        input_shape=model.input_shape,
        imports="import keras",
        opening="network = keras.Sequential([",
        layers=(
            f"keras.Input({model.input_shape})",
            *(f"keras.layers.{_call(*keras_layer(layer))}" for layer in model.layers),
        ),
        closing="])",
        loading="network.load_weights({weights})",
    )
    return {name: _weights(model), program.name: program.text().encode()}


def _call(kind: str, arguments: Mapping[str, object]) -> str:
    return f"{kind}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"


def _archive(model: Sequential) -> bytes:
    members = {
        METADATA: json.dumps({"keras_version": VERSION, "producer": PRODUCER}).encode(),
        CONFIG: json.dumps(_config(model)).encode(),
        WEIGHTS: _weights(model),
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, payload in members.items():
            file.writestr(zipfile.ZipInfo(name, _LONG_AGO), payload)
    return archive.getvalue()


def _config(model: Sequential) -> dict:
    """What Keras makes a Sequential of."""
    entries = [("InputLayer", {"batch_shape": [None, *model.input_shape], "dtype": "float32"})]
    entries += [keras_layer(layer) for layer in model.layers]
    layers = [
        {"module": "keras.layers", "class_name": kind, "config": arguments}
        for kind, arguments in entries
    ]
    config = {"name": "tinycnn", "layers": layers}
    return {"module": "keras", "class_name": "Sequential", "config": config}


def _weights(model: Sequential) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        for path, array in left(model, channels_last(model.layers)).items():
            h5[path] = array
        for index, (layer, group) in enumerate(zip(model, groups(model.layers), strict=True)):
            if isinstance(layer, Dropout):  # Keras wants to know what it would draw next
                h5[f"{group}/seed_generator/vars/0"] = np.array([index, 0], np.uint32)
        h5[NOTES] = np.frombuffer(notes_text(model, "NHWC").encode(), np.uint8)
    return file.getvalue()
