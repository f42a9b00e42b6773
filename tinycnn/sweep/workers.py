"""The workers: processes on this machine, by joblib, or a running Dask cluster.

Either is an executor as in Python's ``concurrent.futures``. Local processes are spawned, never
forked: kernels do not run after a fork. Each gets its share of the processors by environment
variables before it starts, so that there are never more threads than processors.
"""

import contextlib
import importlib
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, as_completed
from typing import Any

from tinycnn.errors import EnvironmentFault, RunError, need
from tinycnn.sweep.trial import Order, run_trial
from tinycnn.train.recipe import Recipe

CONNECT_SECONDS = 10
IDLE_SECONDS = 5
"""A process without work ends after this time."""

_POOLS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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


def work_through(executor: Executor, order: Order, recipes: Mapping[str, Recipe]) -> Iterator[str]:
    """Run the trials with these names, and yield a name when its trial is over.

    Names of trials that had to stop are left out.
    """
    with _ctrl_c_ignored():
        waiting = {
            executor.submit(run_trial, order, name, recipe): name
            for name, recipe in recipes.items()
        }
    for future in as_completed(waiting):
        if future.result():
            yield waiting[future]


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
