"""Slow work happens elsewhere: the window never waits, and the newest question wins.

``Thread`` works in the background, ``Inline`` at once; replays and tests use the latter, so that
nothing depends on how fast the machine is.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol

FIRST = "read"  # the kind of work that everybody waits for


@dataclass(frozen=True)
class Done:
    """A question and its answer."""

    kind: str
    key: Hashable
    answer: Any = None
    error: Exception | None = None


@dataclass(frozen=True)
class _Job:
    kind: str
    key: Hashable
    work: Callable[..., Any]
    arguments: tuple[Any, ...]

    def run(self) -> Done:
        try:
            return Done(self.kind, self.key, self.work(*self.arguments))
        except Exception as error:  # it is told where it was asked
            return Done(self.kind, self.key, error=error)


class Worker(Protocol):
    """Somebody who works."""

    def submit(self, kind: str, key: Hashable, work: Callable[..., Any], *arguments: Any) -> None:
        """Have ``work(*arguments)`` done; what still waits of this ``kind`` is forgotten."""

    def aside(self, kind: str, work: Callable[..., Any], *arguments: Any) -> None:
        """Have something long done beside the other work."""

    def collect(self) -> list[Done]:
        """What has been done since the last time."""


class Inline:
    """Works at once."""

    def __init__(self) -> None:
        self._done: list[Done] = []

    def submit(self, kind: str, key: Hashable, work: Callable[..., Any], *arguments: Any) -> None:
        self._done.append(_Job(kind, key, work, arguments).run())

    def aside(self, kind: str, work: Callable[..., Any], *arguments: Any) -> None:
        self.submit(kind, None, work, *arguments)

    def collect(self) -> list[Done]:
        done, self._done = self._done, []
        return done


class Thread:
    """Works in the background: reading goes first, then what was asked first.

    Of each kind only the newest question is answered.

    ``ring`` is called, from the background, when there is something to collect.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._waiting: dict[str, _Job] = {}
        self._done: list[Done] = []
        self._change = threading.Condition()
        threading.Thread(target=self._work, daemon=True, name="reader").start()

    def submit(self, kind: str, key: Hashable, work: Callable[..., Any], *arguments: Any) -> None:
        with self._change:
            self._waiting[kind] = _Job(kind, key, work, arguments)
            self._change.notify()

    def aside(self, kind: str, work: Callable[..., Any], *arguments: Any) -> None:
        job = _Job(kind, None, work, arguments)
        threading.Thread(target=self._finish, args=(job,), daemon=True, name=kind).start()

    def collect(self) -> list[Done]:
        with self._change:
            done, self._done = self._done, []
        return done

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting)
                kind = FIRST if FIRST in self._waiting else next(iter(self._waiting))
                job = self._waiting.pop(kind)
            self._finish(job)

    def _finish(self, job: _Job) -> None:
        done = job.run()
        with self._change:
            self._done.append(done)
        self._ring()
