"""What a contender can be asked to do in its process, and how that is timed."""

import importlib
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import peak_megabytes
from benchmarks.speed import race
from benchmarks.speed.peers import PeerTrainer, Predictor
from benchmarks.speed.workload import Training, Weights, Workload, batches, learning_rate

UNTIMED = 3
"""Calls before each timing, to wake threads and caches."""


class Worker:
    """A framework and what it has built. The public methods are what can be asked for."""

    def __init__(self, module: str, threads: int, work: Workload, folder: Path) -> None:
        start = time.perf_counter()
        self._peer = importlib.import_module(module)
        self._import_seconds = time.perf_counter() - start
        self._peer.configure(threads)
        self._work, self._folder = work, folder

    def hello(self) -> dict:
        """The contender's versions and variants."""
        return {
            "versions": self._peer.versions(),
            "import_seconds": self._import_seconds,
            "train": list(self._peer.TRAINERS),
            "inference": list(self._peer.PREDICTORS),
            "augmented": list(self._peer.TRAINERS),
        }

    def load(self, network: str, batch: int) -> dict:
        """Take a network and a batch size, and forget those before."""
        self._network, self._batch = self._work.networks[network], batch
        self._weights: Weights = self._work.weights[network]
        self._parts = batches(*self._work.train, batch)
        self._trainers: dict[str, PeerTrainer] = {}
        self._predictors: dict[str, Predictor] = {}
        self._next: dict[str, int] = {}
        self._batches: dict[str, list] = {}
        return {}

    def first_step(self, variant: str) -> dict:
        """Build the network and train on the first batch; loss and weights afterwards."""
        trainer = self._trainer(variant, self._weights, learning_rate(self._batch))
        self._trainers[variant], self._next[variant] = trainer, 1
        self._batches[variant] = [trainer.batch(*part) for part in self._parts]
        loss = float(trainer.step(self._batches[variant][0]))
        return {"loss": np.array(loss), **trainer.weights()}

    def _trainer(self, variant: str, *given: Any) -> PeerTrainer:
        return self._peer.TRAINERS[variant](self._network, *given)

    def first_prediction(self, variant: str) -> dict:
        """Build the network and return the first batch's probabilities."""
        make = self._peer.PREDICTORS[variant]
        self._predictors[variant] = make(self._network, self._weights, self._folder)
        return {"probabilities": np.asarray(self._predictors[variant](self._parts[0][0]))}

    def train(self, variant: str, steps: int) -> dict:
        """Train on the next ``steps`` batches; all contenders do the same ones in one order.

        The loss is the mean over all steps.
        """
        self._steps(variant, UNTIMED)
        start = time.perf_counter()
        losses = self._steps(variant, steps)
        losses[-1] = float(losses[-1])  # steps that were only queued are done then
        seconds = time.perf_counter() - start
        loss = statistics.fmean(map(float, losses))
        return {"train": steps * self._batch / seconds, "loss": loss}

    def _steps(self, variant: str, steps: int) -> list:
        trainer, parts = self._trainers[variant], self._batches[variant]
        first = self._next[variant]
        self._next[variant] = first + steps
        return [trainer.step(parts[n % len(parts)]) for n in range(first, first + steps)]

    def first_augmented(self, variant: str) -> dict:
        """Train on two augmented batches; return by how much images change, in gray levels."""
        images, labels = (z[: 2 * self._batch] for z in self._work.train)
        rates = [learning_rate(self._batch)] * 2
        training = Training(self._work.limits)
        trainer = self._trainer(variant, self._weights, rates[0], training)
        self._trainers[variant] = trainer
        trainer.epoch(images, labels, rates)
        some = images[: self._batch]
        changes = [abs(trainer.augmented(some) - some.astype(float)).mean() for _ in range(8)]
        return {"change": np.mean(changes)}

    def augmented(self, variant: str, count: int) -> dict:
        """Train on ``count`` augmented images in a new order, everything included."""
        images, labels = (z[:count] for z in self._work.train)
        rates = [learning_rate(self._batch)] * (len(images) // self._batch)
        start = time.perf_counter()
        loss = self._trainers[variant].epoch(images, labels, rates)
        return {"train": len(images) / (time.perf_counter() - start), "loss": loss}

    def inference(self, variant: str, calls: int) -> dict:
        """Predict ``calls`` batches."""
        predict = self._predictors[variant]
        for number in range(-UNTIMED, calls):
            if number == 0:
                start = time.perf_counter()
            predict(self._parts[number % len(self._parts)][0])
        return {"inference": calls * self._batch / (time.perf_counter() - start)}

    def latency(self, variant: str, calls: int) -> dict:
        """Predict single images, each timed by itself."""
        predict, (images, _) = self._predictors[variant], self._work.train
        microseconds = []
        for number in range(-10 * UNTIMED, calls):
            image = images[number : number + 1] if number >= 0 else images[:1]
            start = time.perf_counter()
            predict(image)
            if number >= 0:
                microseconds.append((time.perf_counter() - start) * 1e6)
        return {
            "latency_us": statistics.median(microseconds),
            "latency_p99_us": float(np.percentile(microseconds, 99)),
        }

    def race(
        self, variant: str, weights: Weights, rates: list[float], target: float, training: Training
    ) -> dict:
        """Train until ``target`` of the test digits are read right, or ``rates`` are over."""
        start = time.perf_counter()
        trainer = self._trainer(variant, weights, rates[0], training)
        images, labels = (z[: 2 * self._batch] for z in self._work.train)
        trainer.epoch(images, labels, [0.0, 0.0])  # compiles, and changes nothing
        seconds = time.perf_counter() - start
        curve = race.run(trainer, self._work, rates, self._batch, target)
        return {"seconds_before": seconds, "curve": curve}

    def memory(self) -> dict:
        """The most memory that this process ever had."""
        return {"peak_mb": peak_megabytes()}
