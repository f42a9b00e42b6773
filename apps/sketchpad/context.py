"""What there is to look at: the selected digit, the network, and somebody who does slow work."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:  # numba is not imported before the window stands
    from apps.sketchpad.engine import Engine, Naive
    from tinycnn.adapt import Adaptation, Correction
    from tinycnn.ink import Digit

T = TypeVar("T")

Command = tuple[Any, ...]
"""A name and its arguments, all of them JSON: ``("select", 2)``. Whatever happens is one."""


class Ask(Protocol):
    """Slow work is asked for, not waited for."""

    def __call__(self, key: Hashable, job: Callable[..., T], *arguments: Any) -> T | None:
        """``job(*arguments)`` when a worker has done it, None until then.

        ``key`` must name everything that the answer depends on. When it is there, all is drawn
        anew. Only the latest question of a kind (``key[0]``) is kept waiting.
        """


@dataclass(frozen=True, eq=False)
class Lesson:
    """What the person has taught so far, and what came of it."""

    corrections: "tuple[Correction, ...]" = ()
    fault: str = ""
    """What could not be read of them."""

    result: "Adaptation | None" = None
    busy: bool = False
    """Whether something is being learned now."""


@dataclass(frozen=True, eq=False)
class Look:
    """One moment, as a tab sees it."""

    engine: "Engine | None"
    """The network with its name and its ``recognizer``; None until it is loaded."""

    digit: "Digit | None"
    """The selected digit, None on empty paper."""

    image: np.ndarray | None
    """uint8 (28,28), white on black: what the network gets; prepared naively after ``P``."""

    naive: bool
    """Whether ``image`` is the whole paper made smaller, as many demonstrations do."""

    naive_way: "Callable[[], Naive | None]"
    """That image, and what the network thinks of it; None until it is there."""

    moment: Hashable
    """Equal for equal ``image`` and ``engine``: a part of keys for ``ask``."""

    ask: Ask

    label: str | None = None
    """What the person says the digit is, if they did."""

    lesson: Lesson = Lesson()
