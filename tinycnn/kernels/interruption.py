"""A signal that comes while a function is compiled waits until it is compiled, and no longer.

Much of a compiler's time is spent in LLVM, which calls Python back when it has made machine
code. An exception in there, such as that of Ctrl-C, would be swallowed, or leave the function
without its code.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

WAITING = (signal.SIGINT, signal.SIGTERM)

_handlers: dict[int, Any] = {}
"""What Python would call; empty unless a function is being compiled."""

_noted: list[tuple[Any, int, FrameType | None]] = []


@contextlib.contextmanager
def signals_wait() -> Iterator[None]:
    """Note signals inside the ``with``, and hand them to their handlers at its end.

    A function that is compiled for the sake of another has a ``with`` of its own inside that
    one's. Python runs handlers in its main thread only; in any other this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with contextlib.ExitStack() as stack:  # it undoes all of it, whatever a handler raises
        stack.callback(_deliver)
        if not _handlers:
            stack.callback(_handlers.clear)
            for number in WAITING:
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
