"""What a sweep found: for every setting mean, deviation and time, the best on validation first."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tinycnn.sweep.folder import SweepFolder
from tinycnn.sweep.plan import Plan
from tinycnn.train.recipe import option


@dataclass
class Row:
    """A setting with the accuracies of its trials, one a seed; ``test`` is empty if not asked for.

    ``seconds`` of training, and ``failed``: how many trials diverged.
    """

    setting: dict[str, Any]
    trials: list[str] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def name(self) -> str:
        """The setting in words."""
        words = (f"{option(name)} {value}" for name, value in self.setting.items())
        return " ".join(words) or "as it comes"

    def as_dict(self) -> dict[str, Any]:
        """The row, ready for JSON."""
        means = {
            f"{part}_{what}": function(getattr(self, part))
            for part in ("validation", "test", "seconds")
            for what, function in (("mean", mean), ("deviation", deviation))
        }
        return {**asdict(self), "n": len(self.validation), **means}


def mean(numbers: Sequence[float]) -> float | None:
    """The mean, or None of no numbers."""
    return statistics.mean(numbers) if numbers else None


def deviation(numbers: Sequence[float]) -> float | None:
    """The standard deviation of a sample, which one number does not have."""
    return statistics.stdev(numbers) if len(numbers) > 1 else None


def collect(folder: SweepFolder, plan: Plan, tested: bool) -> list[Row]:
    """The rows of a sweep that is over; with ``tested``, what test images said as well."""
    rows: dict[str, Row] = {}
    for trial in plan.trials():
        row = rows.setdefault(repr(trial.setting), Row(dict(trial.setting)))
        outcome, result = folder.outcome(trial.name), folder.result(trial.name)
        if outcome is None or "error" in outcome:
            row.failed += 1
            continue
        row.trials.append(trial.name)
        row.validation.append(outcome["validation_accuracy"])
        row.seconds.append(outcome["seconds"])
        if tested and result:
            row.test.append(result["test_accuracy"])
    return sorted(rows.values(), key=lambda row: mean(row.validation) or 0.0, reverse=True)


def table(rows: Sequence[Row]) -> str:
    """The rows in columns, for people."""
    tested = any(row.test for row in rows)
    columns = ["validation %", *(["test %"] if tested else []), "n", "failed", "seconds"]
    lines = [[*columns, "setting"]]
    for row in rows:
        accuracies = [_percent(row.validation), *([_percent(row.test)] if tested else [])]
        seconds = mean(row.seconds)
        counts = [str(len(row.validation)), str(row.failed)]
        time = "-" if seconds is None else f"{seconds:.1f}"
        lines.append([*accuracies, *counts, time, row.name])
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    return "\n".join(
        "  ".join([*map(str.rjust, line, widths), line[-1]])
        for line in lines  # the last column, of any width, stays as it is
    )


def _percent(accuracies: Sequence[float]) -> str:
    if not accuracies:
        return "-"
    spread = deviation(accuracies)
    plus_minus = "" if spread is None else f" +- {100 * spread:.2f}"
    return f"{100 * statistics.mean(accuracies):.2f}{plus_minus}"
