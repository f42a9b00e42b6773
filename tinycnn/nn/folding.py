"""A network that has learned with BatchNorm can be saved without; see ``fusion.py``."""

import copy

from tinycnn.nn.fusion import absorb, folded
from tinycnn.nn.model import Sequential

FOLDED = ("normed",)
"""The presets that are saved without BatchNorm."""


def fold(model: Sequential) -> Sequential:
    """Return a network that answers as ``model`` does, up to rounding, without BatchNorm.

    One that has no convolution or dense layer beside it stays.
    """
    kept, taken = absorb(copy.deepcopy(model.layers), lambda layer: True)
    for norm, layer, before in taken:
        layer.params["w"], layer.params["b"] = folded(norm, **layer.params, before=before)
    values = [layer.params | layer.state for layer in kept]
    twin = Sequential(kept, model.input_shape)
    twin.any_floats, twin.description = model.any_floats, model.description
    for layer, arrays in zip(twin.layers, values, strict=True):
        for key, z in (layer.params | layer.state).items():
            z[...] = arrays[key]
    return twin
