"""The results of a sweep: accuracy of every setting, and how far it is behind the best one."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, mean
from typing import Any

import numpy as np

from tinycnn.data import Dataset
from tinycnn.evaluate.evaluation import evaluate
from tinycnn.metrics import Interval, Score, design_effect, interval_text, text_table
from tinycnn.nn import Sequential
from tinycnn.sweep.trials import Trial
from tinycnn.train.run import Result


@dataclass(frozen=True, eq=False)
class SettingResult:
    """One setting; ``right`` (S,N) says which of N validation images each of S runs reads."""

    setting: str
    runs: list[Result]
    right: np.ndarray
    failed: int

    @property
    def score(self) -> Score:
        """All answers; S answers to one image tend to agree, which the interval allows for."""
        answers, wrong = self.right.ravel(), int(np.count_nonzero(~self.right))
        images = np.tile(np.arange(self.right.shape[1]), len(self.runs))
        return Score(answers.size, wrong, design_effect(answers, images))

    def behind(self, best: "SettingResult") -> tuple[float, Interval]:
        """How much less accurate than ``best`` it is, with a 95 % interval, paired by image.

        Image n adds d[n], the share of seeds that read it in ``best`` minus the share here. The
        mean of N independent d has the standard error std(d) / sqrt(N).
        """
        d = best.right.mean(axis=0) - self.right.mean(axis=0)
        half = NormalDist().inv_cdf(0.975) * d.std() / len(d) ** 0.5
        return d.mean(), (d.mean() - half, d.mean() + half)

    def as_dict(self, best: "SettingResult") -> dict[str, Any]:
        figures: dict[str, Any] = {"setting": self.setting, "failed": self.failed}
        if self.runs:
            behind, interval = self.behind(best)
            figures |= self.score.as_dict() | {"behind": behind, "behind_interval95": interval}
        return {
            **figures,
            "runs": [run.run_dir for run in self.runs],
            "accuracies": [float(answers.mean()) for answers in self.right],
            "seconds": [run.seconds for run in self.runs],
        }


def collect(trials: Sequence[Trial], dataset: Dataset) -> list[SettingResult]:
    """The results, the best first; accuracy is that on validation images."""
    found = []
    for setting in dict.fromkeys(trial.setting for trial in trials):
        of_setting = [trial for trial in trials if trial.setting == setting]
        runs = [result for trial in of_setting if (result := trial.result)]
        models = [Sequential.load(run.weights) for run in runs]
        evaluations = [evaluate(model, dataset, "validation") for model in models]
        right = np.array([z.answers == z.labels for z in evaluations], bool)
        found.append(SettingResult(setting, runs, right, len(of_setting) - len(runs)))
    return sorted(found, key=lambda each: each.right.mean() if each.runs else 0, reverse=True)


def results_table(results: Sequence[SettingResult]) -> str:
    """The results in columns of text."""
    head = ["validation %", "95 % interval", "behind", "seeds", "failed", "seconds", "setting"]
    rows = []
    for number, each in enumerate(results):
        cells = ["-", "-", "-", "0", str(each.failed), "-"]
        if each.runs:
            behind, (low, high) = each.behind(results[0])
            cells = [
                f"{100 * each.score.accuracy:.2f}",
                interval_text(each.score.interval),
                f"{100 * behind:.2f} ({100 * low:.2f} to {100 * high:.2f})" if number else "-",
                str(len(each.runs)),
                str(each.failed),
                f"{mean(run.seconds for run in each.runs):.1f}",
            ]
        rows.append([*cells, each.setting])
    return text_table(head, rows, left=[len(head) - 1])
