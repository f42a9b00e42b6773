"""The layers that a reader of ONNX, Keras or PyTorch files has found so far, and refusals.

Readers raise a WeightsError that says what is wrong; ``importers`` adds which file it is in.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from tinycnn import nn
from tinycnn.errors import WeightsError
from tinycnn.exchange.layout import Arrays, Axes, places
from tinycnn.nn.checks import GRAY, Shape
from tinycnn.nn.weights import MAX_BYTES

Settings = dict[str, Any]

ACTIVATIONS: dict[str, Callable[[], nn.Layer]] = {
    "relu": nn.ReLU,
    "softmax": nn.Softmax,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),  # Keras' default
}

OF_GRAY_LEVELS = 0.1
"""An input that is multiplied by less than that is taken as 0 to 255, otherwise as 0 to 1."""


@dataclass(frozen=True)
class Part:
    """A layer or node of an untrusted file."""

    kind: str
    name: str
    settings: Settings

    def __str__(self) -> str:  # Conv2D 'first'
        return f"{shown(self.kind)[1:-1]} {shown(self.name)}"

    def require(self, supported: bool, otherwise: str) -> None:
        """Refuse the part unless it is ``supported``; ``otherwise`` says how it differs."""
        if not supported:
            refuse(f"{self} {otherwise}")

    def require_settings(self, supported: Settings) -> None:
        """Refuse settings other than the ``supported`` ones, which count where none are given."""
        for name, wanted in supported.items():
            value = simplified(self.settings.get(name, wanted))
            sound = value is None or value == wanted
            self.require(sound, f"with {name} {shown(value)} instead of {shown(wanted)}")

    def square(self, window: object) -> int:
        """Return the size of a square window, and refuse others."""
        size: int = simplified(window)
        self.require(isinstance(size, int), f"with the window {shown(size)}, which is not square,")
        return size


@dataclass
class Chain:
    """The layers so far, their arrays with ``axes`` as the file has them, and what it tells."""

    axes: Axes
    layers: list[nn.Layer] = field(default_factory=list)
    input_shape: Shape = ()
    shape: Shape = ()
    """The output shape so far, without N."""

    arrays: Arrays = field(default_factory=dict)
    epsilons: dict[int, float] = field(default_factory=dict)
    """By the index of a BatchNorm: the number that it adds to the variance, if it is not ours."""

    scale: float = 1.0
    offset: float = 0.0
    """What the file multiplies its input by, and then adds, before the first layer."""

    ended: bool = False
    """Whether a log-softmax was left out, which makes sense at the end only."""

    def start(self, shape: Shape) -> None:
        """Set the input shape; an image (H,W) has one channel."""
        self.input_shape = self.shape = (*shape, 1) if len(shape) == 2 else shape

    def prepare(self, part: Part, scale: object, offset: object = 0.0) -> None:
        """Multiply the input by ``scale`` and add ``offset``; the first layer will do that."""
        numbers = isinstance(scale, int | float) and isinstance(offset, int | float)
        part.require(numbers and not self.layers, "other than at the start, by one number,")
        self.scale, self.offset = self.scale * scale, self.offset * scale + offset  # type: ignore[operator]

    def add(self, layer: nn.Layer, **arrays: np.ndarray | None) -> None:
        """Append ``layer`` with its arrays; ShapeError if it does not fit there."""
        if self.ended:
            refuse(f"{layer} after the last softmax")
        self.shape, _ = layer.shapes(self.shape)
        if math.prod(self.shape) > MAX_BYTES:
            refuse(f"{layer} with {math.prod(self.shape):,} outputs")
        found = {key: z for key, z in arrays.items() if z is not None}
        self.arrays |= {f"{len(self.layers)}.{key}": z for key, z in found.items()}
        self.layers.append(layer)

    def activate(self, part: Part, name: object) -> None:
        """Append the layer of an activation; a log-softmax is left out, as logits do as well."""
        if name == "log_softmax":
            nn.Softmax().shapes(self.shape)
            self.ended = True
        elif isinstance(name, str) and name in ACTIVATIONS:
            self.add(ACTIVATIONS[name]())
        else:
            part.require(name in (None, "linear"), f"with the activation {shown(name)}")

    def pad(self, before: int, after: int) -> None:
        """Append a ZeroPad2D, if it does anything."""
        if before or after:
            self.add(nn.ZeroPad2D(before, after))

    def add_pool(self, kind: Callable[..., nn.Layer], part: Part, window: str, same: bool) -> None:
        """Append a pooling layer, whose windows must lie side by side; ``same``: it pads."""
        size = part.square(part.settings[window])
        strides = simplified(part.settings.get("strides") or size)
        part.require(strides == size, f"with strides {shown(strides)} instead of {size}")
        whole = not any(z % size for z in self.shape[:2])
        part.require(whole or not same, "with padding of an image that it does not divide")
        self.add(kind(size))

    def add_batch_norm(self, epsilon: float, **arrays: np.ndarray) -> None:
        """Append a BatchNorm that adds ``epsilon`` to the variance."""
        self.epsilons[len(self.layers)] = epsilon
        self.add(nn.BatchNorm(), **arrays)

    def flatten(self) -> None:
        """Append a Flatten, unless the output is a row already."""
        if len(self.shape) > 1:
            self.add(nn.Flatten())

    def reshape(self, part: Part, target: Sequence[int]) -> None:
        """Reshape the output to a row; or the input, if it stays the same gray image."""
        sizes, wanted = ([z for z in shape if z != 1] for shape in (self.shape, target))
        row, size = len(self.shape) == 1, math.prod(self.shape)
        if list(target) in ([-1], [size]):
            self.flatten()
        elif not self.layers and (sizes == wanted or (row and math.prod(wanted) == size)):
            self.start(tuple(target))
        else:
            refuse(f"{part} into {shown(target)}")

    def final_arrays(self) -> Arrays:
        """Return the arrays as they are here, with zeros for a bias that the file leaves out."""
        arrays = dict(self.arrays)
        for place in places(self.layers, self.input_shape, self.axes):
            if place.name in arrays:
                arrays[place.name] = place.from_external(arrays[place.name])
            elif place.name.endswith(".b") and f"{place.name[:-1]}w" in arrays:
                arrays[place.name] = np.zeros(place.shape, np.float32)
        self._fold_preparation(arrays)
        self._fold_epsilons(arrays)
        return arrays

    def _fold_epsilons(self, arrays: Arrays) -> None:
        """Let the variance take up the difference of epsilons, as only their sum matters."""
        for index, layer in enumerate(self.layers):
            name, epsilon = f"{index}.variance", self.epsilons.get(index, nn.BatchNorm.EPSILON)
            if not isinstance(layer, nn.BatchNorm) or name not in arrays:
                continue
            variance = arrays[name].astype(np.float64) + (epsilon - nn.BatchNorm.EPSILON)
            if variance.min(initial=0) < 0:
                least = arrays[name].min()
                refuse(f"a BatchNorm with epsilon {epsilon:g} and a variance of {least:g}")
            arrays[name] = variance.astype(np.float32)

    def _fold_preparation(self, arrays: Arrays) -> None:
        """Let the first weights do what the file does to its input; ours is from 0 to 1.

        w * (a * x + c) + b = (a * w) * x + (b + c * w)
        """
        a, c = self.scale, self.offset
        if abs(a) < OF_GRAY_LEVELS:
            a /= float(GRAY)
        if math.isclose(a, 1, rel_tol=1e-6) and not c:
            return
        passes = nn.Flatten | nn.Dropout if c else nn.Flatten | nn.Dropout | nn.ZeroPad2D
        index = next((i for i, z in enumerate(self.layers) if not isinstance(z, passes)), 0)
        first = self.layers[index] if self.layers else "nothing"
        if f"{index}.w" not in arrays or not isinstance(first, nn.Conv2D | nn.Dense):
            refuse(f"an input that is normalized before {first}, not before a convolution,")
        w = arrays[f"{index}.w"].astype(np.float64)
        shift = c * w.sum(axis=(1, 2, 3) if isinstance(first, nn.Conv2D) else 0)
        arrays[f"{index}.w"] = (a * w).astype(np.float32)
        arrays[f"{index}.b"] = (arrays[f"{index}.b"] + shift).astype(np.float32)


def same_padding(size: int) -> tuple[int, int]:
    """Return the zeros before and behind an image that a window of ``size`` leaves as large."""
    return (size - 1) // 2, size // 2


def refuse(what: str) -> NoReturn:
    """Raise the WeightsError for a part of a file that has no counterpart in this library."""
    raise WeightsError(f"{what} is not supported")


def shown(value: object) -> str:
    """Return a name or number from an untrusted file, short enough for a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def simplified(value: Any) -> Any:
    """Return bytes as text, and one number for a list of equal ones: [2, 2] -> 2."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list | tuple) and value and all(z == value[0] for z in value):
        return value[0]
    return value
