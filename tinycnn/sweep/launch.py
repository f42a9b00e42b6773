"""Starting or resuming a sweep: the plan and its data are checked before the first trial."""

import os
from collections.abc import Generator
from concurrent.futures import Executor

from tinycnn.data import Dataset, load_dataset
from tinycnn.files import PathLike
from tinycnn.sweep.folder import SweepFolder
from tinycnn.sweep.plan import SweepPlan, Trial
from tinycnn.sweep.trial import Order
from tinycnn.sweep.workers import work_through
from tinycnn.train.recipe import Recipe
from tinycnn.train.resume import Source
from tinycnn.train.trainer import Trainer


class Sweep:
    """A plan in its folder, with its data; a TinyCNNError if they do not fit together.

    ``validation`` is the range of the images by which trials are compared.
    """

    def __init__(
        self, folder: SweepFolder, plan: SweepPlan, dataset: Dataset, source: Source
    ) -> None:
        self.folder, self.plan, self.dataset, self.source = folder, plan, dataset, source
        self._token = ""
        count = len(dataset.train_images[: plan.fixed.get("limit")])
        self.recipes = {
            trial.name: Recipe.for_data(count, **trial.given) for trial in plan.trials()
        }
        for trial in plan.trials()[: len(plan.settings)]:  # the same for every seed
            self.validation = Trainer(self.recipes[trial.name], dataset).validation
        folder.open(plan, source)

    @classmethod
    def begin(
        cls, folder: SweepFolder, plan: SweepPlan, name: str, data_dir: PathLike | None
    ) -> "Sweep":
        """A sweep over the data set ``name``; if ``folder`` has the same plan, it goes on."""
        dataset = load_dataset(name, data_dir)
        return cls(folder, plan, dataset, Source.of(dataset, name, data_dir))

    @classmethod
    def go_on(cls, folder: SweepFolder, data_dir: PathLike | None) -> "Sweep":
        """The sweep in ``folder``, even if its data have moved."""
        plan, source = folder.read()
        data_dir = data_dir or source.data_dir
        dataset = source.load(data_dir)
        return cls(folder, plan, dataset, Source.of(dataset, source.name, data_dir))

    def left(self, test: bool) -> list[Trial]:
        """The trials that are not over; with ``test``, also those that are not tested."""
        return [trial for trial in self.plan.trials() if not self._is_over(trial.name, test)]

    def run(
        self, executor: Executor, threads: int, is_local: bool, test: bool
    ) -> Generator[Trial, None, None]:
        """Work on all trials that are left, and yield each when it is over."""
        self._token = self.folder.take_lease()
        order = Order(
            folder=self.folder.path.absolute(),
            source=self.source,
            threads=threads,
            token=self._token,
            parent=os.getpid() if is_local else None,
            test=test,
        )
        trials = {trial.name: trial for trial in self.left(test)}
        recipes = {name: self.recipes[name] for name in trials}
        try:
            for name in work_through(executor, order, recipes):
                yield trials[name]
        finally:
            self.stop()

    def stop(self) -> None:
        """Let all workers save and stop after their batches."""
        self.folder.end_lease(self._token)

    def _is_over(self, name: str, test: bool) -> bool:
        outcome = self.folder.outcome(name)
        if outcome is None:
            return False
        return not test or "error" in outcome or self.folder.result(name) is not None
