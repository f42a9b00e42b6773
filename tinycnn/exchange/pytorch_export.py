"""A network as PyTorch's: a safetensors state_dict, and the lines that rebuild the module."""

import math

import numpy as np
import safetensors.numpy

from tinycnn.exchange.code import Program
from tinycnn.exchange.layout import Place, channels_first, first, left
from tinycnn.exchange.metadata import NOTES, notes_text
from tinycnn.nn import BatchNorm, Conv2D, Dense, Dropout, Flatten, MaxPool2D, Sequential, Softmax

BATCHES = "num_batches_tracked"
"""What BatchNorm counts in PyTorch, and nobody here."""


def pytorch_files(model: Sequential, name: str) -> dict[str, bytes]:
    """Return the state_dict, to be called ``name``, and the program that makes a module of it.

    ``network.state_dict()`` has these names and these axes: x (N,C,H,W), filters (F,C,KH,KW),
    Flatten from (C,H,W), Linear (K,D). Equal models give equal bytes.
    """
    places = list(channels_first(model.layers, model.input_shape))
    arrays = left(model, (z for place in places for z in place.arrays))
    for place in places:
        if isinstance(place.layer, BatchNorm):
            arrays[f"{place.index}.{BATCHES}"] = np.zeros((), np.int64)
    program = Program(
        weights=name,
        framework="PyTorch",
        input_shape=first(model.input_shape),
        imports="from safetensors.torch import load_file\nfrom torch import nn",
        opening="network = nn.Sequential(",
        layers=tuple(_code(place) for place in places),
        closing=")",
        loading="network.load_state_dict(load_file({weights}))\nnetwork.eval()",
    )
    payload = safetensors.numpy.save(arrays, {NOTES: notes_text(model, "NCHW")})
    return {name: payload, program.name: program.text().encode()}


def _code(place: Place) -> str:
    """The module that does what a layer does."""
    layer, shape = place.layer, place.input_shape
    match layer:
        case Conv2D():
            return f"nn.Conv2d({shape[-1]}, {layer.filters}, {layer.kernel_size})"
        case MaxPool2D():
            return f"nn.MaxPool2d({layer.size})"
        case Dense():
            return f"nn.Linear({shape[0]}, {layer.units})"
        case BatchNorm():
            return f"nn.BatchNorm{max(1, len(shape) - 1)}d({shape[-1]})"
        case Dropout():
            return f"nn.Dropout({layer.rate})"
        case Softmax():
            return "nn.Softmax(1)"
        case Flatten() if place.rearranges:  # what was (C, H*W) becomes (H*W, C)
            D = math.prod(shape)
            turned = f"nn.Unflatten(1, ({D}, 1)), nn.ChannelShuffle({shape[-1]})"
            return f"nn.Sequential(nn.Flatten(), {turned}, nn.Flatten())"
        case _:
            return f"nn.{type(layer).__name__}()"
