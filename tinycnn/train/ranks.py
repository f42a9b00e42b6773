"""Ranks are processes, on one machine or on many, that train one network together.

Each has a share of every batch, and their gradients are added in the order in which one process
adds them (``kernels.memory``), so the weights have the same bytes for any number of ranks. Rank 0
is the leader: only it writes files and prints. An ordinary training is a ``SingleProcess``;
``mpi.MpiGroup`` does the same for several.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for it
    import numpy as np


class SingleProcess:
    """The only rank: it has all of every batch, and waits for no other."""

    rank, size = 0, 1
    threads: int | None = None
    """Threads per rank, so that those of one machine share its cores; None: as many as may."""

    @property
    def is_leader(self) -> bool:
        """True for the rank that writes and prints."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Return which of ``count`` examples are this rank's; the size is a power of two.

        They are halved as kernels halve them. A part that kernels would not halve goes to one rank.
        """
        from tinycnn.kernels.microkernels import halves  # the compiler

        (start, stop), rank, size = (0, count), self.rank, self.size
        while size > 1:
            size //= 2
            middle = halves(start, stop)
            if middle is None:
                middle = stop
            start, stop = (start, middle) if rank < size else (middle, stop)
            rank %= size
        return slice(start, stop)

    def add_up(self, arrays: "Sequence[np.ndarray]", number: float) -> float:
        """Give ``arrays``, in place, the sums over all ranks; return the sum of ``number``."""
        return number

    def largest(self, number: int) -> int:
        """Return the largest of the numbers (from 0 on) that the ranks call this with."""
        return number

    def broadcast(self, message: bytes) -> bytes:
        """Return the message of rank 0, on all ranks."""
        return message

    def all_or_none(self) -> AbstractContextManager[None]:
        """In a ``with``: an error of one rank ends all, with one sentence and one exit code."""
        return nullcontext()

    def first_then_rest(self, work: Callable[[], None]) -> None:
        """Work on one rank of each machine first: the others find what it compiles."""
        work()
