"""Ranks are processes, on one machine or on many, that train one network together.

Each has a share of every batch, and their gradients are added as a single process would have
added them (``kernels.arrays``), so the weights have the same bytes however many ranks there are.
Rank 0 leads: it alone writes files and speaks. ``Alone`` is the only rank of an ordinary
training; ``mpi.Ranks`` does the same for several.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from tinycnn.errors import EnvironmentFault, RunError

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for it
    import numpy as np

LAUNCHERS = (
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),  # Open MPI
    ("PMI_SIZE", "PMI_RANK"),  # MPICH, Intel MPI, Slurm's pmi2
    ("SLURM_STEP_NUM_TASKS", "PMIX_RANK"),  # Slurm's pmix
)
"""Variables by which a launcher tells a process how many there are, and which one it is."""


class Alone:
    """The only rank there is: it has all of every batch, and nobody to agree with."""

    rank, size = 0, 1
    threads: int | None = None
    """Threads for each rank, so that those of one machine share its cores; None: as many as may."""

    def __init__(self) -> None:
        self.wish: Callable[[], bool] = lambda: False
        """Whether this rank would like all of them to pause after the batch: to save, to stop."""

    @property
    def leads(self) -> bool:
        """True for the rank that writes and speaks."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Which of ``count`` examples are this rank's."""
        return share_of(count, self.rank, self.size)

    def busy(self, count: int) -> int:
        """How many ranks have a share of ``count`` examples."""
        shares = (share_of(count, rank, self.size) for rank in range(self.size))
        return sum(share.start < share.stop for share in shares)

    def add_up(self, arrays: "Sequence[np.ndarray]", number: float) -> float:
        """Give ``arrays``, in place, the sums over all ranks; return the sum of ``number``."""
        return number

    def pausing(self) -> bool:
        """Whether a rank wished, when arrays were last added up, that all pause now."""
        return self.wish()

    def largest(self, number: int) -> int:
        """The largest of the numbers (from 0 on) that the ranks call this with."""
        return number

    def spread(self, message: bytes) -> bytes:
        """The message of rank 0, on all ranks."""
        return message

    def together(self) -> AbstractContextManager:
        """In a ``with``: an error of one rank ends all, with one sentence and one exit code."""
        return nullcontext()

    def in_turn(self, work: Callable[[], None]) -> None:
        """Work on one rank of each machine first: what it compiles, the others find."""
        work()


def share_of(count: int, rank: int, size: int) -> slice:
    """Which of ``count`` examples belong to ``rank`` of ``size``, a power of two.

    They are halved as kernels halve them. What those would not cut, one rank has all of.
    """
    from tinycnn.nn.kernels.arrays import halves  # the compiler

    start, stop = 0, count
    while size > 1:
        size //= 2
        middle = halves(start, stop)
        if middle is None:
            middle = stop
        start, stop = (start, middle) if rank < size else (middle, stop)
        rank %= size
    return slice(start, stop)


def find_ranks() -> Alone:
    """The ranks that a launcher like ``mpiexec`` started together with this process.

    Raises RunError if they cannot share a batch evenly, EnvironmentFault if MPI is not there.
    """
    told = [names for names in LAUNCHERS if all(name in os.environ for name in names)]
    size, rank = (os.environ[name] for name in told[0]) if told else ("1", "0")
    if size == "1":
        return Alone()
    with _told_once(leads=rank == "0"):
        try:
            from tinycnn.runs.mpi import Ranks
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
