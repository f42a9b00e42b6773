"""Find out whether a launcher like ``mpiexec`` has started this process as one of several."""

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
"""Variables in which a launcher puts the number of processes and the rank of this one."""


def find_ranks() -> SingleProcess:
    """Return the ranks that a launcher like ``mpiexec`` started together with this process.

    Raises RunError if they cannot share a batch evenly, EnvironmentFault if MPI is missing.
    """
    known = [names for names in LAUNCHERS if all(name in os.environ for name in names)]
    size, rank = (os.environ[name] for name in known[0]) if known else ("1", "0")
    if size == "1":
        return SingleProcess()
    with _printed_once(is_leader=rank == "0"):
        try:
            from tinycnn.train.mpi import MpiGroup
        except (ImportError, RuntimeError) as error:  # no mpi4py, or no MPI for it to load
            raise EnvironmentFault(
                f"a launcher of MPI has started this, but Python finds no MPI ({error}); "
                "python -m pip install mpi4py installs it"
            ) from error
        ranks = MpiGroup()
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
def _printed_once(is_leader: bool) -> Iterator[None]:
    """Let only the leader print an error that all ranks have."""
    try:
        yield
    except (EnvironmentFault, RunError) as error:
        if is_leader:
            raise
        sys.exit(error.exit_code)
