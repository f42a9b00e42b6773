"""A contender in a process of its own: start it, ask it, and notice when it is gone.

The process is spawned, so that it imports one framework and nothing else, and answers over a pipe.
Every answer comes after the contender's threads have gone to sleep, so that the next contender has
the machine to itself.
"""

import contextlib
import multiprocessing
import os
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.interleave import sleep_until_idle
from benchmarks.speed.worker import Worker
from benchmarks.speed.workload import Workload

PATIENCE = 1800.0
"""Seconds for one answer; compilers take minutes, full trainings longer."""


class ContenderError(Exception):
    """A contender or one of its variants cannot take part; the message is one line."""


class Contender:
    """A running process. Raises ContenderError when its framework is not installed."""

    def __init__(
        self,
        name: str,
        module: str,
        threads: int,
        work: Workload,
        folder: Path,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.busy_seconds = 0.0  # of processor time, for the last answer
        self._log = folder / f"{name}.log"
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        given = (theirs, self._log, module, threads, work, folder)
        self._process = context.Process(target=_serve, args=given, daemon=True)
        with mock.patch.dict(os.environ, {**_variables(threads), **(environment or {})}):
            self._process.start()
        theirs.close()
        try:
            self.about = self.ask("hello")
        except ContenderError:
            self.close()
            raise

    def ask(self, what: str, **arguments: Any) -> dict:
        """Call a method of the contender's ``Worker``; raise ContenderError with the reason."""
        with contextlib.suppress(OSError):  # a dead process is noticed by its missing answer
            self._pipe.send((what, arguments))
        if not self._pipe.poll(PATIENCE):
            raise ContenderError(f"no answer to {what!r} in {PATIENCE:.0f} seconds")
        try:
            answer, self.busy_seconds = self._pipe.recv()
        except (EOFError, OSError):
            raise ContenderError(f"ended during {what!r} ({self._last_words()})") from None
        if isinstance(answer, ContenderError):
            raise answer
        return answer

    def _last_words(self) -> str:
        self._process.join()
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return f"exit code {self._process.exitcode}: {lines[-1][:150] if lines else 'no message'}"

    def close(self) -> None:
        """End the process; one that does not end by itself is killed."""
        self._pipe.close()
        self._process.join(timeout=5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def __enter__(self) -> "Contender":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _variables(threads: int) -> dict[str, str]:
    """Limit every library to ``threads`` threads, and keep TensorFlow quiet."""
    limits = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    return {**limits, "TF_CPP_MIN_LOG_LEVEL": "3"}


def _serve(pipe: Connection, log: Path, *given: Any) -> None:
    """Answer until the pipe is closed; frameworks, and C libraries, print into the log."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    worker: Worker | None = None
    with contextlib.suppress(EOFError):
        while True:
            what, arguments = pipe.recv()
            used = time.process_time()
            try:
                worker = worker or Worker(*given)
                answer = getattr(worker, what)(**arguments)
            except Exception as error:
                answer = ContenderError(_one_line(error))
            sleep_until_idle()
            pipe.send((answer, time.process_time() - used))


def _one_line(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"[:200]
