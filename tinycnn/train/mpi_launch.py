"""Find out whether a launcher like ``mpiexec`` has started this process as one of several."""

import os

from tinycnn.errors import EnvironmentFault
from tinycnn.train.ranks import SingleProcess

SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")
"""Variables in which Open MPI, MPICH (Intel MPI, too) and Slurm put the number of processes."""


def find_ranks() -> SingleProcess:
    """Return the ranks that a launcher like ``mpiexec`` started together with this process.

    Raises EnvironmentFault if MPI does not see as many of them: each would train alone.
    """
    size = next((os.environ[name] for name in SIZES if name in os.environ), "1")
    if size == "1":
        return SingleProcess()
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
    return ranks
