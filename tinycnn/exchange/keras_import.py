"""What a .keras file says of its network: a row of layers with their settings, in JSON."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tinycnn.exchange.reading import (
    Settings,
    check_settings,
    is_preparation,
    is_same_image,
    named,
    refuse,
    simplified,
    told,
)
from tinycnn.nn import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, ReLU, Softmax
from tinycnn.nn.layers import Shape

_WINDOW = {"padding": "valid", "data_format": "channels_last"}

ONLY: dict[str, Settings] = {
    "InputLayer": {"sparse": False, "ragged": False},
    "Rescaling": {"offset": 0.0},
    "Reshape": {},
    "Conv2D": {"strides": 1, "dilation_rate": 1, "groups": 1, **_WINDOW},
    "MaxPooling2D": _WINDOW,
    "BatchNormalization": {"center": True, "scale": True},
    "Dropout": {"noise_shape": None},
    "Flatten": {"data_format": "channels_last"},
    "Dense": {},
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "Softmax": {"axis": -1},
    "Activation": {},
}
"""The layers that have an equal here, and the only settings that have one."""

ACTIVATIONS: dict[str, Callable[[], Layer]] = {"relu": ReLU, "softmax": Softmax}


@dataclass
class Network:
    """What is built up while layer after layer is read; ``shape`` is what comes out so far."""

    layers: list[Layer] = field(default_factory=list)
    input_shape: Shape = ()
    shape: Shape = ()
    epsilons: dict[int, float] = field(default_factory=dict)
    """By the number of a BatchNorm layer."""

    prepares: bool = False
    """Whether gray levels are multiplied by 1/255 before the first layer."""

    def start(self, shape: Shape) -> None:
        """Say what goes in; an image (H,W) has one channel."""
        self.input_shape = self.shape = (*shape, 1) if len(shape) == 2 else shape

    def add(self, layer: Layer) -> None:
        """Put ``layer`` at the end; ShapeError if it does not fit there."""
        self.shape, _ = layer.shapes(self.shape)
        self.layers.append(layer)


def read_config(config: Any) -> Network:
    """Return the network that the ``config.json`` of a .keras file describes.

    A Sequential, or a Functional that is a row of layers. Raises WeightsError for whatever has no
    equal here, and any exception for what is no such config.
    """
    model, inner = config["class_name"], config["config"]
    if model not in ("Sequential", "Functional"):
        refuse(f"a model of the class {told(model)}")
    network = Network()
    for entry in inner["layers"]:
        settings = entry["config"]
        kind = str(entry["class_name"])
        where = named(kind, settings.get("name", ""))
        if kind not in ONLY:
            refuse(f"the layer {where}")
        check_settings(where, settings, ONLY[kind])
        _read_layer(network, kind, settings, where)
    if model == "Functional":
        _refuse_branches(inner)
    return network


def _read_layer(network: Network, kind: str, settings: Settings, where: str) -> None:
    match kind:
        case "InputLayer":
            network.start(tuple(settings["batch_shape"][1:]))
        case "Rescaling":
            if network.layers or network.prepares or not is_preparation(settings["scale"]):
                refuse(f"{where}: other than by 1/255, once, in the beginning,")
            network.prepares = True
        case "Reshape":
            _reshape(network, tuple(settings["target_shape"]), where)
        case "Conv2D":
            kernel = simplified(settings["kernel_size"])
            network.add(Conv2D(settings["filters"], _square(kernel, where)))
        case "MaxPooling2D":
            size = _square(simplified(settings["pool_size"]), where)
            check_settings(where, settings, {"strides": size})
            network.add(MaxPool2D(size))
        case "BatchNormalization":
            if simplified(settings.get("axis", -1)) not in (-1, len(network.shape)):
                refuse(f"{where}: axis {told(settings['axis'])}")
            network.epsilons[len(network.layers)] = float(settings.get("epsilon", 1e-3))
            network.add(BatchNorm())
        case "Dense":
            network.add(Dense(settings["units"]))
        case "Dropout":
            network.add(Dropout(settings["rate"]))
        case "Flatten" | "ReLU" | "Softmax":
            network.add({"Flatten": Flatten, "ReLU": ReLU, "Softmax": Softmax}[kind]())
    _activate(network, settings.get("activation", "linear"), where)


def _activate(network: Network, name: object, where: str) -> None:
    """Keras puts into the settings of a layer what is a layer of its own here."""
    if isinstance(name, str) and name in ACTIVATIONS:
        network.add(ACTIVATIONS[name]())
    elif name != "linear":
        refuse(f"{where}: activation {told(name)}")


def _reshape(network: Network, target: Shape, where: str) -> None:
    if not network.layers and is_same_image(network.shape, target):
        network.start(target)
    elif target in [(-1,), (math.prod(network.shape),)]:
        network.add(Flatten())
    else:
        refuse(f"{where}: into {told(target)}")


def _square(size: object, where: str) -> int:
    if not isinstance(size, int):
        refuse(f"{where}: a window of {told(size)}, which is no square,")
    return size


def _refuse_branches(model: Any) -> None:
    """Every layer must get what the one before it gives, and the last one be the output."""
    before: list[str] = []
    for entry in model["layers"]:
        if list(_sources(entry["inbound_nodes"])) != before:
            refuse(f"{told(entry['name'])}: a layer that does not take what the one before gives")
        before = [entry["name"]]
    if not {*before} & {*_names(model["output_layers"])}:
        refuse("a model whose output is not that of its last layer")


def _sources(nodes: Any) -> Iterator[str]:
    """Yield the names of the layers that a layer's input comes from."""
    if isinstance(nodes, dict) and "keras_history" in nodes:
        yield nodes["keras_history"][0]
    elif isinstance(nodes, dict | list):
        for inner in nodes.values() if isinstance(nodes, dict) else nodes:
            yield from _sources(inner)


def _names(outputs: Any) -> list[str]:
    """["dense", 0, 0] and [["dense", 0, 0]] -> ["dense"]."""
    return [z[0] for z in (outputs if isinstance(outputs[0], list) else [outputs])]
