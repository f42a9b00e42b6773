"""The results of a sweep: mean, deviation and time of every setting, the best first."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tinycnn.cli import option
from tinycnn.metrics import text_table
from tinycnn.plots import draw, name_rows, plot_rows
from tinycnn.sweep.folder import SweepFolder
from tinycnn.sweep.plan import SweepPlan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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


MOST = 40
"""Settings that are drawn; beyond these, the best ones."""


def draw_chart(results: Sequence[SettingResult], title: str, form: str = "svg") -> bytes:
    """Errors and seconds of each setting, the best on top, as an SVG or PNG file.

    A pale dot is a trial; the bar reaches one standard deviation to either side of the mean.
    """
    shown = [each for each in results if each.validation][:MOST]

    def paint(figure: "Figure") -> None:
        errors, seconds = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
        _plot_errors(errors, [each.validation for each in shown], "validation", 0)
        _plot_errors(errors, [each.test for each in shown], "test", 1)
        seconds.barh(range(len(shown)), [statistics.mean(each.seconds) for each in shown], 0.6)
        name_rows(errors, [each.name for each in shown])
        errors.set(xlabel="errors (%)", title=title, xlim=(0, None))
        errors.grid(axis="x")
        errors.legend()
        seconds.set(xlabel="seconds of training")

    return draw(paint, 9, 1.4 + 0.34 * max(3, len(shown)), form)


def _plot_errors(
    axes: "Axes", accuracies: Sequence[Sequence[float]], label: str, style: int
) -> None:
    """Plot the trials of each row and their mean; a row may have none."""
    wrong = {y: [100 * (1 - a) for a in each] for y, each in enumerate(accuracies) if each}
    if not wrong:
        return
    trials = [(error, y) for y, errors in wrong.items() for error in errors]
    values, rows = zip(*trials, strict=True)
    plot_rows(axes, rows, values, style, markersize=4, alpha=0.4)
    means = [statistics.mean(errors) for errors in wrong.values()]
    spreads = [deviation(errors) or 0.0 for errors in wrong.values()]
    plot_rows(axes, [*wrong], means, style, xerr=spreads, capsize=4, label=label)
