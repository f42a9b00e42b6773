"""What layers are called in Keras, and where their numbers stand in its HDF5 files.

Channels come last there as here, so arrays only turn their axes. A file has a group for every
layer, named after its kind and counted: layers/conv2d, layers/conv2d_1.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tinycnn.exchange.layout import Turned
from tinycnn.nn import BatchNorm, Conv2D, Dense, Dropout, Layer, MaxPool2D

VARIABLES: dict[type[Layer], list[tuple[str, tuple[int, ...]]]] = {
    Conv2D: [("w", (1, 2, 3, 0)), ("b", (0,))],  # (F,KH,KW,C) -> (KH,KW,C,F)
    Dense: [("w", (0, 1)), ("b", (0,))],
    BatchNorm: [("w", (0,)), ("b", (0,)), ("mean", (0,)), ("variance", (0,))],
}
"""The arrays of a layer in Keras' order, and how their axes are turned on the way there."""

GROUPS = {Conv2D: "conv2d", Dense: "dense", BatchNorm: "batch_normalization", Dropout: "dropout"}


def keras_layer(layer: Layer) -> tuple[str, dict[str, Any]]:
    """Return the class that does in Keras what ``layer`` does, and its arguments."""
    match layer:
        case Conv2D():
            return "Conv2D", {"filters": layer.filters, "kernel_size": layer.kernel_size}
        case MaxPool2D():
            return "MaxPooling2D", {"pool_size": layer.size}
        case BatchNorm():
            return "BatchNormalization", {"momentum": 1 - layer.FOLLOW, "epsilon": layer.EPSILON}
        case _:
            return type(layer).__name__, dict(layer.config())


def groups(layers: Sequence[Layer]) -> Iterator[str]:
    """Yield the group of each layer, "" for one without numbers."""
    seen: Counter[str] = Counter()
    for layer in layers:
        name = GROUPS.get(type(layer), "")
        yield f"layers/{name}_{seen[name]}".removesuffix("_0") if name else ""
        seen[name] += 1


def channels_last(layers: Sequence[Layer]) -> Iterator[Turned]:
    """Yield the arrays of the layers with Keras' names: "layers/conv2d_1/vars/0"."""
    for index, (layer, group) in enumerate(zip(layers, groups(layers), strict=True)):
        for number, (key, axes) in enumerate(VARIABLES.get(type(layer), [])):
            yield Turned(f"{group}/vars/{number}", f"{index}.{key}", axes)
