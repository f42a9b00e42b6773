"""Ranks are processes, on one machine or on many, that train one network together.

Each has a share of every batch, and their gradients are added as a single process would have
added them (``kernels.arrays``), so the weights have the same bytes however many ranks there are.
Rank 0 leads: it alone writes files and speaks. ``SingleProcess`` is the only rank of an ordinary
training; ``mpi.Ranks`` does the same for several.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for it
    import numpy as np


class SingleProcess:
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

    def together(self) -> AbstractContextManager[None]:
        """In a ``with``: an error of one rank ends all, with one sentence and one exit code."""
        return nullcontext()

    def in_turn(self, work: Callable[[], None]) -> None:
        """Work on one rank of each machine first: what it compiles, the others find."""
        work()


def share_of(count: int, rank: int, size: int) -> slice:
    """Which of ``count`` examples belong to ``rank`` of ``size``, a power of two.

    They are halved as kernels halve them. What those would not cut, one rank has all of.
    """
    from tinycnn.kernels.memory import halves  # the compiler

    start, stop = 0, count
    while size > 1:
        size //= 2
        middle = halves(start, stop)
        if middle is None:
            middle = stop
        start, stop = (start, middle) if rank < size else (middle, stop)
        rank %= size
    return slice(start, stop)
