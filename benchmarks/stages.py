"""Where the time of a training step goes: which stage, and forward or back."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from unittest import mock

from benchmarks.ideas import threads
from benchmarks.operations import Training
from tinycnn.nn import Sequential
from tinycnn.nn.fusion import ConvReLUPool
from tinycnn.nn.layers import Layer
from tinycnn.timing import sleep_until_idle, starting_with

PARTS = {
    "forward": "forward",
    "backward_params": "gradient of w, b",
    "backward_input": "gradient of x",
}
"""Methods of a stage, and the columns for them."""

STEPS = 8
"""Training steps a turn."""

Key = tuple[str, str]
"""A row and a column of the table."""


@dataclass
class Breakdown:
    """Microseconds an image for each part of each stage, one value a round, by threads."""

    samples: dict[int, dict[Key, list[float]]] = field(default_factory=dict)

    def medians(self, count: int) -> dict[Key, float]:
        """Return the median of every part on ``count`` threads."""
        return {key: median(values) for key, values in self.samples[count].items()}


def break_down(training: Training, rounds: int, counts: list[int]) -> Breakdown:
    """Take the steps apart on each number of threads; the threads take turns."""
    breakdown = Breakdown({count: {} for count in counts})
    for number in range(rounds):
        for name in starting_with(number, [str(count) for count in counts]):
            samples = breakdown.samples[int(name)]
            with threads(int(name)):
                for key, value in _turn(training).items():
                    samples.setdefault(key, []).append(value)
    return breakdown


def _turn(training: Training) -> dict[Key, float]:
    """Return microseconds an image of one turn; the last row is what no stage accounts for."""
    sleep_until_idle()
    training.step()
    seconds: dict[Key, float] = {}
    with _timed(training, seconds):
        start = time.perf_counter()
        for _ in range(STEPS):
            training.step()
        total = time.perf_counter() - start
    seconds["everything else", ""] = total - sum(seconds.values())
    return {key: 1e6 * value / STEPS / training.batch for key, value in seconds.items()}


@contextlib.contextmanager
def _timed(training: Training, seconds: dict[Key, float]) -> Iterator[None]:
    """Add what each part of a step takes to ``seconds``."""
    with ExitStack() as stack:
        for owner, method, key in _parts(training):
            seconds[key] = 0.0
            stopwatch = _stopwatch(getattr(owner, method), key, seconds)
            stack.enter_context(mock.patch.object(owner, method, stopwatch))
        yield


def _parts(training: Training) -> list[tuple[Any, str, Key]]:
    """Return (object, method, key) of all that a training step does."""
    trainer, rows = training.trainer, names(training.model)
    stages = [
        (stage, method, (row, part))
        for row, stage in zip(rows, training.model.stages, strict=True)
        for method, part in PARTS.items()
    ]
    return [
        (trainer.model, "prepare", ("gray levels to float32", "forward")),
        *stages,
        (trainer.loss, "forward", ("softmax, cross-entropy", "forward")),
        (trainer.loss, "backward", ("softmax, cross-entropy", "gradient of x")),
        (trainer.optimizer, "step", ("SGD", "gradient of w, b")),
    ]


def names(model: Sequential) -> list[str]:
    """Return a name for every stage, none of them twice."""
    return [f"{number} {_name(stage)}" for number, stage in enumerate(model.stages, 1)]


def _name(stage: Layer) -> str:
    if isinstance(stage, ConvReLUPool):
        return f"{stage.conv}, ReLU, {stage.pool}"
    return repr(stage)


def _stopwatch(method: Callable, key: Key, seconds: dict[Key, float]) -> Callable:
    def timed(*args: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return method(*args, **options)
        finally:
            seconds[key] += time.perf_counter() - start

    return timed
