"""Versions of one piece of work take turns, so that whatever disturbs the machine hits them all.

Figures from different runs on a shared machine cannot be compared; medians of rounds can, and
still better the ratios of turns of the same round.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

TURN_SECONDS = 0.03
"""Short work is repeated until a turn takes about so long."""


@dataclass(frozen=True)
class Version:
    """Work to be timed, and the setting in which it runs: a context entered for each turn."""

    work: Callable[[], object]
    setting: Callable[[], AbstractContextManager] = contextlib.nullcontext


def interleave(versions: Mapping[str, Version], rounds: int) -> dict[str, list[float]]:
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


def sleep_until_idle(pause: float = 0.005, limit: float = 2.0) -> None:
    """Wait until this process uses no processor time any more: threads spin for a while."""
    give_up = time.perf_counter() + limit
    while time.perf_counter() < give_up:
        before = time.process_time()
        time.sleep(pause)
        if time.process_time() - before < pause / 50:
            return


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


def duration(seconds: float) -> str:
    """A time as a person would want to read it, three figures."""
    rounded = float(f"{seconds:.3g}")
    unit, size = next(
        (pair for pair in (("s", 1), ("ms", 1e-3)) if rounded >= pair[1]), ("µs", 1e-6)
    )
    return f"{rounded / size:,g} {unit}"
