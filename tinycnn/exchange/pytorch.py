"""PyTorch's state_dict in safetensors: write one and the module that it is for, and read one.

A state_dict does not describe its network, so to read one, the layers have to be known. Names as
``nn.Sequential`` gives them are indices of layers. Otherwise each name up to its last point is a
module, and modules go to the layers that have such weights; among equal shapes, in the order of the
numbers in their names.
"""

import copy
import itertools
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy

from tinycnn import nn
from tinycnn.errors import WeightsError
from tinycnn.exchange.chain import Chain, refuse, shown
from tinycnn.exchange.layout import NAMES, PYTORCH, Arrays, Place, in_pytorch, places, with_shapes
from tinycnn.exchange.metadata import metadata_of
from tinycnn.nn import Sequential
from tinycnn.nn.weights import opened

COUNTER = "num_batches_tracked"  # by PyTorch's BatchNorm


class Module(NamedTuple):
    """A module of PyTorch by its class and arguments; as text it is the code that makes it."""

    kind: str
    arguments: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"nn.{self.kind}({', '.join(map(str, self.arguments))})"

    def made_by(self, nn: Any) -> Any:
        """Return the module; ``nn`` is PyTorch's."""
        arguments = (z.made_by(nn) if isinstance(z, Module) else z for z in self.arguments)
        return getattr(nn, self.kind)(*arguments)


def modules_of(model: Sequential) -> list[Module]:
    """Return the modules that do what the layers of ``model`` do."""
    found = with_shapes(model.layers, model.input_shape)
    return [_module(layer, shape[-1], max(1, len(shape) - 1)) for layer, shape in found]


def _module(layer: nn.Layer, C: int, rank: int) -> Module:
    kind, arguments = type(layer).__name__, tuple(layer.config().values())
    match layer:
        case nn.BatchNorm():
            return Module(f"BatchNorm{rank}d", (C,))
        case nn.Conv2D() | nn.Dense():
            return Module("Conv2d" if isinstance(layer, nn.Conv2D) else "Linear", (C, *arguments))
        case nn.GlobalAveragePool2D():
            return Module("Sequential", (Module("AdaptiveAvgPool2d", (1,)), Module("Flatten")))
        case nn.ZeroPad2D(before=before, after=after):
            return Module("ZeroPad2d", ((before, after, before, after),))
        case nn.Softmax():
            return Module("Softmax", (1,))
    return Module(kind.replace("AveragePool2D", "AvgPool2d").replace("2D", "2d"), arguments)


KINDS = [{"weight", "bias"}, {"weight"}, {*NAMES.values()}]
"""The arrays of supported modules: Conv2d or Linear, with or without bias, and BatchNorm."""

Modules = dict[str, Arrays]


def state_dict_bytes(model: Sequential) -> bytes:
    """Return the state_dict of ``modules_of`` the model as a safetensors file.

    Its names and axes are those of ``nn.Sequential``: x (N,C,H,W), filters (F,C,KH,KW), Flatten
    from (C,H,W), Linear (K,D). Equal models give equal bytes.
    """
    arrays = in_pytorch(model)
    for index, layer in enumerate(model.layers):
        if isinstance(layer, nn.BatchNorm):
            arrays[f"{index}.{COUNTER}"] = np.zeros((), np.int64)
    notes = json.dumps(metadata_of(model), sort_keys=True)
    return safetensors.numpy.save(arrays, {"notes": notes})


def read_state_dict(path: Path, known: Sequential | None) -> Chain:
    """Return the ``known`` network with the arrays of a state_dict."""
    modules = _read_modules(path)
    if known is None:
        raise WeightsError("it does not describe its layers; name them with --preset or --like")
    chain = Chain(PYTORCH, copy.deepcopy([*known.layers]), known.input_shape)
    ours: dict[str, list[Place]] = defaultdict(list)
    for place in places(chain.layers, chain.input_shape, PYTORCH):
        ours[place.name.split(".")[0]].append(place)
    if {*modules} != {*ours}:  # otherwise nn.Sequential has numbered the layers, as we do
        modules = {index: modules[name] for index, name in _assigned(ours, modules).items()}
    for place in itertools.chain(*ours.values()):
        index, name = place.in_pytorch.split(".")
        if name in modules[index]:  # it may have no bias
            chain.arrays[place.name] = modules[index][name]
    return chain


def _read_modules(path: Path) -> Modules:
    """Return the arrays of a state_dict by module."""
    modules: Modules = defaultdict(dict)
    with opened(path) as file:
        if "tinycnn" in (file.metadata() or {}):
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
    return dict(modules)


def _assigned(ours: dict[str, list[Place]], modules: Modules) -> dict[str, str]:
    """Return the module for each layer; WeightsError if that is not clear."""
    wanted = {index: _form(z[0].shape_there, len(z) > 2) for index, z in ours.items()}
    present: dict[str, list[str]] = defaultdict(list)
    padded = {name: re.sub(r"\d+", lambda digits: digits[0].zfill(20), name) for name in modules}
    for name in sorted(modules, key=padded.__getitem__):  # conv10 after conv9
        z = modules[name]
        present[_form(z["weight"].shape, len(z) > 2)].append(name)
    for form in dict.fromkeys([*wanted.values(), *present]):
        names, count = present[form], [*wanted.values()].count(form)
        if len(names) != count:
            raise WeightsError(f"it holds {len(names)} {form}, and the network has {count}")
        if len({re.sub(r"\d+", "", name) for name in names}) > 1:
            raise WeightsError(f"which comes first of {shown(names)}? Name them by their order")
    return {index: present[form].pop(0) for index, form in wanted.items()}


def _form(weight: tuple[int, ...], normalizes: bool) -> str:
    """Describe a module by the properties that decide which layer it fits."""
    kind = "BatchNorm" if normalizes else {4: "Conv2d", 2: "Linear"}.get(len(weight), "module")
    return f"{kind} with weight {weight}"
