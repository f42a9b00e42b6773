"""Standard streams on which a command can rely, closed, full or narrow as they may be.

What cannot be encoded is escaped, and so is what would steer a terminal: file names and class
names come from strangers. JSON, being ASCII without control characters, passes unchanged.
"""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, and those that turn the direction of writing."""


class OutputLost(BaseException):
    """Output that cannot be written ends the command; like Ctrl-C, nobody else may catch it."""

    def __init__(self, fault: OSError) -> None:
        super().__init__(f"standard output cannot be written: {fault.strerror or fault}")
        self.reader_left = isinstance(fault, BrokenPipeError)


def printable(text: str) -> str:
    """``text`` with its control characters escaped."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Sturdy:
    """A stream whose faults are told from those of files.

    What cannot be written is lost; of a stream that is not ``vital``, without a word, unless its
    reader has left.
    """

    def __init__(self, stream: Any, vital: bool) -> None:
        self._stream, self._vital = stream, vital

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        with self._told():
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        with self._told():
            self._stream.flush()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            self._silence()
            lost = OutputLost(fault)
            if self._vital or lost.reader_left:
                raise lost from fault

    def _silence(self) -> None:
        """Send the rest nowhere, so that the exit does not complain either."""
        with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())


class Clean(Sturdy):
    """A sturdy stream for what a command prints; it lets nobody steer the terminal."""

    cleaning = True

    def write(self, text: str) -> int:
        return super().write(printable(text) if self.cleaning else text)

    @property
    def rich_proxied_file(self) -> Sturdy:
        """The stream for ``tinycnn.console``, which steers the terminal itself."""
        return Sturdy(self._stream, self._vital)


@contextlib.contextmanager
def sturdy_streams() -> Iterator[None]:
    """A ``with`` in which the standard streams are there, clean and sturdy."""
    before = sys.stdin, sys.stdout, sys.stderr
    # In this order: each takes the lowest free descriptor, so that no file of ours gets it.
    sys.stdin = sys.stdin or _nowhere(os.O_RDONLY, "r")
    sys.stdout = out = Clean(sys.stdout or _nowhere(os.O_RDONLY, "w"), vital=True)
    sys.stderr = err = Clean(sys.stderr or _nowhere(os.O_WRONLY, "w"), vital=False)
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        # The compiler's colorama keeps the stream it has met, and resets colors at the very end.
        out.cleaning = err.cleaning = False


def _nowhere(access: int, mode: str) -> Any:
    """For a stream that is closed; to write where only reading is allowed is an OSError."""
    return open(os.open(os.devnull, access), mode, closefd=False)
