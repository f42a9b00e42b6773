"""Ctrl-C and SIGTERM ask the training loop to stop between two batches.

A checkpoint from the middle of a batch would hold half a step, and a run resumed from it could
not end with the same bytes as one that was never stopped.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

STOPPING = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = b"\x1b[?25h\n"  # a progress bar hides it


class Terminated(SystemExit):
    """SIGTERM; it unwinds the stack as Ctrl-C does."""


class StopSignals:
    """Handle both signals inside a ``with``: at first one unwinds the stack, as Ctrl-C does.

    After ``defer()`` the first signal is only recorded, in ``received``, and a second one ends the
    process. Python delivers signals to the main thread only; in any other this does nothing.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._deferring = False

    def __enter__(self) -> "StopSignals":
        self._before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in STOPPING}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def defer(self) -> None:
        """From now on, only record the first signal in ``received``."""
        if self.received is not None:  # its exception was lost, for example in a finalizer
            self._unwind(self.received)
        self._deferring = True

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self._deferring and self.received is not None:
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), SHOW_CURSOR)
            os._exit(128 + number)  # at once: the cleanup may be what takes so long
        self.received = number
        if not self._deferring:
            self._unwind(number)

    def _unwind(self, number: int) -> NoReturn:
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(128 + number)


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Defer signals to the end of the ``with``, in which code is compiled.

    LLVM calls Python back when it has made machine code. An exception in there, such as that of
    Ctrl-C, would be swallowed, or leave the function without its code. A function that is compiled
    for another one has a ``with`` inside that one's.
    """
    signals = StopSignals()
    try:
        with signals:
            signals.defer()
            yield
    finally:
        if signals.received is not None:
            signal.raise_signal(signals.received)
