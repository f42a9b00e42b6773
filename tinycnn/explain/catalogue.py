"""The operations of ``reference.py`` by name, and what people call them."""

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

from tinycnn import kernels
from tinycnn.errors import TinyCNNError
from tinycnn.nn import reference

NAMES: tuple[str, ...] = tuple(
    name
    for name, value in vars(reference).items()
    if inspect.isfunction(value) and value.__module__ == reference.__name__ and name[0] != "_"
)
"""All operations, in the order of ``reference.py``."""

MEANT: dict[str, tuple[str, ...]] = {
    "conv2d": ("conv", "convolution"),
    "maxpool2d": ("maxpool", "maxpooling", "pooling", "pool"),
    "relu": ("rectifier",),
    "batchnorm": ("batchnormalization", "batchnormalization", "batchnorm2d", "normalization"),
    "dense": ("linear", "fullyconnected"),
    "softmax_cross_entropy": ("crossentropy", "loss"),
    "conv2d_relu_maxpool2d": ("convrelupool", "fused"),
    "sgd_update": ("sgd", "momentum"),
    "adam_update": ("adam",),
}
"""Other words for operations; case, blanks, dashes and underscores do not matter."""


@dataclass(frozen=True)
class Docstring:
    """What the docstring of an operation says, in its four parts."""

    sentence: str
    idea: tuple[str, ...]
    formula: str
    shapes: str


@dataclass(frozen=True)
class Operation:
    """One function, which exists twice: once to be read, once to be run."""

    name: str

    @property
    def reference(self) -> Callable:
        """The NumPy expression."""
        return getattr(reference, self.name)

    @property
    def kernel(self) -> Callable:
        """The compiled loops."""
        return getattr(kernels, self.name)

    @property
    def forward(self) -> str:
        """The operation whose gradient this one is, or its own name."""
        return self.name.partition("_backward")[0]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments."""
        return tuple(inspect.signature(self.reference).parameters)

    @property
    def docstring(self) -> Docstring:
        """The docstring of the reference: a sentence, the idea, the formula, the shapes."""
        sentence, *parts = inspect.getdoc(self.reference).split("\n\n")  # type: ignore[union-attr]
        formulas = [part for part in parts if part.startswith(" ")]
        *idea, shapes = [part for part in parts if part not in formulas]
        return Docstring(sentence, tuple(idea), inspect.cleandoc("\n" + formulas[0]), shapes)


def find(word: str) -> Operation:
    """The operation that ``word`` means; TinyCNNError names the nearest if there is none."""
    meanings = {_plain(name): name for name in NAMES}
    meanings |= {other: name for name, others in MEANT.items() for other in others}
    if (plain := _plain(word)) in meanings:
        return Operation(meanings[plain])
    near = difflib.get_close_matches(plain, meanings, n=1, cutoff=0.5)
    hint = f"did you mean {meanings[near[0]]}? " if near else ""
    raise TinyCNNError(f"there is no operation {word!r}; {hint}--list shows all")


def _plain(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())
