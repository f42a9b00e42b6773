"""Check, then time: the contenders agree on one step first, then take turns, round after round.

A round asks every variant once for each measure, starting with another contender each time.
Training goes on from round to round, and everybody trains on the same batches in the same order.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.contender import Contender, ContenderError
from benchmarks.machine import Neighbors, busy_seconds
from benchmarks.plan import Plan, Variant
from benchmarks.recipe import load_weights

TOLERANCE = 1e-4
"""How far losses, weights after one step, and probabilities may differ from tinycnn's."""

MATRIX_SIZE = 2048
"""Rows of the matrices whose product shows what the machine can do."""

CHANCE = float(np.log(10))
"""The loss of somebody who knows nothing of ten digits; dead networks have it, too."""

COLUMNS = {
    "images_per_second": None,  # under the name of the turn
    "median_us": "latency_us",
    "p99_us": "latency_p99_us",
    "gflops": "peak_gflops",
}
"""From what a worker calls its values to what they are called in the results."""


@dataclass
class Results:
    """One value a round for every measure and variant, and what was left out and why.

    Measures: "train" and "inference" in images/s, "latency_us" (the median of a turn's calls)
    and "latency_p99_us", and "peak_gflops". ``losses`` are means over the last round, ``others``
    the share of the machine, 0 to 1, that other programs used in each round.
    """

    plan: Plan
    samples: dict[str, dict[Variant, list[float]]] = field(default_factory=dict)
    losses: dict[Variant, float] = field(default_factory=dict)
    others: list[float] = field(default_factory=list)
    failed: dict[Variant, str] = field(default_factory=dict)
    worst_difference: float = 0.0

    def add(self, measure: str, variant: Variant, value: float) -> None:
        self.samples.setdefault(measure, {}).setdefault(variant, []).append(value)

    def drop(self, variant: Variant, error: ContenderError) -> None:
        """Leave a variant out, with all that it did before it failed."""
        self.failed[variant] = f"{', '.join(variant)} ({self.plan}): {error}"
        for rows in self.samples.values():
            rows.pop(variant, None)
        self.losses.pop(variant, None)


Turn = tuple[str, Contender, str]
"""What is done ("peak", "train", "inference" or "latency"), by whom, and in which variant."""


def run(
    contenders: Sequence[Contender],
    plan: Plan,
    neighbors: Neighbors,
    tell: Callable[[str], None] = lambda text: None,
) -> Results:
    """Hold all variants of all contenders to the first one's first, then time them.

    Who did not learn meanwhile is left out: a dead network is fast and proves nothing.
    """
    results = Results(plan)
    turns = _check(contenders, results, tell)
    for number in range(plan.rounds):
        tell(f"{plan}: round {number + 1} of {plan.rounds}")
        _interleave(_in_order(turns, number), results, neighbors)
    for variant, loss in list(results.losses.items()):
        if loss > 0.95 * CHANCE:
            results.drop(variant, ContenderError(f"it learned nothing, its loss is {loss:.2f}"))
    return results


def _interleave(turns: Iterable[Turn], results: Results, neighbors: Neighbors) -> None:
    """Let everybody who has not failed yet take a turn; note how much others disturbed."""
    others = elapsed = 0.0
    for turn in turns:
        variant = turn[1].name, turn[2]
        if variant in results.failed:
            continue
        neighbors.wait()
        busy, start = busy_seconds(), time.perf_counter()
        try:
            others -= _take(turn, results)
        except ContenderError as error:
            results.drop(variant, error)
        others += busy_seconds() - busy
        elapsed += time.perf_counter() - start
    results.others.append(neighbors.share(others, elapsed))


def _check(
    contenders: Sequence[Contender], results: Results, tell: Callable[[str], None]
) -> list[Turn]:
    """Return the turns of those who do what the first contender's first variant does."""
    turns: list[Turn] = []
    reference: dict[str, dict[str, np.ndarray]] = {}
    for contender in contenders:
        contender.ask("load", network=results.plan.network, batch=results.plan.batch)
        for measure, name in _offered(contender, results.plan):
            tell(f"{results.plan}: checking {contender.name}, {name}")
            try:
                found = _first(contender, measure, name)
                _compare(found, reference.setdefault(measure, found), results)
                turns.append((measure, contender, name))
            except ContenderError as error:
                results.drop((contender.name, name), error)
    return turns + _further_turns(contenders, turns)


def _offered(contender: Contender, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield ("train" or "inference", variant) for all that a contender can do."""
    for measure in ("train", "inference"):
        for name in plan.variants(contender.about[measure]):
            yield measure, name


def _further_turns(contenders: Sequence[Contender], turns: Sequence[Turn]) -> list[Turn]:
    """Who predicts batches predicts single images too, and some can do bare arithmetic."""
    latencies = [("latency", who, name) for what, who, name in turns if what == "inference"]
    peaks = [("peak", who, name) for who in contenders for name in who.about["peak"]]
    return peaks + latencies


def _first(contender: Contender, measure: str, variant: str) -> dict[str, np.ndarray]:
    """Return what a variant's first step or prediction gives, as named arrays."""
    if measure == "inference":
        answer = contender.ask("first_prediction", variant=variant)
        return {"probabilities": np.array(answer["probabilities"])}
    answer = contender.ask("first_step", variant=variant)
    return {"loss": np.array(answer["loss"]), **load_weights(answer["weights"])}


def _compare(
    found: dict[str, np.ndarray], expected: dict[str, np.ndarray], results: Results
) -> None:
    for name, z in expected.items():
        if name not in found or found[name].shape != z.shape:
            raise ContenderError(f"its {name} has another shape than tinycnn's")
        difference = float(np.abs(found[name] - z).max())
        if not difference <= TOLERANCE:  # catches NaN too
            raise ContenderError(f"its {name} differs from tinycnn's by {difference:.1e}")
        results.worst_difference = max(results.worst_difference, difference)


def _in_order(turns: Sequence[Turn], number: int) -> Iterator[Turn]:
    """Yield one round: measure by measure, and contender after contender from another one on."""
    for measure in ("peak", "train", "inference", "latency"):
        names = list(dict.fromkeys(who.name for what, who, _ in turns if what == measure))
        first = number % max(1, len(names))
        for name in names[first:] + names[:first]:
            yield from (turn for turn in turns if turn[0] == measure and turn[1].name == name)


def _take(turn: Turn, results: Results) -> float:
    """Let one contender do one thing, note the values, return the processor seconds it took."""
    measure, contender, name = turn
    plan, variant = results.plan, (contender.name, name)
    arguments: dict[str, dict[str, Any]] = {
        "peak": {"variant": name, "size": MATRIX_SIZE},
        "train": {"variant": name, "steps": plan.steps},
        "inference": {"variant": name, "calls": plan.calls},
        "latency": {"variant": name, "calls": plan.latency_calls},
    }
    answer = contender.ask(measure, **arguments[measure])
    if measure == "train":
        if not np.isfinite(answer["loss"]):
            raise ContenderError(f"its loss became {answer['loss']}")
        results.losses[variant] = answer["loss"]
    for key, column in COLUMNS.items():
        if key in answer:
            results.add(column or measure, variant, answer[key])
    return answer["busy_seconds"]
