"""Ctrl-C and SIGTERM ask the training loop to stop, and it does so between two batches.

A checkpoint made in the middle of a batch would hold half a step, and no run that goes on from
it could end like one that was never stopped.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

STOPPING = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = b"\x1b[?25h\n"  # a progress bar hides it


class Terminated(SystemExit):
    """SIGTERM, which unwinds the stack as Ctrl-C does."""


def _nothing() -> None: ...


class StopSignals:
    """In a ``with``: at first a signal unwinds the stack, as Ctrl-C usually does.

    After ``defer()`` the first one is only noted, in ``received``, and a second one ends the
    process. Python delivers signals to the main thread only; in any other this does nothing.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._then: Callable[[], None] = _nothing
        self._deferring = False

    def __enter__(self) -> "StopSignals":
        self._before = {}
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in STOPPING}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def defer(self, then: Callable[[], None] = _nothing) -> None:
        """From now on, note the first signal, and do ``then``.

        Whoever asked for this looks at ``received``.
        """
        if self.received is not None:  # its exception was lost, as in a finalizer
            self._unwind(self.received)
        self._deferring, self._then = True, then

    def _receive(self, number: int, frame: FrameType | None) -> None:
        impatient = self._deferring and self.received is not None
        self.received = number
        if impatient:
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), SHOW_CURSOR)
            os._exit(128 + number)  # at once: no clean-up, which might be what takes so long
        if not self._deferring:
            self._unwind(number)
        self._then()

    def _unwind(self, number: int) -> NoReturn:
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(128 + number)
