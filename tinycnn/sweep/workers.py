"""Who does the work: processes on this machine, by joblib, or a Dask cluster that is running.

Either is an executor as Python's ``concurrent.futures`` has them. Processes here are started
anew, never forked: kernels do not run after a fork. Each has its share of the processors, and
told so before it starts, so that threads never outnumber them.
"""

import contextlib
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, as_completed
from typing import Any

from tinycnn.errors import EnvironmentFault, RunError
from tinycnn.sweep.trial import run_trial

CONNECT_SECONDS = 10
IDLE_SECONDS = 5
"""How long a process without work stays."""

_POOLS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def share_processors(jobs: int | None, threads: int | None, trials: int) -> tuple[int, int]:
    """How many processes, and of how many threads each; RunError for more than there are.

    What is not given becomes as many processes as there is work for, and threads of the rest.
    """
    there = _joblib().cpu_count()
    if jobs is None:
        jobs = max(1, min(trials, there // (threads or 1)))
    threads = threads or max(1, there // jobs)
    if jobs < 1 or threads < 1 or jobs * threads > there:
        raise RunError(
            f"--jobs {jobs} with --threads {threads} does not fit the {there} processors there are"
        )
    return jobs, threads


@contextlib.contextmanager
def local_workers(jobs: int, threads: int) -> Iterator[Executor]:
    """Processes of this machine; EnvironmentFault when one of them is killed."""
    env = dict.fromkeys(_POOLS, str(threads))
    pool = _joblib().externals.loky.ProcessPoolExecutor
    try:
        with pool(jobs, timeout=IDLE_SECONDS, env=env) as executor:
            yield executor
    except BrokenExecutor as error:
        raise EnvironmentFault("a worker of the sweep was killed or ran out of memory") from error


@contextlib.contextmanager
def dask_workers(scheduler: str) -> Iterator[Executor]:
    """The workers of the Dask scheduler at this address; EnvironmentFault when they get lost."""
    try:
        import distributed
        from distributed.comm import CommClosedError
    except ImportError as missing:
        raise _needs("distributed") from missing
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EnvironmentFault(
            f"no Dask scheduler answers at {scheduler}; start one with: dask scheduler"
        ) from error
    lost = distributed.KilledWorker, CommClosedError, CancelledError, ImportError
    try:
        with client:
            yield client.get_executor(pure=False)
    except lost as error:
        raise EnvironmentFault(f"the Dask cluster at {scheduler} gave up: {error}") from error


def work_through(calls: Mapping[str, tuple], executor: Executor) -> Iterator[str]:
    """Call ``run_trial`` with the arguments under each name, and yield names as trials are over.

    Those that had to stop are left out.
    """
    with _out_of_reach_of_ctrl_c():
        waiting: dict[Any, str] = {
            executor.submit(run_trial, *arguments): name for name, arguments in calls.items()
        }
    for future in as_completed(waiting):
        if future.result():
            yield waiting[future]


@contextlib.contextmanager
def _out_of_reach_of_ctrl_c() -> Iterator[None]:
    """Processes started in here do not mind Ctrl-C; the sweep itself tells them to stop."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _joblib() -> Any:
    try:
        import joblib.externals.loky
    except ImportError as missing:
        raise _needs("joblib") from missing
    return joblib


def _needs(package: str) -> EnvironmentFault:
    return EnvironmentFault(f"this needs {package}: pip install 'tinycnn[sweep]'")
