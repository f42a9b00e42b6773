"""A state_dict of PyTorch's in a safetensors file: which of its arrays belong to which layer.

The file does not say what the network is; the layers have to be known. Names as ``nn.Sequential``
gives them are taken by their numbers. Otherwise what stands before the last point is a module, and
modules go to the layers that have such weights; where several have, by the numbers in their names.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycnn.errors import WeightsError
from tinycnn.exchange.layout import Place, channels_first
from tinycnn.exchange.metadata import NOTES, Notes, our_notes
from tinycnn.exchange.reading import Found, refuse, told
from tinycnn.nn import Layer
from tinycnn.nn.layers import Shape
from tinycnn.nn.weights import Opened

COUNTER = "num_batches_tracked"
STATISTICS = "running_mean", "running_var"

KINDS = [{"weight", "bias"}, {"weight"}, {"weight", "bias", *STATISTICS}]
"""What the modules hold that have an equal here: Conv2d or Linear, also without bias; BatchNorm."""

Module = dict[str, np.ndarray]
Modules = dict[str, Module]


def read_modules(path: Path) -> tuple[Modules, Notes]:
    """Return the modules of a state_dict by name, and our notes, if there are any."""
    modules: Modules = defaultdict(dict)
    with Opened(path) as file:
        metadata = file.metadata() or {}
        if "tinycnn" in metadata:
            raise WeightsError("this is a weights file of tinycnn already")
        for name in file.keys():  # noqa: SIM118 - it is no dict
            module, _, key = name.rpartition(".")
            if key == COUNTER:
                continue
            kind = file.get_slice(name).get_dtype()
            if kind != "F32":
                raise WeightsError(f"{told(name)} is {kind}, expected F32; save model.float()")
            modules[module][key] = file.get_tensor(name)
    for name, module in modules.items():
        if set(module) not in KINDS:
            refuse(f"module {told(name)} with {told(sorted(module))}")
    return dict(modules), our_notes(metadata.get(NOTES))


def matrices_of(modules: Modules) -> list[Shape]:
    """Return the shapes (D,K) of the Linear modules."""
    return [z["weight"].shape[::-1] for z in modules.values() if z["weight"].ndim == 2]


def fill(
    modules: Modules,
    notes: Notes,
    layers: Sequence[Layer],
    input_shape: Shape,
    epsilon: float | None = None,
) -> Found:
    """Return the network that ``layers`` are, with the numbers of ``modules``.

    ``epsilon``: of its BatchNorm, if that is not PyTorch's own, which is also ours.
    """
    places = [place for place in channels_first(layers, input_shape) if place.arrays]
    shapes = [place.layer.shapes(place.input_shape)[1] for place in places]
    names = _assigned([_form_there(*z) for z in zip(places, shapes, strict=True)], modules)
    if set(modules) == {str(place.index) for place in places}:  # nn.Sequential counts as we do
        names = sorted(modules, key=int)
    arrays = {}
    for place, shape, name in zip(places, shapes, names, strict=True):
        for z in place.arrays:
            there = modules[name].get(z.there.rpartition(".")[2])
            arrays[z.here] = np.zeros(shape["b"], np.float32) if there is None else z.enter(there)
    found = Found(list(layers), input_shape, arrays, notes)
    for place in places:
        if epsilon is not None:
            found.change_epsilon(place.index, epsilon)
    return found


@dataclass(frozen=True)
class _Form:
    """What modules are told apart by."""

    weight: Shape
    normalizes: bool

    def __str__(self) -> str:
        kind = "BatchNorm" if self.normalizes else {4: "Conv2d", 2: "Linear"}.get(len(self.weight))
        return f"{kind or 'module'} with weight {told(self.weight)}"


def _form_there(place: Place, shapes: dict[str, Shape]) -> _Form:
    weight = place.arrays[0].leave(np.empty(shapes["w"], np.float32))
    return _Form(weight.shape, len(place.arrays) > 2)


def _assigned(wanted: Sequence[_Form], modules: Modules) -> list[str]:
    """Return a name for each of the wanted modules; WeightsError if it is not clear which."""
    present: dict[_Form, list[str]] = defaultdict(list)
    for name in sorted(modules, key=_by_numbers):
        z = modules[name]
        present[_Form(z["weight"].shape, STATISTICS[0] in z)].append(name)
    for form in dict.fromkeys([*wanted, *present]):
        names, count = present[form], wanted.count(form)
        if len(names) != count:
            raise WeightsError(f"it holds {len(names)} {form}, and the network has {count}")
        if len({re.sub(r"\d+", "", name) for name in names}) > 1:
            raise WeightsError(f"which comes first of {told(names)}? Name them by their order")
    return [present[form].pop(0) for form in wanted]


def _by_numbers(name: str) -> list[tuple[bool, int, str]]:
    """So that conv10 comes after conv9."""
    return [(z.isdigit(), int(z) if z.isdigit() else 0, z) for z in re.findall(r"\d+|\D+", name)]
