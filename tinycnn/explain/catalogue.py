"""The operations of ``reference.py`` by name, and other names that people use for them."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tinycnn import kernels
from tinycnn.errors import TinyCNNError
from tinycnn.nn import reference

VERSIONS = {"reference": reference, "compiled": kernels}
"""The two modules that have every operation, once to be read and once to be run."""

NAMES: tuple[str, ...] = tuple(
    name
    for name, value in vars(reference).items()
    if inspect.isfunction(value) and value.__module__ == reference.__name__ and name[0] != "_"
)
"""All operations, in the order of ``reference.py``."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    "conv2d": ("conv", "convolution"),
    "maxpool2d": ("maxpool", "maxpooling", "pooling", "pool"),
    "relu": ("rectifier",),
    "batchnorm": ("batchnormalization", "batchnorm2d", "normalization"),
    "dense": ("linear", "fullyconnected"),
    "softmax_cross_entropy": ("crossentropy", "loss"),
    "conv2d_relu_maxpool2d": ("convrelupool", "fused"),
    "sgd_update": ("sgd", "momentum"),
    "adam_update": ("adam",),
}
"""Other names of operations; case, blanks, dashes and underscores do not matter."""


@dataclass(frozen=True)
class Docstring:
    """The docstring of an operation in its four parts."""

    sentence: str
    idea: tuple[str, ...]
    formula: str
    shapes: str


@dataclass(frozen=True)
class Operation:
    """One function of ``reference.py`` and its compiled version."""

    name: str

    def version(self, name: str) -> Callable[..., Any]:
        """The function itself, from one of ``VERSIONS``."""
        function: Callable[..., Any] = getattr(VERSIONS[name], self.name)
        return function

    @property
    def forward(self) -> str:
        """The operation whose gradient this one is, or its own name."""
        return self.name.partition("_backward")[0]

    def select(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of this operation among all the quantities in ``known``, by name."""
        return {
            name: known[name] for name in inspect.signature(self.version("reference")).parameters
        }

    @property
    def docstring(self) -> Docstring:
        """The docstring of the reference: a sentence, the idea, the formula, the shapes."""
        sentence, *parts = (inspect.getdoc(self.version("reference")) or "").split("\n\n")
        (formula,) = [part for part in parts if part.startswith(" ")]
        *idea, shapes = [part for part in parts if part is not formula]
        return Docstring(sentence, tuple(idea), inspect.cleandoc("\n" + formula), shapes)


def find(word: str) -> Operation:
    """The operation that ``word`` means; if there is none, TinyCNNError suggests the nearest."""
    meanings = {_simplified(name): name for name in NAMES}
    meanings |= {other: name for name, others in SYNONYMS.items() for other in others}
    if (simple := _simplified(word)) in meanings:
        return Operation(meanings[simple])
    near = difflib.get_close_matches(simple, meanings, n=1, cutoff=0.5)
    hint = f"did you mean {meanings[near[0]]}? " if near else ""
    raise TinyCNNError(f"there is no operation {word!r}; {hint}--list shows all")


def _simplified(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())
