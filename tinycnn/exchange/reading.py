"""What all readers of other programs' files share: what they find, and what they refuse.

Readers say what is wrong in a WeightsError; whoever called them adds which file it is in.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from tinycnn.errors import WeightsError
from tinycnn.exchange.metadata import Notes
from tinycnn.nn import BatchNorm, Layer
from tinycnn.nn.layers import Shape
from tinycnn.nn.model import GRAY

Settings = dict[str, Any]


@dataclass
class Found:
    """A network in a file: its layers, and its arrays under the names and as they stand here."""

    layers: list[Layer]
    input_shape: Shape
    arrays: dict[str, np.ndarray]
    notes: Notes = field(default_factory=dict)

    def change_epsilon(self, index: int, epsilon: float) -> None:
        """Make BatchNorm number ``index``, to whose variance ``epsilon`` is added, one of ours.

        Only the sum counts: what is added less here has to be in the variance.
        """
        name = f"{index}.variance"
        if name in self.arrays:
            variance = self.arrays[name].astype(np.float64) + (epsilon - BatchNorm.EPSILON)
            if variance.min(initial=0) < 0:
                refuse(f"a BatchNorm with epsilon {epsilon:g}")
            self.arrays[name] = variance.astype(np.float32)


def refuse(what: str) -> NoReturn:
    """Say that there is no such thing here."""
    raise WeightsError(f"{what} has no equal here")


def told(value: object) -> str:
    """A name or number from a stranger's file, fit to be printed in a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def named(kind: object, name: object) -> str:
    """How a layer or node of a stranger's file is called in a sentence: Conv2D 'first'."""
    return f"{told(kind)[1:-1]} {told(name)}"


def check_settings(where: str, given: Mapping[str, Any], only: Settings) -> None:
    """Refuse what is set to something else than ``only`` says; where nothing is set, it is that."""
    for name, wanted in only.items():
        value = simplified(given.get(name, wanted))
        if value is not None and value != wanted:
            refuse(f"{where}: {name} {told(value)}, other than {told(wanted)},")


def simplified(value: Any) -> Any:
    """Bytes as text, and one number where all axes have the same: [2, 2] -> 2."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list | tuple) and value and all(z == value[0] for z in value):
        return value[0]
    return value


def classes_of(matrices: Iterable[Shape]) -> int:
    """How many outputs the last of the matrices (D,K) has: they are nobody's inputs.

    Ten, the digits, where that is not clear.
    """
    shapes = list(matrices)
    last = {K for _, K in shapes} - {D for D, _ in shapes}
    return last.pop() if len(last) == 1 else 10


def is_same_image(shape: Shape, other: Shape) -> bool:
    """Whether both are one gray image, with an axis for its channel or without, or as a row."""
    sizes, others = ([z for z in sizes if z != 1] for sizes in (shape, other))
    return sizes == others or (len(shape) == 1 and math.prod(shape) == math.prod(other))


def is_preparation(scale: object) -> bool:
    """Whether to multiply by ``scale`` is what every network here does with gray levels."""
    return isinstance(scale, float) and math.isclose(scale, GRAY, rel_tol=1e-6)
