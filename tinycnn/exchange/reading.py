"""The parts that readers of ONNX, Keras and PyTorch files share: their model, and refusals.

Readers raise a WeightsError that says what is wrong; ``importers`` adds which file it is in.
"""

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from tinycnn.errors import WeightsError
from tinycnn.exchange.metadata import Metadata
from tinycnn.nn import BatchNorm, Flatten, Layer
from tinycnn.nn.checks import GRAY, Shape

Arrays = dict[str, np.ndarray]
Settings = dict[str, Any]


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

    layers: list[Layer] = field(default_factory=list)
    input_shape: Shape = ()
    shape: Shape = ()
    """The output shape so far, without N."""

    arrays: Arrays = field(default_factory=dict)
    epsilons: dict[int, float] = field(default_factory=dict)
    """By the index of a BatchNorm: the number that it adds to the variance, if it is not ours."""

    metadata: Metadata = field(default_factory=dict)
    prepared: bool = False
    """Whether the file multiplies gray levels by 1/255 before the first layer, as we always do."""

    def start(self, shape: Shape) -> None:
        """Set the input shape; an image (H,W) has one channel."""
        self.input_shape = self.shape = (*shape, 1) if len(shape) == 2 else shape

    def prepare(self, external: ExternalLayer, scale: object) -> None:
        """Multiply the input by ``scale``, which has to be the preparation that we do anyway."""
        sound = isinstance(scale, float) and math.isclose(scale, GRAY, rel_tol=1e-6)
        first = not self.layers and not self.prepared
        external.require(
            sound and first, f"by {shown(scale)} instead of once by 1/255 at the start"
        )
        self.prepared = True

    def add(self, layer: Layer, **arrays: np.ndarray) -> None:
        """Append ``layer`` with its arrays; ShapeError if it does not fit there."""
        self.shape, _ = layer.shapes(self.shape)
        self.arrays |= {f"{len(self.layers)}.{key}": z for key, z in arrays.items()}
        self.layers.append(layer)

    def add_batch_norm(self, epsilon: float, **arrays: np.ndarray) -> None:
        """Append a BatchNorm that adds ``epsilon`` to the variance."""
        self.epsilons[len(self.layers)] = epsilon
        self.add(BatchNorm(), **arrays)

    def flatten(self) -> None:
        """Append a Flatten."""
        self.add(Flatten())

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
        for index, layer in enumerate(self.layers):
            name = f"{index}.variance"
            if isinstance(layer, BatchNorm) and name in arrays:
                epsilon = self.epsilons.get(index, BatchNorm.EPSILON)
                variance = arrays[name].astype(np.float64) + (epsilon - BatchNorm.EPSILON)
                if variance.min(initial=0) < 0:
                    least = arrays[name].min()
                    refuse(f"a BatchNorm with epsilon {epsilon:g} and a variance of {least:g}")
                arrays[name] = variance.astype(np.float32)
        return arrays


@dataclass(frozen=True)
class KnownNetwork:
    """The network of a file that holds only its arrays.

    ``layers`` returns the layers for a number of classes. ``epsilon`` is added to the variance by
    the file's BatchNorm; None if that is not known.
    """

    layers: Callable[[int], Sequence[Layer]]
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
    norms = [i for i, layer in enumerate(layers) if isinstance(layer, BatchNorm)]
    epsilons = {} if known.epsilon is None else dict.fromkeys(norms, known.epsilon)
    return ImportedModel(copies, known.input_shape, metadata=metadata, epsilons=epsilons)


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
