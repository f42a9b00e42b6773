"""Ctrl-C and SIGTERM ask the training loop to stop between two batches.

A checkpoint from the middle of a batch would hold half a step, and a run resumed from it could
not end with the same bytes as one that was never stopped.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

STOPPING = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = b"\x1b[?25h\n"  # a progress bar hides it


class Terminated(SystemExit):
    """SIGTERM; it unwinds the stack as Ctrl-C does."""


def _nothing() -> None: ...


class StopSignals:
    """Handle both signals inside a ``with``: at first one unwinds the stack, as Ctrl-C does.

    After ``defer()`` the first signal is only recorded, in ``received``, and a second one ends the
    process. Python delivers signals to the main thread only; in any other this does nothing.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._then: Callable[[], None] = _nothing
        self._deferring = False

    def __enter__(self) -> "StopSignals":
        self._before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in STOPPING}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def defer(self, then: Callable[[], None] = _nothing) -> None:
        """From now on, only record the first signal in ``received``, and call ``then``."""
        if self.received is not None:  # its exception was lost, for example in a finalizer
            self._unwind(self.received)
        self._deferring, self._then = True, then

    def _receive(self, number: int, frame: FrameType | None) -> None:
        impatient = self._deferring and self.received is not None
        self.received = number
        if impatient:
            if sys.stderr.isatty():
                os.write(sys.stderr.fileno(), SHOW_CURSOR)
            os._exit(128 + number)  # at once: the cleanup may be what takes so long
        if not self._deferring:
            self._unwind(number)
        self._then()

    def _unwind(self, number: int) -> NoReturn:
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(128 + number)


# ---------------------------------------------------------------------- while code is compiled

_handlers: dict[int, Any] = {}
"""The handlers to call later; empty unless a function is being compiled."""

_noted: list[tuple[Any, int, FrameType | None]] = []


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Note signals inside the ``with``, and hand them to their handlers at its end.

    LLVM calls Python back when it has made machine code. An exception in there, such as that of
    Ctrl-C, would be swallowed, or leave the function without its code. A function that is compiled
    for another one has a ``with`` inside that one's. Python runs handlers in its main thread only;
    in any other this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with contextlib.ExitStack() as stack:  # it undoes all of it, whatever a handler raises
        stack.callback(_deliver)
        if not _handlers:
            stack.callback(_handlers.clear)
            for number in STOPPING:
                if callable(handler := signal.getsignal(number)):  # others raise nothing
                    _handlers[number] = handler
                    stack.callback(signal.signal, number, handler)
                    signal.signal(number, _note)
        yield


def _note(number: int, frame: FrameType | None) -> None:
    _noted.append((_handlers[number], number, frame))


def _deliver() -> None:
    if _noted:
        handler, *told = _noted.pop(0)
        try:
            handler(*told)
        finally:
            _deliver()
