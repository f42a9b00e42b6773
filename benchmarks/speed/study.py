"""What one call of ``benchmarks.versus`` does: prepare the work, start the contenders, measure."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import Neighbors, busy_program
from benchmarks.speed import rounds
from benchmarks.speed.cold_start import FIRST, Start, start
from benchmarks.speed.contender import Contender, ContenderError
from benchmarks.speed.peers.tinycnn_peer import build, build_with, get_weights, network_of
from benchmarks.speed.race import Race
from benchmarks.speed.rounds import Plan, Results, Variant
from benchmarks.speed.summary import OURS, best
from benchmarks.speed.workload import INPUT_SHAPE, Network, Training, Workload, onnx_path
from tinycnn.augment.policies import AUGMENTATIONS
from tinycnn.data import Dataset
from tinycnn.errors import DataError, TinyCNNError
from tinycnn.nn import PRESETS, one_cycle
from tinycnn.train.recipe import Recipe

COMPARED = ("lenet", "tiny", "best", "sprint", "dense")

NETWORKS: dict[str, Network] = {name: network_of(PRESETS[name](10)) for name in COMPARED}
NETWORKS["small3x3"] = [
    *(("conv", 32, 3), ("relu",), ("conv", 32, 3), ("relu",), ("pool", 2)),
    *(("conv", 64, 3), ("relu",), ("pool", 2)),
    *NETWORKS["lenet"][-4:],
]
"""The presets without their Dropout, and a network of 3x3 convolutions without norms."""

BATCHES = (1, 8, 32, 128)

EPOCHS = 4
"""Epochs that the one-cycle schedule of a race takes; most races are over before."""

RACE_RATE = 0.1
"""The highest learning rate of that schedule, which begins and ends much lower."""


@dataclass
class Study:
    """The work, the contenders (name -> module, tinycnn first), and all that came out.

    ``results`` is one setting in depth, ``grid`` the usual best of each in many settings,
    ``augmented`` training as the default command does it, ``busy`` the same as ``results`` beside
    one busy program.
    """

    folder: Path
    modules: Mapping[str, str]
    work: Workload
    neighbors: Neighbors = field(default_factory=Neighbors)
    tell: Callable[[str], None] = print
    results: Results = field(default_factory=lambda: Results(Plan()))
    grid: list[Results] = field(default_factory=list)
    augmented: list[Results] = field(default_factory=list)
    busy: Results | None = None
    starts: list[Start] = field(default_factory=list)
    races: list[Race] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def measure(self, plan: Plan) -> None:
        """Check and time everything in one setting."""
        if plan.batch > (count := len(self.work.train[0])):
            raise DataError(f"{count} training images are no batch of {plan.batch}")
        (self.results,) = self._measure([plan])
        if best(self.results, "train", OURS) is None:
            raise TinyCNNError(f"tinycnn itself could not be timed: {'; '.join(self.left_out)}")

    def measure_grid(self, plan: Plan, thread_counts: Sequence[int]) -> None:
        """Measure all networks with all numbers of threads and all batch sizes."""
        for network in NETWORKS:
            for threads in thread_counts:
                settings = replace(plan, network=network, threads=threads)
                self.grid += self._measure([replace(settings, batch=size) for size in BATCHES])

    def augment_all(self, plan: Plan) -> None:
        """Time the training of all with the augmentation of ``work.limits``."""
        plans = [replace(plan, batch=size, augmented=True) for size in (32, 128)]
        self.augmented += self._measure(plans)

    def measure_busy(self, plan: Plan) -> None:
        """Time the usual best of each beside a program that never waits."""
        self.neighbors = Neighbors()  # without patience: this one does not pause
        with busy_program():
            (self.busy,) = self._measure([plan])

    def start_all(self) -> None:
        """Start the best variant of each contender in a process of its own."""
        plan = self.results.plan
        for name in self.modules:
            found = {measure: best(self.results, measure, name) for measure in FIRST}
            for measure, variant in list(found.items()):
                if variant and (measure == "train" or not found["train"]):
                    self.tell(f"starting {', '.join(variant)}")
                    with self._leaving_out(variant):
                        new = partial(self._contender, name, plan.threads)
                        self.starts.append(start(new, variant, measure, plan))

    def race_all(self, target: float, seeds: int) -> None:
        """Train the best variant of each to ``target`` (0 to 1), and ``sprint`` to its end."""
        plan, sprint = self.results.plan, Recipe.for_data(len(self.work.train[0]), preset="sprint")
        limits: Any = AUGMENTATIONS[sprint.augment]
        plain = [Training(seed=seed) for seed in range(seeds)]
        sprints = [Training(asdict(limits), sprint.weight_decay, seed) for seed in range(seeds)]
        usual = plan.network, plan.batch, EPOCHS, RACE_RATE
        recipe = "sprint", sprint.batch_size, sprint.epochs, sprint.lr
        for variant in filter(None, (best(self.results, "train", name) for name in self.modules)):
            with self._leaving_out(variant):
                self._race(variant, *usual, plain, target)
                self._race(variant, *recipe, sprints, 2.0)  # never reached

    def _race(self, variant: Variant, *recipe: Any) -> None:
        """Train in a process of its own, once for each training."""
        (network, batch, epochs, lr, trainings, target), created = recipe, time.perf_counter()
        steps = epochs * (len(self.work.train[0]) // batch)
        rates = [lr * one_cycle(step / steps) for step in range(steps)]
        with self._contender(variant[0], self.results.plan.threads) as contender:
            contender.ask("load", network=network, batch=batch)
            started = time.perf_counter() - created
            for training in trainings:
                self.tell(f"training {network}, {', '.join(variant)}, seed {training.seed}")
                weights = get_weights(build(NETWORKS[network], seed=training.seed))
                given = {"weights": weights, "rates": rates, "target": target, "training": training}
                answer = contender.ask("race", variant=variant[1], **given)
                total = started + answer["seconds_before"] + answer["curve"][-1][0]
                self.races.append(Race(network, variant, training.seed, total, answer["curve"]))

    def _measure(self, plans: Sequence[Plan]) -> list[Results]:
        """Measure settings that share their number of threads in one set of processes."""
        with self._contenders(plans[0].threads) as present:
            found = [rounds.run(present, plan, self.neighbors, self.tell) for plan in plans]
        for results in found:
            for sentence in results.failed.values():
                self._leave_out(sentence)
        return found

    @contextmanager
    def _contenders(self, threads: int) -> Iterator[list[Contender]]:
        """Start all that are installed."""
        with ExitStack() as stack:
            present = []
            for name in self.modules:
                self.tell(f"starting {name}")
                try:
                    present.append(stack.enter_context(self._contender(name, threads)))
                except ContenderError as error:
                    self._leave_out(f"{name} ({error})")
                else:
                    self.versions.update(present[-1].about["versions"])
            yield present

    def _contender(
        self, name: str, threads: int, environment: dict[str, str] | None = None
    ) -> Contender:
        return Contender(name, self.modules[name], threads, self.work, self.folder, environment)

    @contextmanager
    def _leaving_out(self, variant: Variant) -> Iterator[None]:
        try:
            yield
        except ContenderError as error:
            self._leave_out(f"{', '.join(variant)}: {error}")

    def _leave_out(self, sentence: str) -> None:
        if sentence not in self.left_out:
            self.left_out.append(sentence)


def workload_of(digits: Dataset) -> Workload:
    """Return the digits and every network's first weights, as tinycnn draws them."""
    if digits.image_size != INPUT_SHAPE[:2] or len(digits.class_names) > 10:
        raise DataError(f"{digits.name}: the networks here read 28x28 images of 10 classes")
    limits: Any = AUGMENTATIONS[Recipe.for_data(len(digits.train_images)).augment]
    return Workload(
        (digits.train_images, digits.train_labels.astype(np.int64)),
        (digits.test_images, digits.test_labels.astype(np.int64)),
        NETWORKS,
        {name: get_weights(build(network)) for name, network in NETWORKS.items()},
        asdict(limits),
    )


def write_onnx(folder: Path, work: Workload) -> None:
    """Write every network as an ONNX file, pixels (N,28,28) uint8 -> p (N,10), if onnx is here."""
    if find_spec("onnx") is None:
        return
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from tinycnn.exchange.onnx_export import onnx_bytes

    for name, network in work.networks.items():
        built = build_with(network, work.weights[name])
        model = onnx.ModelProto.FromString(onnx_bytes(built, True))
        graph, x = model.graph, model.graph.input[0].name
        graph.initializer.append(numpy_helper.from_array(np.float32(1 / 255), "scale"))
        graph.initializer.append(numpy_helper.from_array(np.array([-1, 1, 28, 28]), "shape"))
        pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", 28, 28])
        graph.input[0].CopyFrom(pixels)
        nodes = [
            helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["floats", "scale"], ["scaled"]),
            helper.make_node("Reshape", ["scaled", "shape"], [x]),
            *graph.node,
        ]
        del graph.node[:]
        graph.node.extend(nodes)
        onnx_path(folder, network).write_bytes(model.SerializeToString())
