"""Files of other programs for the fuzzer: a small network in their formats, changed."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from onnx.reference import ReferenceEvaluator

from tests.reliability import mutations
from tests.reliability.mutations import Format, Mutator, Rng, bytes_changed
from tinycnn.errors import WeightsError
from tinycnn.exchange import keras_import, onnx_import, pytorch
from tinycnn.exchange.importers import read
from tinycnn.exchange.keras_import import CONFIG, WEIGHTS
from tinycnn.exchange.layout import KERAS, places
from tinycnn.exchange.onnx_export import onnx_bytes
from tinycnn.exchange.pytorch import state_dict_bytes
from tinycnn.nn import Sequential
from tinycnn.nn.text import layers_of

SHAPE = (5, 5, 1)

READERS = keras_import, onnx_import, pytorch, ReferenceEvaluator
"""Imported before the guard watches: dataclasses are made by code."""


LAYERS = (
    "ZeroPad2D(2) Conv2D(2, 2) LeakyReLU(0.1) AveragePool2D(2) Tanh BatchNorm MaxPool2D(2) "
    "Flatten Dropout(0.1) Dense(3)"
)


def _format(mutate: Mutator, path: Path, known: Sequential | None = None) -> Format:
    def target(data: bytes) -> None:
        model = read(path, known)
        assert all(np.isfinite(z).all() for z in model.arrays().values())

    return Format(mutate, target, WeightsError, 40_000)


def _keras_file(model: Sequential) -> bytes:
    """A .keras file of ``model``, which is one of ``LAYERS``."""
    import h5py

    groups = {"1": "conv2d", "5": "batch_normalization", "9": "dense"}
    weights, file = io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as h5:
        for place in places(model.layers, SHAPE, KERAS):
            index, key = place.name.split(".")
            number = ["w", "b", "mean", "variance"].index(key)
            array = place.to_external(model.arrays()[place.name])
            h5[f"layers/{groups[index]}/vars/{number}"] = array
    entries: dict[str, dict[str, object]] = {
        "InputLayer": {"batch_shape": [None, *SHAPE]},
        "ZeroPadding2D": {"padding": [[2, 2], [2, 2]]},
        "Conv2D": {"filters": 2, "kernel_size": [2, 2]},
        "LeakyReLU": {"negative_slope": 0.1},
        "AveragePooling2D": {"pool_size": [2, 2]},
        "Activation": {"activation": "tanh"},
        "BatchNormalization": {"epsilon": 1e-5},
        "MaxPooling2D": {"pool_size": [2, 2]},
        "Flatten": {},
        "Dropout": {"rate": 0.1},
        "Dense": {"units": 3},
    }
    layers = [{"class_name": kind, "config": settings} for kind, settings in entries.items()]
    config = {"class_name": "Sequential", "config": {"layers": layers}}
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(CONFIG, json.dumps(config))
        archive.writestr(WEIGHTS, weights.getvalue())
    return file.getvalue()


def _archives(good: bytes) -> Mutator:
    """A mutator of .keras files: another value in the config, other bytes in the HDF5 or around."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        config, weights = json.loads(archive.read(CONFIG)), archive.read(WEIGHTS)

    def archive_changed(rng: Rng) -> bytes:
        chance, file = rng.random(), io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            text = json.dumps(mutations.json_changed(config, rng) if chance < 0.6 else config)
            archive.writestr(CONFIG, text)
            archive.writestr(WEIGHTS, bytes_changed(weights, rng) if chance > 0.8 else weights)
        return bytes_changed(file.getvalue(), rng) if 0.6 < chance < 0.7 else file.getvalue()

    return archive_changed


def _nodes(good: bytes) -> Mutator:
    """A mutator of ONNX files that mostly stay ONNX: a setting, a size, a name or a number."""
    import onnx

    def nodes_changed(rng: Rng) -> bytes:
        if rng.random() < 0.3:
            return bytes_changed(good, rng)
        graph = (model := onnx.ModelProto.FromString(good)).graph
        node = graph.node[rng.integers(len(graph.node))]
        constant = graph.initializer[rng.integers(len(graph.initializer))]
        match rng.integers(6):
            case 0:
                node.op_type = graph.node[rng.integers(len(graph.node))].op_type
            case 1:
                node.input.append(constant.name)
            case 2 if node.attribute:
                node.attribute[0].ints.extend([int(rng.integers(-3, 2**40))])
            case 3:
                constant.dims.append(int(rng.integers(0, 2**62)))
            case 4:
                constant.data_type = int(rng.integers(0, 30))
            case 5:
                constant.raw_data = rng.bytes(len(constant.raw_data))
        return model.SerializeToString()

    return nodes_changed


def formats(path: Path) -> dict[str, Format]:
    """The formats for ``targets.FORMATS``; ``path`` is the file that the fuzzer writes."""
    model = Sequential(layers_of(LAYERS), SHAPE)
    state = state_dict_bytes(model)
    return {
        "ONNX": _format(_nodes(onnx_bytes(model, softmax=True)), path),
        "state_dicts": _format(lambda rng: mutations.container_changed(state, rng), path, model),
        ".keras": _format(_archives(_keras_file(model)), path),
    }
