"""The context of a tab: the selected digit, the network, and a way to ask for slow work."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # numba is not imported before the window is open
    from apps.sketchpad.course import Course
    from apps.sketchpad.engine import Engine
    from apps.sketchpad.inspector import Inspector
    from apps.sketchpad.teacher import Teacher
    from tinycnn.ink import Digit

Command = tuple[Any, ...]
"""A name and its arguments, all of them JSON: ``("select", 2)``."""

Request = tuple[Hashable, ...]
"""A kind of request, and everything that its result depends on."""

Ask = Callable[..., Any]
"""``ask(request, job, *arguments)`` is ``job(*arguments)`` once the worker has computed it, None
until then; when it arrives, the tab is drawn again. Of each kind only the latest one waits."""


@dataclass(frozen=True, eq=False)
class Context:
    """Everything that a tab draws."""

    engine: "Engine | None"  # None until it is loaded
    loads: int  # how many engines there have been
    digit: "Digit | None"  # the selected one; None on empty paper
    label: str | None  # the user's label for it, "" for "not a digit", None without a label
    image: np.ndarray | None  # uint8 (28,28), white on black: the input of the network
    probabilities: np.ndarray | None  # (K,): the answer for ``image``
    ask: Ask
    teacher: "Teacher"
    course: "Course"

    @property
    def moment(self) -> tuple[int, bytes]:
        """Equal for equal ``engine`` and ``image``: a part of keys for ``ask``."""
        return self.loads, b"" if self.image is None else self.image.tobytes()

    @property
    def inspector(self) -> "Inspector":
        """The inspector of a network that has been loaded."""
        assert self.engine is not None
        return self.engine.inspector

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the network's classes; none before it is loaded."""
        return self.engine.classes if self.engine else ()
