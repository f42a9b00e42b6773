"""Versions of one piece of work take turns, so that whatever disturbs the machine hits them all.

Figures from different runs on a shared machine cannot be compared; medians of rounds can, and
still better the ratios of turns of the same round.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median

from benchmarks.worker import sleep_until_idle

TURN_SECONDS = 0.03
"""Short work is repeated until a turn takes about so long."""


@dataclass(frozen=True)
class Version:
    """Work to be timed, and the setting in which it runs: a context entered for each turn."""

    work: Callable[[], object]
    setting: Callable[[], AbstractContextManager] = contextlib.nullcontext


@dataclass(frozen=True)
class Comparison:
    """One value a round for each version, in ``unit``; less is better, the first is the base."""

    title: str
    unit: str
    samples: dict[str, list[float]]

    def medians(self) -> dict[str, float]:
        """Return the median of each version."""
        return {name: median(values) for name, values in self.samples.items()}

    def ratios(self) -> dict[str, float]:
        """Return by how much each version takes longer than the first: medians over rounds."""
        base, *_ = self.samples.values()
        return {
            name: median(value / b for value, b in zip(values, base, strict=True))
            for name, values in self.samples.items()
        }


def take_turns(versions: Mapping[str, Version], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of one call of each version, one value a round."""
    repeats = {name: _repeats(version) for name, version in versions.items()}
    seconds: dict[str, list[float]] = {name: [] for name in versions}
    for number in range(rounds):
        for name in starting_with(number, list(versions)):
            seconds[name].append(_turn(versions[name], repeats[name]))
    return seconds


def starting_with(number: int, names: list[str]) -> list[str]:
    """Return the names in their order, beginning with another one in every round."""
    first = number % len(names)
    return names[first:] + names[:first]


def compare(
    title: str, versions: Mapping[str, Version], rounds: int, images: int = 128
) -> Comparison:
    """Let versions take turns; a call of each handles so many ``images``."""
    seconds = take_turns(versions, rounds)
    each = {name: [1e6 * s / images for s in values] for name, values in seconds.items()}
    return Comparison(title, "µs an image" if images > 1 else "µs", each)


def _repeats(version: Version) -> int:
    """Return how often to repeat the work in a turn; the very first call may compile."""
    _turn(version, 1)
    return max(1, min(10_000, round(TURN_SECONDS / _turn(version, 1))))


def _turn(version: Version, repeats: int) -> float:
    """Return the seconds of one call, after one that only fills caches and wakes threads."""
    sleep_until_idle()  # the threads of the version before
    with version.setting():
        version.work()
        start = time.perf_counter()
        for _ in range(repeats):
            version.work()
        return (time.perf_counter() - start) / repeats
