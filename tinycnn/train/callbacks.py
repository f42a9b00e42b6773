"""Callbacks follow a training: progress bars, logs, or a reason of your own to stop it."""

import contextlib
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinycnn.train.trainer import Trainer


class Callback:
    """Receives the progress of a training; what it does not define, it ignores."""

    def compilation(self) -> AbstractContextManager[None]:
        """Return a context for the time in which kernels may be compiled."""
        return contextlib.nullcontext()

    def training(self, trainer: "Trainer") -> AbstractContextManager[None]:
        """Return a context for the time in which ``trainer`` trains."""
        return contextlib.nullcontext()

    def batch(self, trainer: "Trainer") -> bool | None:
        """Called after every batch; training stops here if it returns True."""

    def epoch(self, trainer: "Trainer") -> None:
        """Called after every epoch and its validation."""
