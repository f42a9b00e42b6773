"""The named networks, written once."""

from tinycnn.nn.checks import Shape
from tinycnn.nn.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, ReLU
from tinycnn.nn.model import Sequential
from tinycnn.nn.more_layers import lenet5
from tinycnn.nn.text import layers_of, network_text


def lenet(classes: int) -> list[Layer]:
    """Two 5x5 convolutions, each with ReLU and pooling (28-24-12-8-4), and two dense layers."""
    return [
        *[Conv2D(32, 5), ReLU(), MaxPool2D(2)],
        *[Conv2D(64, 5), ReLU(), MaxPool2D(2)],
        *[Flatten(), Dense(128), ReLU(), Dense(classes)],
    ]


def normed(classes: int) -> list[Layer]:
    """``lenet`` with BatchNorm while it learns; ``folding.py`` saves it without."""
    layers = lenet(classes)
    for place in (9, 6, 3):  # before all layers with weights but the first
        layers.insert(place, BatchNorm())
    return layers


def tiny(classes: int) -> list[Layer]:
    """Four 3x3 convolutions, normalized; fewer than 10,000 parameters on images of 28x28."""
    return [
        *[Conv2D(8, 3), ReLU(), BatchNorm()],
        *[Conv2D(16, 3), ReLU(), MaxPool2D(2), BatchNorm()],
        *[Conv2D(16, 3), ReLU(), MaxPool2D(2), BatchNorm()],
        *[Conv2D(24, 3), ReLU(), BatchNorm()],
        *[Flatten(), Dense(classes)],
    ]


def best(classes: int) -> list[Layer]:
    """Four convolutions (28-24-12-10-8-6-3), normalized, and dropout before the dense layers."""
    return [
        *[Conv2D(32, 5), ReLU(), MaxPool2D(2), BatchNorm()],
        *[Conv2D(64, 3), ReLU(), BatchNorm()],
        *[Conv2D(64, 3), ReLU(), BatchNorm()],
        *[Conv2D(128, 3), ReLU(), MaxPool2D(2), BatchNorm()],
        *[Flatten(), Dropout(0.3), Dense(128), ReLU(), BatchNorm()],
        *[Dropout(0.3), Dense(classes)],
    ]


def sprint(classes: int) -> list[Layer]:
    """Half of ``lenet``'s filters and one dense layer: 99 % of MNIST's digits after one epoch."""
    return [
        *[Conv2D(16, 5), ReLU(), MaxPool2D(2)],
        *[Conv2D(32, 5), ReLU(), MaxPool2D(2)],
        *[Flatten(), Dense(classes)],
    ]


def dense(classes: int) -> list[Layer]:
    """No convolution: about as many parameters as ``lenet`` on 28x28; also for rows, not images."""
    return [Flatten(), Dense(256), ReLU(), Dense(classes)]


PRESETS = {preset.__name__: preset for preset in (lenet, normed, tiny, best, sprint, dense, lenet5)}


def build(
    name: str, input_shape: Shape = (28, 28, 1), classes: int = 10, seed: int = 0
) -> Sequential:
    """Return a new network of the preset ``name``, or of layers as text; see ``text.py``."""
    layers = PRESETS[name](classes) if name in PRESETS else layers_of(name, PRESETS)
    return Sequential(layers, input_shape, seed)


def name_of(model: Sequential) -> str:
    """Return the preset with the layers of ``model``, or else their text: ``build`` takes both."""
    text, classes = network_text(model.layers), model.output_shape[-1]
    return next((n for n, preset in PRESETS.items() if network_text(preset(classes)) == text), text)
