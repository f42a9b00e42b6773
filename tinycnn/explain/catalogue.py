"""The operations of ``reference.py`` by name, and their code."""

import difflib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinycnn import kernels
from tinycnn.errors import TinyCNNError
from tinycnn.nn import reference

VERSIONS = {"reference": reference, "compiled": kernels}
"""The two modules that have every operation, once to be read and once to be run."""

NAMES: tuple[str, ...] = tuple(
    name
    for name, value in vars(reference).items()
    if hasattr(value, "check")  # it has @shapes
)
"""All operations, in the order of ``reference.py``."""


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
        return {z: known[z] for z in inspect.signature(self.version("reference")).parameters}

    @property
    def docstring(self) -> list[str]:
        """The four parts in ``reference.py``: a sentence, the idea, the formula, the shapes."""
        return (inspect.getdoc(self.version("reference")) or "").split("\n\n")


def find(word: str) -> Operation:
    """The operation with the shortest name that has ``word`` in it, but for case and underscores.

    If there is none, TinyCNNError suggests the nearest.
    """
    meanings, simple = {_simplified(name): name for name in NAMES}, _simplified(word)
    if found := [name for other, name in meanings.items() if simple and simple in other]:
        return Operation(min(found, key=len))
    near = difflib.get_close_matches(simple, meanings, n=1, cutoff=0.5)
    hint = f"did you mean {meanings[near[0]]}? " if near else ""
    raise TinyCNNError(f"there is no operation {word!r}; {hint}python -m tinycnn.explain lists all")


def _simplified(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalnum())


ROOT = Path(__file__).parents[2]
"""Names of files are relative to this folder."""


@dataclass(frozen=True)
class FunctionSource:
    """A function: its code, its file and its line."""

    file: str
    line: int
    code: str

    @property
    def body(self) -> str:
        """The code without docstring and shapes, which are shown above it."""
        return re.sub(r'(?s)\A@.*?(?=def )|    """.*?"""\n', "", self.code)


def sources(function: Callable[..., Any]) -> list[FunctionSource]:
    """``function`` and the helpers that it calls in its file, in that order; no other operation."""
    found: dict[str, FunctionSource] = {}
    waiting: list[Any] = [inspect.unwrap(function)]
    for near in waiting:
        code, line = inspect.getsourcelines(near)
        file = Path(inspect.getsourcefile(near) or "").relative_to(ROOT).as_posix()
        found[near.__name__] = FunctionSource(file, line, "".join(code).rstrip())
        names = [z for z in near.__code__.co_names if z not in NAMES and z not in found]
        called = [inspect.unwrap(near.__globals__.get(name)) for name in names]
        waiting += [z for z in called if inspect.isfunction(z) and z.__module__ == near.__module__]
    return list(found.values())
