"""What one call of ``benchmarks.versus`` does: prepare the work, start the contenders, measure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import cold_start, race, recipe, rounds
from benchmarks.contender import Contender, ContenderError
from benchmarks.machine import Neighbors
from benchmarks.peers.tinycnn_peer import build, get_weights
from benchmarks.plan import Plan, Variant
from benchmarks.summary import OURS, best
from tinycnn.data import Dataset
from tinycnn.errors import DataError, TinyCNNError
from tinycnn.nn import one_cycle

BATCHES = (1, 32, 128, 512)

RACE_EPOCHS = 4
"""Epochs that the one-cycle schedule of a race takes; most races are over before."""

RACE_RATE = 0.1
"""The highest learning rate of that schedule, which begins and ends much lower."""


@dataclass
class Study:
    """The work, who does it (name -> module, tinycnn first), and all that came out.

    ``results`` is one setting in depth, ``grid`` the best of everybody in many settings.
    """

    folder: Path
    modules: Mapping[str, str]
    neighbors: Neighbors = field(default_factory=Neighbors)
    tell: Callable[[str], None] = print
    train_count: int = 0
    results: rounds.Results = field(default_factory=lambda: rounds.Results(Plan()))
    grid: list[rounds.Results] = field(default_factory=list)
    starts: list[cold_start.Start] = field(default_factory=list)
    races: list[race.Race] = field(default_factory=list)
    finals: dict[Variant, list[float]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    idle_seconds: dict[str, float] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def prepare(self, digits: Dataset) -> None:
        """Lay out the digits and every network's first weights, nearly those tinycnn draws."""
        if digits.image_size != recipe.INPUT_SHAPE[:2] or len(digits.class_names) > 10:
            raise DataError(f"{digits.name}: the networks here read 28x28 images of 10 classes")
        self.train_count = len(digits.train_images)
        recipe.save_digits(
            self.folder,
            train_images=digits.train_images,
            train_labels=digits.train_labels.astype(np.int64),
            test_images=digits.test_images,
            test_labels=digits.test_labels.astype(np.int64),
        )
        for name, network in recipe.NETWORKS.items():
            weights = off_the_kink(get_weights(build(network)))
            recipe.save_weights(self.folder / f"{name}.npz", weights)

    def measure(self, plan: Plan) -> None:
        """Check and time everything in one setting."""
        if plan.batch > self.train_count:
            raise DataError(f"{self.train_count} training images are no batch of {plan.batch}")
        (self.results,) = self._measure([plan])
        if best(self.results, "train", OURS) is None:
            raise TinyCNNError(f"tinycnn itself could not be timed: {'; '.join(self.left_out)}")

    def measure_grid(self, plan: Plan, thread_counts: Sequence[int]) -> None:
        """Measure all networks with all numbers of threads and all batch sizes."""
        for network in recipe.NETWORKS:
            for threads in thread_counts:
                settings = replace(plan, network=network, threads=threads)
                self.grid += self._measure([replace(settings, batch=size) for size in BATCHES])

    def start_all(self) -> None:
        """Start everybody's variant that counts in a process of its own."""
        for name, module in self.modules.items():
            variants = {m: best(self.results, m, name) for m in ("train", "inference")}
            for measure, variant in variants.items():
                if variant:
                    self.tell(f"starting {variant[0]}, {variant[1]}")
                    plan = self.results.plan
                    with self._leaving_out(variant):
                        row = cold_start.start(variant, measure, module, plan, self.folder)
                        self.starts.append(row)
                    break

    def race_all(self, target: float) -> None:
        """Train everybody's best variant, one after the other, until ``target`` (0 to 1)."""
        for variant in self._best_trainers():
            with self._leaving_out(variant):
                self.races.append(self._race(variant, target=target))

    def train_all(self, seeds: int) -> None:
        """Train everybody's best variant to the end of the recipe, once with each seed."""
        for variant in self._best_trainers():
            for seed in range(seeds):
                with self._leaving_out(variant):
                    accuracy = self._race(variant, seed=seed).accuracy
                    self.finals.setdefault(variant, []).append(accuracy)

    def _best_trainers(self) -> list[Variant]:
        found = (best(self.results, "train", name) for name in self.modules)
        return [variant for variant in found if variant]

    def _race(self, variant: Variant, **goal: Any) -> race.Race:
        self.tell(f"training {variant[0]}, {variant[1]}")
        plan, module = self.results.plan, self.modules[variant[0]]
        return race.race(variant, module, plan, self._rates(plan.batch), self.folder, **goal)

    def _measure(self, plans: Sequence[Plan]) -> list[rounds.Results]:
        """Measure settings that share their number of threads in one set of processes."""
        with self._contenders(plans[0].threads) as present:
            found = [rounds.run(present, plan, self.neighbors, self.tell) for plan in plans]
        for results in found:
            for sentence in results.failed.values():
                self._leave_out(sentence)
        return found

    def _rates(self, batch: int) -> list[float]:
        steps = RACE_EPOCHS * (self.train_count // batch)
        return [RACE_RATE * one_cycle(step / steps) for step in range(steps)]

    @contextmanager
    def _contenders(self, threads: int) -> Iterator[list[Contender]]:
        """Start everybody who is installed; sum up afterwards what they used while idle."""
        with ExitStack() as stack:
            present = []
            for name, module in self.modules.items():
                self.tell(f"starting {name}")
                try:
                    contender = Contender(name, module, threads, self.folder)
                except ContenderError as error:
                    self._leave_out(f"{name} ({error})")
                    continue
                present.append(stack.enter_context(contender))
                self.versions.update(contender.about["versions"])
            yield present
            for contender in present:
                self.idle_seconds.setdefault(contender.name, 0.0)
                self.idle_seconds[contender.name] += contender.idle_seconds

    @contextmanager
    def _leaving_out(self, variant: Variant) -> Iterator[None]:
        try:
            yield
        except ContenderError as error:
            self._leave_out(f"{variant[0]}, {variant[1]}: {error}")

    def _leave_out(self, sentence: str) -> None:
        if sentence not in self.left_out:
            self.left_out.append(sentence)


def off_the_kink(weights: recipe.Weights) -> recipe.Weights:
    """Draw small biases in place of zeros.

    On white paper a sum without bias is exactly 0, where ReLU has its kink: rounding would
    decide whether a gradient passes, and contenders that are both right would differ.
    """
    rng = np.random.default_rng(0)
    return {
        name: 0.01 * rng.standard_normal(z.shape, np.float32) if name.endswith(".b") else z
        for name, z in weights.items()
    }
