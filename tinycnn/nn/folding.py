"""BatchNorm helps a network to learn; to answer, the layer behind it can do its work as well."""

import copy

from tinycnn.nn.layers import BatchNorm, Conv2D, Dense, Flatten, Layer
from tinycnn.nn.model import Sequential

FOLDED = ("normed",)
"""The presets that are saved without BatchNorm."""


def fold(model: Sequential) -> Sequential:
    """Return a network without BatchNorm that answers as ``model`` does, up to rounding.

    In inference BatchNorm is scale * x + shift for each channel. A convolution or dense layer
    behind it multiplies its weights by scale instead, and adds what they make of shift to its
    bias. A BatchNorm that has no such layer behind it stays.
    """
    rest: list[Layer] = list(copy.deepcopy(model.layers))
    kept: list[Layer] = []
    while rest:
        match rest:
            case [BatchNorm() as norm, Conv2D() | Dense() as behind, *_]:
                _take_over(behind, norm)
            case [BatchNorm() as norm, Flatten(), Dense() as behind, *_]:
                _take_over(behind, norm)
            case _:
                kept.append(rest[0])
        del rest[0]
    values = [layer.params | layer.state for layer in kept]
    folded = Sequential(kept, model.input_shape)
    folded.any_floats, folded.description = model.any_floats, model.description
    for layer, arrays in zip(folded.layers, values, strict=True):
        for key, z in (layer.params | layer.state).items():
            z[...] = arrays[key]
    return folded


def _take_over(layer: Layer, norm: BatchNorm) -> None:
    """Give ``layer``, a convolution or dense, the work of ``norm`` before it."""
    scale = norm.params["w"] / norm.deviation()
    shift = norm.params["b"] - scale * norm.state["mean"]
    w, b = layer.params["w"], layer.params["b"]
    if w.ndim == 2:  # (D,units), in which D runs through the channels again and again
        w = w.reshape(-1, len(scale), w.shape[1]).transpose(2, 0, 1)  # (units,places,C)
    b += (w * shift).reshape(len(b), -1).sum(axis=1)
    w *= scale
