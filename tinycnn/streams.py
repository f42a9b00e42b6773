"""Standard streams that a command can rely on, even if they are closed, full or ASCII only.

Characters that cannot be encoded are escaped, and so are those that control a terminal, because
file names and class names may come from other people. JSON is ASCII and passes unchanged.
"""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import IO, Any

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters except tab and newline, and those that change the direction of writing."""


class OutputLost(BaseException):
    """Standard output cannot be written; as with Ctrl-C, only the frame may catch it."""

    def __init__(self, fault: OSError) -> None:
        super().__init__(f"standard output cannot be written: {fault.strerror or fault}")
        self.reader_left = isinstance(fault, BrokenPipeError)


def printable(text: str) -> str:
    """Return ``text`` with its control characters escaped."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Output:
    """An output stream whose text cannot control the terminal, and whose errors are OutputLost.

    A stream that is not ``vital`` drops the text it cannot write, unless its reader has left. The
    console of rich controls the terminal itself; it writes to ``raw``.
    """

    def __init__(self, stream: Any, vital: bool, clean: bool = True) -> None:
        self._stream, self._vital, self.clean = stream, vital, clean

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def raw(self) -> "Output":
        """The same stream, for text that may control the terminal."""
        return Output(self._stream, self._vital, clean=False)

    def write(self, text: str) -> int:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        shown = printable(text) if self.clean else text
        with self._errors_as_lost():
            self._stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        with self._errors_as_lost():
            self._stream.flush()

    @contextlib.contextmanager
    def _errors_as_lost(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            lost = OutputLost(fault)
            # The rest goes to the null device, so that Python's exit does not complain either.
            with contextlib.suppress(OSError), open(os.devnull, "w") as null:
                os.dup2(null.fileno(), self._stream.fileno())
            if self._vital or lost.reader_left:
                raise lost from fault


@contextlib.contextmanager
def sturdy_streams() -> Iterator[None]:
    """Make the standard streams exist, clean and sturdy, inside a ``with``."""
    before = sys.stdin, sys.stdout, sys.stderr
    # In this order: each takes the lowest free descriptor, so that no other file gets it.
    sys.stdin = sys.stdin or _null_device(os.O_RDONLY, "r")
    sys.stdout = out = Output(sys.stdout or _null_device(os.O_RDONLY, "w"), vital=True)
    sys.stderr = err = Output(sys.stderr or _null_device(os.O_WRONLY, "w"), vital=False)
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        # numba's colorama keeps the stream it found, and resets the colors at interpreter exit.
        out.clean = err.clean = False


def _null_device(access: int, mode: str) -> IO[str]:
    """Return a stream in place of a closed one; if it is read-only, writing is an OSError."""
    return open(os.open(os.devnull, access), mode, closefd=False)
