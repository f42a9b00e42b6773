"""Time several versions of the same work alternately, so that other load slows all of them.

Times from different runs on a shared machine cannot be compared. Medians over rounds can, and
ratios of times from the same round even better. This module needs nothing but Python, so that a
contender's process holds nothing of the others.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

MEASURE_SECONDS = 0.03
"""Short work is repeated until one measurement takes about this long."""


@dataclass(frozen=True)
class Version:
    """Work to be timed, and its setting: a context entered for each measurement."""

    work: Callable[[], object]
    setting: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext


def interleave(versions: Mapping[str, Version], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of one call of each version, one value per round."""
    repeats = {name: _repeats(version) for name, version in versions.items()}
    seconds: dict[str, list[float]] = {name: [] for name in versions}
    for number in range(rounds):
        for name in starting_with(number, list(versions)):
            seconds[name].append(_measure(versions[name], repeats[name]))
    return seconds


def starting_with(number: int, names: list[str]) -> list[str]:
    """Return the names in their order, starting with a different one in each round."""
    first = number % len(names)
    return names[first:] + names[:first]


def sleep_until_idle() -> None:
    """Wait, two seconds at most, until this process is idle: its threads spin for a while."""
    give_up = time.perf_counter() + 2
    while time.perf_counter() < give_up:
        before = time.process_time()
        time.sleep(0.005)
        if time.process_time() - before < 0.0001:
            return


def _repeats(version: Version) -> int:
    """Return how often one measurement repeats the work; the first call may compile."""
    _measure(version, 1)
    return max(1, min(10_000, round(MEASURE_SECONDS / _measure(version, 1))))


def _measure(version: Version, repeats: int) -> float:
    """Return the seconds of one call, after a call that fills the caches and wakes the threads."""
    sleep_until_idle()  # threads of the previous version may still spin
    with version.setting():
        version.work()
        start = time.perf_counter()
        for _ in range(repeats):
            version.work()
        return (time.perf_counter() - start) / repeats
