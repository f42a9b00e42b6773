"""What ``python -m benchmarks.kernels`` finds: whether all is right, then how long it takes."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.ideas import compare_ideas
from benchmarks.machine import Neighbors, busy_seconds
from benchmarks.operations import (
    Timing,
    Training,
    check,
    living_shares,
    recorded_calls,
    time_operations,
)
from benchmarks.peak import time_peaks
from benchmarks.stages import Breakdown, break_down
from benchmarks.starting import compare_starts, compare_waiting
from benchmarks.timing import Comparison

TABLES = ("operations", "ideas", "stages", "starts", "waiting")
FEW_ROUNDS = 3
"""Rounds of tables that start processes."""


@dataclass
class Report:
    """All that was found; what was not asked for is empty."""

    checked: int
    worst_difference: float
    peaks: dict[str, list[float]] = field(default_factory=dict)
    operations: list[Timing] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    stages: Breakdown = field(default_factory=Breakdown)
    living: list[float] = field(default_factory=list)
    used_by_others: float = 0.0


def measure(
    tables: Sequence[str],
    rounds: int,
    threads: int,
    tell: Callable[[str], None] = lambda text: None,
) -> Report:
    """Check, then time what ``tables`` name."""
    others, start = _seconds_of_others(), time.perf_counter()
    tell("training a little, and checking every operation on what is found there")
    training = Training()
    calls = recorded_calls(training)
    report = Report(len(calls), check(calls))
    if "operations" in tables:
        report.peaks = time_peaks(rounds)
        report.operations = time_operations(calls, rounds, tell)
    if "ideas" in tables:
        report.living = living_shares(calls)
        report.comparisons += compare_ideas(training, calls, rounds, tell)
    if "stages" in tables:
        tell("taking training steps apart")
        report.stages = break_down(training, rounds, sorted({1, threads}))
    _time_processes(report, tables, min(rounds, FEW_ROUNDS), tell)
    elapsed = time.perf_counter() - start
    report.used_by_others = Neighbors.share(_seconds_of_others() - others, elapsed)
    return report


def _time_processes(
    report: Report, tables: Sequence[str], rounds: int, tell: Callable[[str], None]
) -> None:
    if "starts" in tables:
        tell("starting processes with empty caches")
        report.comparisons.append(compare_starts(rounds))
    if "waiting" in tables:
        tell("watching threads that wait")
        report.comparisons.append(compare_waiting(rounds))


def _seconds_of_others() -> float:
    """Return the processor seconds that neither this process nor a child of it ever used."""
    return busy_seconds() - sum(os.times()[:4])
