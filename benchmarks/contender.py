"""The other end of a worker: start it, ask it, and notice when it is gone."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 1800.0
"""Seconds for one answer; compilers take minutes, full trainings longer."""


class ContenderError(Exception):
    """A contender or one of its variants cannot take part; the message is one line."""


class Contender:
    """A running worker. Raises ContenderError when its framework is not installed."""

    def __init__(
        self,
        name: str,
        module: str,
        threads: int,
        folder: Path,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.idle_seconds = 0.0
        self._log_path = folder / f"{name}.log"
        self._log = self._log_path.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", module, str(threads), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **worker_variables(threads), **(environment or {})},
            text=True,
        )
        self._answers: queue.Queue[str] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        try:
            self.about = self.ask("hello")
        except ContenderError:
            self.close()
            raise

    def ask(self, do: str, patience: float = PATIENCE, **arguments: Any) -> dict:
        """Return the answer to one command, or raise ContenderError with the reason."""
        with contextlib.suppress(OSError):  # a dead worker is noticed by its missing answer
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
        try:
            line = self._answers.get(timeout=patience)
        except queue.Empty:
            raise ContenderError(f"no answer to {do!r} in {patience:.0f} seconds") from None
        if not line:
            raise ContenderError(f"ended during {do!r} ({self._last_words()})")
        return self._understand(json.loads(line))

    def _understand(self, answer: dict) -> dict:
        if "missing" in answer:
            raise ContenderError(f"{answer['missing']} is not installed")
        self.idle_seconds += answer.pop("idle_seconds", 0.0)
        if "error" in answer:
            raise ContenderError(answer["error"])
        return answer

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._answers.put(line)
        self._answers.put("")

    def _last_words(self) -> str:
        code = self._process.wait()
        lines = self._log_path.read_text(errors="replace").strip().splitlines()
        return f"exit code {code}: {lines[-1][:150] if lines else 'no message'}"

    def close(self) -> None:
        """End the worker; one that does not want to is killed."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(timeout=5)
        self._log.close()

    def __enter__(self) -> "Contender":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def worker_variables(threads: int) -> dict[str, str]:
    """Keep every library to ``threads`` threads and TensorFlow quiet; let workers find us."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    limits = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    return {**limits, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3"}
