"""The results of a sweep: mean, deviation and time of every setting, the best first."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tinycnn.cli import option
from tinycnn.metrics import text_table
from tinycnn.sweep.folder import SweepFolder
from tinycnn.sweep.plan import SweepPlan


@dataclass
class SettingResult:
    """A setting with the accuracies of its trials, one for each seed.

    ``test`` is empty unless the trials were tested, ``seconds`` are those of training, and
    ``failed`` counts trials that diverged.
    """

    setting: dict[str, Any]
    trials: list[str] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def name(self) -> str:
        """The setting as command-line options."""
        options = (f"{option(name)} {value}" for name, value in self.setting.items())
        return " ".join(options) or "defaults"

    def as_dict(self) -> dict[str, Any]:
        """The result, ready for JSON."""
        content = {**asdict(self), "n": len(self.validation)}
        for part in ("validation", "test", "seconds"):
            content[f"{part}_mean"] = mean(getattr(self, part))
            content[f"{part}_deviation"] = deviation(getattr(self, part))
        return content


def mean(numbers: Sequence[float]) -> float | None:
    """The mean, or None without numbers."""
    return statistics.mean(numbers) if numbers else None


def deviation(numbers: Sequence[float]) -> float | None:
    """The standard deviation of a sample; None if there are fewer than two numbers."""
    return statistics.stdev(numbers) if len(numbers) > 1 else None


def collect(folder: SweepFolder, plan: SweepPlan, tested: bool) -> list[SettingResult]:
    """The results of a finished sweep, the best first; with ``tested``, on test images too."""
    found: dict[str, SettingResult] = {}
    for trial in plan.trials():
        each = found.setdefault(repr(trial.setting), SettingResult(dict(trial.setting)))
        outcome, result = folder.outcome(trial.name), folder.result(trial.name)
        if outcome is None or "error" in outcome:
            each.failed += 1
            continue
        each.trials.append(trial.name)
        each.validation.append(outcome["validation_accuracy"])
        each.seconds.append(outcome["seconds"])
        if tested and result:
            each.test.append(result["test_accuracy"])
    return sorted(found.values(), key=lambda each: mean(each.validation) or 0.0, reverse=True)


def results_table(results: Sequence[SettingResult]) -> str:
    """The results in columns of text."""
    tested = any(each.test for each in results)
    head = ["validation %", *(["test %"] if tested else []), "n", "failed", "seconds", "setting"]
    rows = []
    for each in results:
        accuracies = [_percent(each.validation), *([_percent(each.test)] if tested else [])]
        seconds = f"{statistics.mean(each.seconds):.1f}" if each.seconds else "-"
        rows.append([*accuracies, str(len(each.validation)), str(each.failed), seconds, each.name])
    return text_table(head, rows, left=[len(head) - 1])


def _percent(accuracies: Sequence[float]) -> str:
    if not accuracies:
        return "-"
    spread = deviation(accuracies)
    plus_minus = "" if spread is None else f" +- {100 * spread:.2f}"
    return f"{100 * statistics.mean(accuracies):.2f}{plus_minus}"
