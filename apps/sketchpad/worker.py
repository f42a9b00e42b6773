"""Slow work happens on a worker: the window never waits, and the newest job of a kind wins.

``Thread`` works in the background, ``Inline`` at once; replays and tests use the latter, so that
nothing depends on how fast the machine is.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

FIRST = "read"  # the kind of work that goes before all other


@dataclass(frozen=True)
class Done:
    """A job that has been done, and its result or the error that ended it."""

    kind: str
    key: Hashable
    answer: Any = None
    error: Exception | None = None


class Inline:
    """A worker that does every job at once."""

    def __init__(self, ring: Callable[[], None] = lambda: None) -> None:
        """``ring`` is called, from any thread, when there is something to collect."""
        self._ring = ring
        self._done: deque[Done] = deque()  # threads may append while another one pops

    def submit(self, kind: str, key: Hashable, work: Callable[..., Any], *arguments: Any) -> None:
        """Have ``work(*arguments)`` done; a job of this ``kind`` that still waits is dropped."""
        self._run(kind, key, work, arguments)

    def aside(self, kind: str, work: Callable[..., Any], *arguments: Any) -> None:
        """Have a long job done beside the others."""
        self._run(kind, None, work, arguments)

    def collect(self) -> list[Done]:
        """All jobs that have been done since the last call."""
        return [self._done.popleft() for _ in range(len(self._done))]

    def _run(
        self, kind: str, key: Hashable, work: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> None:
        try:
            done = Done(kind, key, work(*arguments))
        except Exception as error:  # noqa: BLE001 - reported by the session that asked
            done = Done(kind, key, error=error)
        self._done.append(done)
        self._ring()


class Thread(Inline):
    """A worker in the background: reading goes first, then jobs in the order of their arrival."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__(ring)
        self._waiting: dict[str, tuple[Hashable, Callable[..., Any], tuple[Any, ...]]] = {}
        self._change = threading.Condition()
        threading.Thread(target=self._work, daemon=True, name="reader").start()

    def submit(self, kind: str, key: Hashable, work: Callable[..., Any], *arguments: Any) -> None:
        with self._change:
            self._waiting[kind] = key, work, arguments
            self._change.notify()

    def aside(self, kind: str, work: Callable[..., Any], *arguments: Any) -> None:
        job = kind, None, work, arguments
        threading.Thread(target=self._run, args=job, daemon=True, name=kind).start()

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting)
                kind = FIRST if FIRST in self._waiting else next(iter(self._waiting))
                job = self._waiting.pop(kind)
            self._run(kind, *job)
