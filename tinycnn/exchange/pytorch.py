"""PyTorch's state_dict in safetensors: write one with code that builds its module, and read one.

A state_dict does not describe its network, so to read one, the layers have to be known. Names as
``nn.Sequential`` gives them are indices of layers. Otherwise each name up to its last point is a
module, and modules go to the layers that have such weights; among equal shapes, in the order of the
numbers in their names.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import safetensors.numpy

from tinycnn.errors import WeightsError
from tinycnn.exchange.code import rebuilding_code
from tinycnn.exchange.layout import (
    PlacedLayer,
    channels_first,
    external_arrays,
    to_channels_first,
)
from tinycnn.exchange.metadata import KEY, Metadata, metadata_json, parse_metadata
from tinycnn.exchange.reading import Arrays, ImportedModel, KnownNetwork, known_model, refuse, shown
from tinycnn.nn import BatchNorm, Sequential
from tinycnn.nn.checks import Shape
from tinycnn.nn.weights import opened

COUNTER = "num_batches_tracked"
"""PyTorch's BatchNorm counts batches; ours does not."""

_MODULES = {
    "AveragePool2D": "AvgPool2d({layer.size})",
    "BatchNorm": "BatchNorm{rank}d({C})",
    "Conv2D": "Conv2d({C}, {layer.filters}, {layer.kernel_size})",
    "Dense": "Linear({C}, {layer.units})",
    "Dropout": "Dropout({layer.rate})",
    "Flatten": "Flatten()",
    "GlobalAveragePool2D": "Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())",
    "LeakyReLU": "LeakyReLU({layer.slope})",
    "MaxPool2D": "MaxPool2d({layer.size})",
    "ReLU": "ReLU()",
    "Sigmoid": "Sigmoid()",
    "Softmax": "Softmax(1)",
    "Tanh": "Tanh()",
    "ZeroPad2D": "ZeroPad2d(({layer.before}, {layer.after}, {layer.before}, {layer.after}))",
}
"""The modules that do what our layers do, for an input with C channels or numbers."""

STATISTICS = "running_mean", "running_var"

KINDS = [{"weight", "bias"}, {"weight"}, {"weight", "bias", *STATISTICS}]
"""The arrays of supported modules: Conv2d or Linear, with or without bias, and BatchNorm."""

Modules = dict[str, Arrays]


def pytorch_files(model: Sequential, name: str) -> dict[str, bytes]:
    """Return the state_dict, to be called ``name``, and the code that builds a module for it.

    ``network.state_dict()`` has these names and these axes: x (N,C,H,W), filters (F,C,KH,KW),
    Flatten from (C,H,W), Linear (K,D). Equal models give equal bytes.
    """
    placed = list(channels_first(model.layers, model.input_shape))
    arrays = external_arrays(model, (array for z in placed for array in z.arrays))
    for z in placed:
        if isinstance(z.layer, BatchNorm):
            arrays[f"{z.index}.{COUNTER}"] = np.zeros((), np.int64)
    payload = safetensors.numpy.save(arrays, {KEY: metadata_json(model, "NCHW")})
    return {name: payload} | rebuilding_code(
        weights=name,
        framework="PyTorch",
        input_shape=to_channels_first(model.input_shape),
        imports="from safetensors.torch import load_file\nfrom torch import nn",
        network="nn.Sequential({})",
        layers=map(_module, placed),
        loading="network.load_state_dict(load_file({weights}))\nnetwork.eval()",
    )


def _module(placed: PlacedLayer) -> str:
    """Return the code of the module that does what a layer does."""
    layer, shape = placed.layer, placed.input_shape
    rank = max(1, len(shape) - 1)
    return "nn." + _MODULES[type(layer).__name__].format(layer=layer, C=shape[-1], rank=rank)


def read_state_dict(path: Path, known: KnownNetwork | None) -> ImportedModel:
    """Return the ``known`` network with the arrays of a state_dict.

    A BatchNorm's epsilon is PyTorch's default, which is also ours, unless ``known`` has another.
    """
    modules, metadata = _read_modules(path)
    matrices = [z["weight"].shape[::-1] for z in modules.values() if z["weight"].ndim == 2]
    model = known_model(known, matrices, metadata)
    placed = [z for z in channels_first(model.layers, model.input_shape) if z.arrays]
    forms = [
        _form(tuple(z.shapes["w"][axis] for axis in z.arrays[0].axes), len(z.arrays) > 2)
        for z in placed
    ]
    names = _assigned(forms, modules)
    if set(modules) == {str(z.index) for z in placed}:  # nn.Sequential numbers layers as we do
        names = sorted(modules, key=int)
    for z, name in zip(placed, names, strict=True):
        for array in z.arrays:
            there = modules[name].get(array.external.rpartition(".")[2])
            if there is None:  # the module has no bias
                there = np.zeros(z.shapes["b"], np.float32)
            model.arrays[array.name] = array.from_external(there)
    return model


def _read_modules(path: Path) -> tuple[Modules, Metadata]:
    """Return the arrays of a state_dict by module, and its metadata if tinycnn wrote it."""
    modules: Modules = defaultdict(dict)
    with opened(path) as file:
        metadata = file.metadata() or {}
        if "tinycnn" in metadata:
            raise WeightsError("it is a weights file of tinycnn already")
        for name in file.keys():  # noqa: SIM118 - it is not a dict
            module, _, key = name.rpartition(".")
            if key == COUNTER:
                continue
            kind = file.get_slice(name).get_dtype()
            if kind != "F32":
                raise WeightsError(f"{shown(name)} is {kind}, expected F32; save model.float()")
            modules[module][key] = file.get_tensor(name)
    for name, module in modules.items():
        if set(module) not in KINDS:
            refuse(f"module {shown(name)} with {shown(sorted(module))}")
    return dict(modules), parse_metadata(metadata.get(KEY))


def _form(weight: Shape, normalizes: bool) -> str:
    """Describe a module by the properties that decide which layer it fits."""
    kind = "BatchNorm" if normalizes else {4: "Conv2d", 2: "Linear"}.get(len(weight), "module")
    return f"{kind} with weight {weight}"


def _assigned(wanted: Sequence[str], modules: Modules) -> list[str]:
    """Return the name of a module for each wanted form; WeightsError if that is not clear."""
    present: dict[str, list[str]] = defaultdict(list)
    padded = {name: re.sub(r"\d+", lambda digits: digits[0].zfill(20), name) for name in modules}
    for name in sorted(modules, key=padded.__getitem__):  # conv10 after conv9
        z = modules[name]
        present[_form(z["weight"].shape, STATISTICS[0] in z)].append(name)
    for form in dict.fromkeys([*wanted, *present]):
        names, count = present[form], wanted.count(form)
        if len(names) != count:
            raise WeightsError(f"it holds {len(names)} {form}, and the network has {count}")
        if len({re.sub(r"\d+", "", name) for name in names}) > 1:
            raise WeightsError(f"which comes first of {shown(names)}? Name them by their order")
    return [present[form].pop(0) for form in wanted]
