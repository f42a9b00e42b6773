"""Whether code may have written into the arrays of layers, which cannot be seen.

To write, code asks a layer for its arrays, or has kept one. The first is noted here, and Python
counts who holds an object: if no other code holds one, and no layer is asked since, no code writes.
(Code that has kept an address alone, or takes them from ``vars(layer)``, is not seen.)
"""

import sys
import weakref
from typing import Any

from tinycnn.nn.checks import Array


class Lent:
    """An attribute of layers; ``last`` is another object whenever one was asked for, or set."""

    last = object()

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Any, owner: type) -> dict[str, Array]:
        if self._name not in getattr(layer, "__dict__", ()):  # of a class, or not made yet
            raise AttributeError(self._name)
        found: dict[str, Array] = vars(layer)[self._name]
        Lent.last = object()  # not before it is found: from then on ``alone`` counts it
        return found

    def __set__(self, layer: Any, value: Any) -> None:
        vars(layer)[self._name], Lent.last = value, object()


def alone(held: dict[int, Any]) -> bool:
    """Return whether only layers and ``held`` hold these: three references, with that of map."""
    most = max(map(sys.getrefcount, held.values()), default=0)
    return most <= 3 and not any(map(weakref.getweakrefcount, held.values()))
