"""Whether this process was started alone, or as one of several by a launcher like ``mpiexec``."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tinycnn.errors import EnvironmentFault, RunError
from tinycnn.train.ranks import SingleProcess

LAUNCHERS = (
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),  # Open MPI
    ("PMI_SIZE", "PMI_RANK"),  # MPICH, Intel MPI, Slurm's pmi2
    ("SLURM_STEP_NUM_TASKS", "PMIX_RANK"),  # Slurm's pmix
)
"""Variables by which a launcher tells a process how many there are, and which one it is."""


def find_ranks() -> SingleProcess:
    """The ranks that a launcher like ``mpiexec`` started together with this process.

    Raises RunError if they cannot share a batch evenly, EnvironmentFault if MPI is not there.
    """
    told = [names for names in LAUNCHERS if all(name in os.environ for name in names)]
    size, rank = (os.environ[name] for name in told[0]) if told else ("1", "0")
    if size == "1":
        return SingleProcess()
    with _told_once(leads=rank == "0"):
        try:
            from tinycnn.train.mpi import Ranks
        except (ImportError, RuntimeError) as error:  # no mpi4py, or no MPI for it to load
            raise EnvironmentFault(
                f"a launcher of MPI has started this, but Python finds no MPI ({error}); "
                "python -m pip install mpi4py installs it"
            ) from error
        ranks = Ranks()
        if size != str(ranks.size):
            raise EnvironmentFault(
                f"mpiexec has started {size} processes, and mpi4py sees {ranks.size}: they belong "
                "to different MPIs; start it with the mpiexec of the one that mpi4py uses"
            )
        if ranks.size & (ranks.size - 1):
            raise RunError(
                f"{ranks.size} ranks cannot share batches, which are halved and halved again; "
                "start 1, 2, 4, 8, ..."
            )
    return ranks


@contextmanager
def _told_once(leads: bool) -> Iterator[None]:
    """What is wrong for all is told by one."""
    try:
        yield
    except (EnvironmentFault, RunError) as error:
        if leads:
            raise
        sys.exit(error.exit_code)
