"""Check, then time: all contenders agree on one step first, then they are timed in rounds.

A round asks every variant once for each measure, starting with another contender each time.
Training goes on from round to round, and all train on the same batches in the same order.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.interleave import starting_with
from benchmarks.machine import Neighbors, busy_seconds
from benchmarks.speed.contender import Contender, ContenderError

TOLERANCE = 2e-3
"""How far losses, weights after a step, and probabilities may differ.

Paper and full ink make windows of equal numbers. Which of them wins, rounding decides, and norms
enlarge what follows: to 1.3e-3 in the weights of ``tiny``. Keras's epsilon of 1e-3 in place of ours
would make a difference of 2.3e-2 or more.
"""

CHANCE = float(np.log(10))
"""The loss of a network that knows nothing of ten digits; dead networks have it, too."""

Variant = tuple[str, str]
"""The name of a contender and that of one of its variants."""


@dataclass(frozen=True)
class Plan:
    """One setting: a round trains on ``images`` and predicts ``latency_calls`` one by one.

    ``only_usual_best`` leaves out all but the first variant of each contender; ``augmented`` is
    training with augmentation, which is all that is measured then.
    """

    network: str = "lenet"
    batch: int = 128
    threads: int = 1
    rounds: int = 7
    images: int = 4096
    latency_calls: int = 500
    only_usual_best: bool = False
    augmented: bool = False

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        augmented = ", augmented" if self.augmented else ""
        return f"{self.network}, batch {self.batch}, {threads}{augmented}"

    @property
    def measures(self) -> dict[str, str]:
        """What is measured, and what is done first, as a check."""
        if self.augmented:
            return {"augmented": "first_augmented"}
        return {"train": "first_step", "inference": "first_prediction"}

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """How much is done in a round, by measure."""
        return {
            "train": {"steps": max(4, min(1000, self.images // self.batch))},
            "augmented": {"count": max(self.images // self.batch, 4) * self.batch},
            "inference": {"calls": max(8, min(2000, 2 * self.images // self.batch))},
            "latency": {"calls": self.latency_calls},
        }


@dataclass
class Results:
    """One value per round for every measure and variant, and what was left out and why.

    Measures: "train" and "inference" in images/s, "latency_us" (the median of a round's calls)
    and "latency_p99_us". ``losses`` are means over the last round, ``others`` the share of the
    machine, 0 to 1, that other programs used in each round.
    """

    plan: Plan
    samples: dict[str, dict[Variant, list[float]]] = field(default_factory=dict)
    losses: dict[Variant, float] = field(default_factory=dict)
    others: list[float] = field(default_factory=list)
    failed: dict[Variant, str] = field(default_factory=dict)
    worst_difference: float = 0.0

    def drop(self, variant: Variant, error: ContenderError) -> None:
        """Leave a variant out, with all that it did before it failed."""
        self.failed[variant] = f"{', '.join(variant)} ({self.plan}): {error}"
        for rows in self.samples.values():
            rows.pop(variant, None)
        self.losses.pop(variant, None)


Task = tuple[str, Contender, str]
"""A measure ("train", "inference" or "latency"), a contender and one of its variants."""


def run(
    contenders: Sequence[Contender],
    plan: Plan,
    neighbors: Neighbors,
    tell: Callable[[str], None] = lambda text: None,
) -> Results:
    """Compare all variants with the first one's first, then time them.

    A variant that did not learn meanwhile is left out: a dead network is fast and proves nothing.
    """
    results = Results(plan)
    tasks = _check(contenders, results, tell)
    for number in range(plan.rounds):
        tell(f"{plan}: round {number + 1} of {plan.rounds}")
        _round(list(_in_order(tasks, number)), results, neighbors)
    for variant, loss in list(results.losses.items()):
        if loss > 0.95 * CHANCE:
            results.drop(variant, ContenderError(f"it learned nothing, its loss is {loss:.2f}"))
    return results


def _check(
    contenders: Sequence[Contender], results: Results, tell: Callable[[str], None]
) -> list[Task]:
    """Return the tasks of the variants that do what the first contender's first variant does."""
    tasks: list[Task] = []
    reference: dict[str, dict[str, np.ndarray]] = {}
    for contender in contenders:
        contender.ask("load", network=results.plan.network, batch=results.plan.batch)
        for measure, first in results.plan.measures.items():
            for name in contender.about[measure][: 1 if results.plan.only_usual_best else None]:
                tell(f"{results.plan}: checking {contender.name}, {name}")
                try:
                    found = contender.ask(first, variant=name)
                    _compare(found, reference.setdefault(measure, found), results)
                    tasks.append((measure, contender, name))
                except ContenderError as error:
                    results.drop((contender.name, name), error)
    return tasks + [("latency", who, name) for what, who, name in tasks if what == "inference"]


def _compare(
    found: dict[str, np.ndarray], expected: dict[str, np.ndarray], results: Results
) -> None:
    for name, z in expected.items():
        if name not in found or found[name].shape != z.shape:
            raise ContenderError(f"its {name} has another shape than tinycnn's")
        difference = float(np.abs(found[name] - z).max())
        if name == "change":  # draws differ, so images may change by half as much, or twice
            difference = 0.0 if 0.5 <= found[name] / z <= 2 else np.inf
        if not difference <= TOLERANCE:  # catches NaN too
            raise ContenderError(f"its {name} differs from tinycnn's by {difference:.1e}")
        results.worst_difference = max(results.worst_difference, difference)


def _in_order(tasks: Sequence[Task], number: int) -> Iterator[Task]:
    """Yield one round: measure by measure, and contender after contender from another one on."""
    for measure in dict.fromkeys(what for what, _, _ in tasks):
        names = list(dict.fromkeys(who.name for what, who, _ in tasks if what == measure))
        for name in starting_with(number, names):
            yield from (task for task in tasks if task[0] == measure and task[1].name == name)


def _round(tasks: Sequence[Task], results: Results, neighbors: Neighbors) -> None:
    """Time every variant that has not failed yet; note how much others disturbed."""
    others = elapsed = 0.0
    for task in tasks:
        variant = task[1].name, task[2]
        if variant in results.failed:
            continue
        neighbors.wait()
        busy, start = busy_seconds(), time.perf_counter()
        try:
            _measure(task, variant, results)
            others -= task[1].busy_seconds
        except ContenderError as error:
            results.drop(variant, error)
        others += busy_seconds() - busy
        elapsed += time.perf_counter() - start
    results.others.append(neighbors.share(others, elapsed))


def _measure(task: Task, variant: Variant, results: Results) -> None:
    """Let one contender do one thing, and note the values."""
    measure, contender, name = task
    answer = contender.ask(measure, variant=name, **results.plan.counts[measure])
    if "loss" in answer:
        results.losses[variant] = answer.pop("loss")
        if not np.isfinite(results.losses[variant]):
            raise ContenderError(f"its loss became {results.losses[variant]}")
    for column, value in answer.items():
        results.samples.setdefault(column, {}).setdefault(variant, []).append(value)
