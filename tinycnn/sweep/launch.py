"""A sweep from its plan to its end: the data are checked, then workers take the trials.

The workers are processes on this machine, by joblib, or a running Dask cluster: either is an
executor as in Python's ``concurrent.futures``. Local processes are spawned, not forked: each gets
its share of the processors by environment variables before it starts, so that there are never more
threads than processors.
"""

import contextlib
import importlib
import os
import signal
from collections.abc import Generator, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, as_completed
from typing import Any

from tinycnn.data import load_dataset
from tinycnn.errors import EnvironmentFault, RunError, need
from tinycnn.files import PathLike
from tinycnn.sweep.folder import SweepFolder
from tinycnn.sweep.plan import SweepPlan, Trial
from tinycnn.sweep.trial import Order, run_trial
from tinycnn.train.recipe import Recipe
from tinycnn.train.resume import Source
from tinycnn.train.trainer import Trainer

CONNECT_SECONDS = 10
IDLE_SECONDS = 5
"""A process without work ends after this time."""

_POOLS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Sweep:
    """A plan in its folder, with its data; a TinyCNNError if they do not fit together.

    Without a ``plan`` it is the one in the folder, whose data may have moved to ``data_dir``.
    ``validation`` is the range of the images by which trials are compared.
    """

    def __init__(
        self,
        folder: SweepFolder,
        plan: SweepPlan | None,
        dataset: str = "",
        data_dir: PathLike | None = None,
    ) -> None:
        if plan is None:
            plan, source = folder.read()
            dataset, data_dir = source.name, data_dir or source.data_dir
            self.dataset = source.load(data_dir)
        else:
            self.dataset = load_dataset(dataset, data_dir)
        self.folder, self.plan = folder, plan
        self.source = Source.of(self.dataset, dataset, data_dir)
        self._token = ""
        count = len(self.dataset.train_images[: plan.fixed.get("limit")])
        self.recipes = {
            trial.name: Recipe.for_data(count, **trial.given) for trial in plan.trials()
        }
        for trial in plan.trials()[: len(plan.settings)]:  # the same for every seed
            self.validation = Trainer(self.recipes[trial.name], self.dataset).validation
        folder.open(plan, self.source)

    def left(self, test: bool) -> list[Trial]:
        """The trials that are not over; with ``test``, also those that are not tested."""
        return [trial for trial in self.plan.trials() if not self._is_over(trial.name, test)]

    def run(
        self, executor: Executor, threads: int, is_local: bool, test: bool
    ) -> Generator[str, None, None]:
        """Work on all trials that are left, and yield the name of each when it is over."""
        self._token = self.folder.take_lease()
        order = Order(
            folder=self.folder.path.absolute(),
            source=self.source,
            threads=threads,
            token=self._token,
            parent=os.getpid() if is_local else None,
            test=test,
        )
        try:
            with _ctrl_c_ignored():
                names = [trial.name for trial in self.left(test)]
                tasks = {executor.submit(run_trial, order, z, self.recipes[z]): z for z in names}
            for future in as_completed(tasks):
                if future.result():  # else it had to stop
                    yield tasks[future]
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


def share_processors(jobs: int | None, threads: int | None, trials: int) -> tuple[int, int]:
    """The number of processes, and of threads in each; RunError if there are fewer processors.

    By default there are as many processes as there is work for, and threads for the rest.
    """
    there = _joblib().cpu_count()
    if jobs is None:
        jobs = max(1, min(trials, there // (threads or 1)))
    threads = threads or max(1, there // jobs)
    if jobs < 1 or threads < 1 or jobs * threads > there:
        raise RunError(
            f"`jobs` {jobs} with `threads` {threads} does not fit the {there} processors there are"
        )
    return jobs, threads


@contextlib.contextmanager
def local_workers(jobs: int, threads: int) -> Iterator[Executor]:
    """Processes on this machine; EnvironmentFault when one of them is killed."""
    env = dict.fromkeys(_POOLS, str(threads))
    pool = _joblib().externals.loky.ProcessPoolExecutor
    try:
        with pool(jobs, timeout=IDLE_SECONDS, env=env) as executor:
            yield executor
    except BrokenExecutor as error:
        raise EnvironmentFault("a worker of the sweep was killed or ran out of memory") from error


@contextlib.contextmanager
def dask_workers(scheduler: str) -> Iterator[Executor]:
    """The workers of the Dask scheduler at this address; EnvironmentFault when they are lost."""
    need("distributed", extra="sweep")
    distributed: Any = importlib.import_module("distributed")
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EnvironmentFault(
            f"no Dask scheduler answers at {scheduler}; start one with: dask scheduler"
        ) from error
    lost = distributed.KilledWorker, distributed.comm.CommClosedError, CancelledError, ImportError
    try:
        with client:
            yield client.get_executor(pure=False)
    except lost as error:
        raise EnvironmentFault(f"the Dask cluster at {scheduler} gave up: {error}") from error


@contextlib.contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Make processes that are started in here ignore Ctrl-C; the sweep tells them to stop."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _joblib() -> Any:
    need("joblib", extra="sweep")
    import joblib.externals.loky

    return joblib
