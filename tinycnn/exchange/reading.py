"""The parts that readers of ONNX, Keras and PyTorch files share: their model, and refusals.

Readers raise a WeightsError that says what is wrong; ``importers`` adds which file it is in.
"""

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from tinycnn import nn
from tinycnn.errors import WeightsError
from tinycnn.exchange.metadata import Metadata
from tinycnn.nn.checks import GRAY, Shape

Arrays = dict[str, np.ndarray]
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
class ExternalLayer:
    """A layer or node of an untrusted file."""

    kind: str
    name: str
    settings: Settings

    def __str__(self) -> str:  # Conv2D 'first'
        return f"{shown(self.kind)[1:-1]} {shown(self.name)}"

    def require(self, supported: bool, otherwise: str) -> None:
        """Refuse the layer unless ``supported``; ``otherwise`` says how it differs."""
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
        size = simplified(window)
        if not isinstance(size, int):
            refuse(f"{self} with the window {shown(size)}, which is not square,")
        return size


@dataclass
class ImportedModel:
    """A chain of layers that grows while a file is read, with arrays named and laid out as here."""

    layers: list[nn.Layer] = field(default_factory=list)
    input_shape: Shape = ()
    shape: Shape = ()
    """The output shape so far, without N."""

    arrays: Arrays = field(default_factory=dict)
    epsilons: dict[int, float] = field(default_factory=dict)
    """By the index of a BatchNorm: the number that it adds to the variance, if it is not ours."""

    metadata: Metadata = field(default_factory=dict)
    scale: float = 1.0
    offset: float = 0.0
    """What the file multiplies its input by, and then adds, before the first layer."""

    ended: bool = False
    """Whether something was read and left out that makes sense at the end only."""

    def start(self, shape: Shape) -> None:
        """Set the input shape; an image (H,W) has one channel."""
        self.input_shape = self.shape = (*shape, 1) if len(shape) == 2 else shape

    def prepare(self, external: ExternalLayer, scale: object, offset: object = 0.0) -> None:
        """Multiply the input by ``scale`` and add ``offset``; the first layer will do that."""
        numbers = isinstance(scale, int | float) and isinstance(offset, int | float)
        external.require(numbers and not self.layers, "other than at the start, by one number,")
        self.scale, self.offset = self.scale * scale, self.offset * scale + offset  # type: ignore[operator]

    def add(self, layer: nn.Layer, **arrays: np.ndarray) -> None:
        """Append ``layer`` with its arrays; ShapeError if it does not fit there."""
        if self.ended:
            refuse(f"{layer} after the last softmax")
        self.shape, _ = layer.shapes(self.shape)
        self.arrays |= {f"{len(self.layers)}.{key}": z for key, z in arrays.items()}
        self.layers.append(layer)

    def activate(self, external: ExternalLayer, name: object) -> None:
        """Append the layer of an activation; a log-softmax is left out, as logits do as well."""
        if name == "log_softmax":
            nn.Softmax().shapes(self.shape)
            self.ended = True
        elif isinstance(name, str) and name in ACTIVATIONS:
            self.add(ACTIVATIONS[name]())
        else:
            external.require(name in (None, "linear"), f"with the activation {shown(name)}")

    def pad(self, before: int, after: int) -> None:
        """Append a ZeroPad2D, if it does anything."""
        if before or after:
            self.add(nn.ZeroPad2D(before, after))

    def add_pool(
        self, external: ExternalLayer, kind: Callable[[int], nn.Layer], size: int, strides: object
    ) -> None:
        """Append a pooling layer, whose windows must lie side by side."""
        strides = simplified(strides)
        external.require(strides == size, f"with strides {shown(strides)} instead of {size}")
        self.add(kind(size))

    def add_batch_norm(self, epsilon: float, **arrays: np.ndarray) -> None:
        """Append a BatchNorm that adds ``epsilon`` to the variance."""
        self.epsilons[len(self.layers)] = epsilon
        self.add(nn.BatchNorm(), **arrays)

    def flatten(self) -> None:
        """Append a Flatten."""
        self.add(nn.Flatten())

    def reshape(self, external: ExternalLayer, target: Sequence[int]) -> None:
        """Reshape the output to a row; or the input, if it stays the same gray image."""
        gray = len(target) == 2 or 1 in (target[0], target[-1])
        if list(target) in ([-1], [math.prod(self.shape)]):
            self.flatten()
        elif gray and not self.layers and _is_same_image(self.shape, target):
            self.start(tuple(target))
        else:
            refuse(f"{external} into {shown(target)}")

    def final_arrays(self) -> Arrays:
        """Return the arrays for BatchNorm as it is here.

        Only the sum of variance and epsilon matters, so the variance takes up the difference of
        the epsilons.
        """
        arrays = {name: np.ascontiguousarray(z) for name, z in self.arrays.items()}
        self._fold_preparation(arrays)
        for index, layer in enumerate(self.layers):
            name = f"{index}.variance"
            if isinstance(layer, nn.BatchNorm) and name in arrays:
                epsilon = self.epsilons.get(index, nn.BatchNorm.EPSILON)
                variance = arrays[name].astype(np.float64) + (epsilon - nn.BatchNorm.EPSILON)
                if variance.min(initial=0) < 0:
                    least = arrays[name].min()
                    refuse(f"a BatchNorm with epsilon {epsilon:g} and a variance of {least:g}")
                arrays[name] = variance.astype(np.float32)
        return arrays

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


@dataclass(frozen=True)
class KnownNetwork:
    """The network of a file that holds only its arrays.

    ``layers`` returns the layers for a number of classes. ``epsilon`` is added to the variance by
    the file's BatchNorm; None if that is not known.
    """

    layers: Callable[[int], Sequence[nn.Layer]]
    input_shape: Shape
    epsilon: float | None = None


def known_model(
    known: KnownNetwork | None, matrices: Iterable[Shape], metadata: Metadata
) -> ImportedModel:
    """Return the ``known`` network, still without arrays, with as many classes as the file has.

    ``matrices`` are the shapes (D,K) of its dense layers. The last one's K is no other one's D; if
    that leaves more than one, there are ten classes, the digits.
    """
    if known is None:
        raise WeightsError("it does not describe its layers; name them with --preset or --like")
    shapes = list(matrices)
    last = {K for _, K in shapes} - {D for D, _ in shapes}
    layers = known.layers(last.pop() if len(last) == 1 else 10)
    copies = [copy.copy(layer) for layer in layers]  # the originals may be in use
    norms = [i for i, layer in enumerate(layers) if isinstance(layer, nn.BatchNorm)]
    epsilons = {} if known.epsilon is None else dict.fromkeys(norms, known.epsilon)
    return ImportedModel(copies, known.input_shape, metadata=metadata, epsilons=epsilons)


def refuse_known(known: KnownNetwork | None) -> None:
    """Refuse the layers that the user names for a file that describes its own."""
    if known:
        raise WeightsError("it already describes its layers; leave out --preset and --like")


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


def _is_same_image(shape: Shape, other: Sequence[int]) -> bool:
    """Whether both are one gray image: with or without an axis for its channel, or as a row."""
    sizes, others = ([z for z in sizes if z != 1] for sizes in (shape, other))
    return sizes == others or (len(shape) == 1 and math.prod(shape) == math.prod(other))
