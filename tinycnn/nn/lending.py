"""Whether code may have written into the arrays of layers, which nobody can see it do.

To write into an array, code asks a layer for it, or has kept it from before. Of the first a layer
takes note; the second is known from Python's counts of who holds an object. If at some moment
nobody holds an array, and no layer is asked since, then nobody writes into it. (Code that has kept
an address alone is not seen.)
"""

import sys
from collections.abc import Iterable
from typing import Any

ALONE = 3
"""References to an array in a layer's dict, or to that dict: theirs, of one who looks at them all,
and of ``alone``."""


class Lent:
    """An attribute of layers; ``last`` is another object whenever one was asked for, or set."""

    last = object()

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        found = self if layer is None else vars(layer)[self._name]
        Lent.last = object()  # not before it is found: from then on ``alone`` counts it
        return found

    def __set__(self, layer: Any, value: Any) -> None:
        vars(layer)[self._name], Lent.last = value, object()


def alone(held: Iterable[Any]) -> bool:
    """Return whether nobody else holds any of these dicts and arrays."""
    return max(map(sys.getrefcount, held), default=0) <= ALONE
