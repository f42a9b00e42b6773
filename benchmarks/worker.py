"""One contender in a process of its own: ``python -m benchmarks.worker MODULE THREADS FOLDER``.

It reads commands and writes answers, one JSON object a line, on what were stdin and stdout when
it started; whatever a framework prints goes to stderr. Every answer comes after the contender's
threads have gone to sleep, so that the next one to run has the machine to itself.
"""

import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TextIO

import numpy as np

from benchmarks import recipe
from benchmarks.peers import Predictor, Trainer
from benchmarks.race import run_race
from tinycnn.timing import sleep_until_idle

UNTIMED = 3
"""Calls before each timing, to wake threads and caches."""

PEAKS = {"registers": "arithmetic", "matrix product": "matrix_product"}
"""Ways to find out what the machine can do, and the peer's function for each."""


class Worker:
    """The commands: every public method is one, and its arguments and result are JSON."""

    def __init__(self, peer: ModuleType, import_seconds: float, folder: Path) -> None:
        self._peer, self._import_seconds, self._folder = peer, import_seconds, folder
        self._trainers: dict[str, Trainer] = {}
        self._predictors: dict[str, Predictor] = {}
        self._next: dict[str, int] = {}
        self._batches: dict[str, list] = {}

    def hello(self) -> dict:
        """What this contender is and which variants it has."""
        return {
            "versions": self._peer.versions(),
            "import_seconds": self._import_seconds,
            "train": list(self._peer.TRAINERS),
            "inference": list(self._peer.PREDICTORS),
            "peak": [name for name in PEAKS if hasattr(self._peer, PEAKS[name])],
        }

    def load(self, network: str, batch: int) -> dict:
        """Take up a network and a batch size, and forget those before."""
        self._network, self._batch = recipe.NETWORKS[network], batch
        self._weights = recipe.load_weights(self._folder / f"{network}.npz")
        self._digits = recipe.load_digits(self._folder, "train")
        for store in (self._trainers, self._predictors, self._next, self._batches):
            store.clear()
        return {}

    def first_step(self, variant: str) -> dict:
        """Build the network, train on the first batch, save the weights that come out."""
        lr = recipe.learning_rate(self._batch)
        trainer = self._peer.TRAINERS[variant](self._network, self._weights, lr)
        self._trainers[variant], self._next[variant] = trainer, 1
        parts = recipe.batches(*self._digits, self._batch)
        self._batches[variant] = [trainer.batch(*part) for part in parts]
        loss = float(trainer.step(self._batches[variant][0]))
        path = self._folder / f"{self._peer.__name__}-{os.getpid()}.npz"
        recipe.save_weights(path, trainer.weights())
        return {"loss": loss, "weights": str(path)}

    def first_prediction(self, variant: str) -> dict:
        """Build the network and return the first batch's probabilities."""
        make = self._peer.PREDICTORS[variant]
        self._predictors[variant] = make(self._network, self._weights, self._folder)
        p = self._predictors[variant](self._digits[0][: self._batch])
        return {"probabilities": np.asarray(p).tolist()}

    def train(self, variant: str, steps: int) -> dict:
        """Train on the next ``steps`` batches; all contenders do the same ones in one order.

        The loss is the mean over all steps.
        """
        self._steps(variant, UNTIMED)
        start = time.perf_counter()
        losses = self._steps(variant, steps)
        losses[-1] = float(losses[-1])  # whatever works behind our back has finished then
        seconds = time.perf_counter() - start
        loss = statistics.fmean(map(float, losses))
        return {"images_per_second": steps * self._batch / seconds, "loss": loss}

    def _steps(self, variant: str, steps: int) -> list:
        """Take ``steps`` steps from where the variant stands; return the losses."""
        trainer, batches = self._trainers[variant], self._batches[variant]
        first = self._next[variant]
        self._next[variant] = first + steps
        return [trainer.step(batches[n % len(batches)]) for n in range(first, first + steps)]

    def inference(self, variant: str, calls: int) -> dict:
        """Predict ``calls`` batches."""
        predict = self._predictors[variant]
        parts = [images for images, _ in recipe.batches(*self._digits, self._batch)]
        for number in range(UNTIMED):
            predict(parts[number % len(parts)])
        start = time.perf_counter()
        for number in range(calls):
            predict(parts[number % len(parts)])
        seconds = time.perf_counter() - start
        return {"images_per_second": calls * self._batch / seconds}

    def latency(self, variant: str, calls: int) -> dict:
        """Predict single images, each timed by itself."""
        predict, images = self._predictors[variant], self._digits[0]
        microseconds = []
        for number in range(-10 * UNTIMED, calls):
            image = images[number : number + 1] if number >= 0 else images[:1]
            start = time.perf_counter()
            predict(image)
            if number >= 0:
                microseconds.append((time.perf_counter() - start) * 1e6)
        return {
            "median_us": statistics.median(microseconds),
            "p99_us": float(np.percentile(microseconds, 99)),
        }

    def peak(self, variant: str, size: int) -> dict:
        """Sums in registers, or a product of size x size matrices; the fastest counts."""
        if PEAKS[variant] == "arithmetic":
            return {"gflops": self._peer.arithmetic()}
        a, b = np.random.default_rng(0).random((2, size, size), dtype=np.float32)
        seconds = []
        for _ in range(UNTIMED):
            start = time.perf_counter()
            product = self._peer.matrix_product(a, b)
            seconds.append(time.perf_counter() - start)
        np.testing.assert_allclose(product[:4], a[:4] @ b, rtol=1e-3)
        return {"gflops": 2 * size**3 / min(seconds) / 1e9}

    def race(self, variant: str, rates: list[float], target: float, seed: int) -> dict:
        """Train until ``target`` of the test digits are read; see ``benchmarks.race``."""

        def make() -> Trainer:
            return self._peer.TRAINERS[variant](self._network, self._weights, rates[0])

        test = recipe.load_digits(self._folder, "test")
        return run_race(make, self._digits, test, rates, self._batch, target, seed)

    def memory(self) -> dict:
        return {"peak_mb": peak_memory_mb()}


def serve(find: Callable[[str], Callable], questions: TextIO, answers: TextIO) -> None:
    """Answer one command a line until there are no more."""
    idle_since = None
    for line in questions:
        used = time.process_time()
        idle = used - idle_since if idle_since is not None else 0.0
        command = json.loads(line)
        try:
            answer = find(command.pop("do"))(**command)
        except Exception as error:
            answer = {"error": _one_line(error)}
        sleep_until_idle()
        answer |= {"idle_seconds": idle, "busy_seconds": time.process_time() - used}
        print(json.dumps(answer), file=answers, flush=True)
        idle_since = time.process_time()


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"[:200]


def peak_memory_mb() -> float:
    """The largest resident memory that this process ever had."""
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _keep_stdout_for_answers() -> TextIO:
    """Return the real stdout, and send what anybody prints to stderr, C libraries included."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def main() -> None:
    module, threads, folder = sys.argv[1:]
    answers = _keep_stdout_for_answers()
    start = time.perf_counter()
    try:
        peer = importlib.import_module(module)
    except ImportError as error:
        print(json.dumps({"missing": error.name or str(error)}), file=answers, flush=True)
        return
    worker = Worker(peer, time.perf_counter() - start, Path(folder))
    peer.configure(int(threads))
    serve(lambda name: getattr(worker, name), sys.stdin, answers)


if __name__ == "__main__":
    main()
