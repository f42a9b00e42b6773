"""Ranks that talk through MPI: one all-reduce per batch, whose sums are made in a fixed order.

MPI's own all-reduce may add in any order; which one depends on the number of ranks and the length
of the message. Here two ranks at a time exchange halves (Rabenseifner 2004), neighbors first: two
neighbors add up the half of the batch that they share, and so on up to the whole batch.
"""

import atexit
import contextlib
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from mpi4py import MPI
from numba.core import config

from tinycnn.errors import EnvironmentFault, RunError, TinyCNNError
from tinycnn.train.ranks import SingleProcess

SPINS = 2000
"""Looks at a message before the first sleep: about as long as a short message takes."""

NAP = 0.0001
"""Seconds of sleep between later looks, which leave the core to other processes."""


class MpiGroup(SingleProcess):
    """All processes of MPI's world, a power of two."""

    def __init__(self) -> None:
        self._world = MPI.COMM_WORLD
        self.rank, self.size = self._world.rank, self._world.size
        self._host = self._world.Split_type(MPI.COMM_TYPE_SHARED)
        shared = (os.cpu_count() or 1) // self._host.size
        self.threads = max(1, min(shared, config.NUMBA_NUM_THREADS))
        self._abort_with = 0  # the exit code for all, if this rank cannot agree on one with others
        atexit.register(self._end_the_others)
        with self.all_or_none():
            if self.size & (self.size - 1):
                raise RunError(
                    f"{self.size} ranks cannot share batches, which are halved and halved again; "
                    "start 1, 2, 4, 8, ..."
                )

    def add_up(self, arrays: Sequence[np.ndarray], number: float) -> float:
        """Give ``arrays`` (float32), in place, the sums over all ranks; the same for ``number``."""
        parts = [z.reshape(-1) for z in arrays]
        flat = np.concatenate([*parts, [number]], dtype=np.float32, casting="same_kind")
        self._add(flat)
        ends = np.cumsum([part.size for part in parts])
        for part, total in zip(parts, np.split(flat, ends)[:-1], strict=True):
            part[:] = total
        return float(flat[-1])

    def largest(self, number: int) -> int:
        value = np.array([number])
        self._wait(self._world.Iallreduce(MPI.IN_PLACE, value, MPI.MAX))
        return int(value[0])

    def broadcast(self, message: bytes) -> bytes:
        text = np.zeros(self.largest(len(message)), np.uint8)
        if self.is_leader:
            text[:] = np.frombuffer(message, np.uint8)
        self._wait(self._world.Ibcast(text))
        return text.tobytes()

    @contextlib.contextmanager
    def all_or_none(self) -> Iterator[None]:
        failure, code = None, 0
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - every rank has to know of it
            failure, code = error, _code_of(error)
        if code >= 128:  # by a signal: no rank knows which others wait
            self._abort_with = code
        if not self._abort_with:
            mine = (self.size - self.rank) << 8 | code if code else 0
            first, code = divmod(self.largest(mine), 256)
            if code and self.rank != self.size - first:  # only the lowest one prints its error
                failure = SystemExit(code)
        elif not self.is_leader:
            time.sleep(1)  # usually rank 0 has printed by then, and ended all
        if failure:
            raise failure

    def first_then_rest(self, work: Callable[[], None]) -> None:
        if self._host.rank == 0:
            work()
        self.largest(0)
        if self._host.rank:
            work()
        self.largest(0)

    def _add(self, flat: np.ndarray) -> None:
        """Give ``flat`` (n,) the sum over all ranks; one rank adds up each number, for all.

        First (reduce-scatter) each pair of ranks halves the numbers that both still have to add
        up. Then (all-gather) they exchange their sums, in the opposite order. The bits are those
        of ((0 + 1) + (2 + 3)) + ...
        """
        start, stop, spare, exchanged = 0, flat.size, np.empty_like(flat), []
        for bit in range(self.size.bit_length() - 1):  # with ranks 1, 2, 4, ... away
            partner, middle = self.rank ^ 1 << bit, (start + stop) // 2
            low, high = slice(start, middle), slice(middle, stop)
            mine, theirs = (low, high) if self.rank < partner else (high, low)
            self._exchange(partner, flat[theirs], spare[mine])
            flat[mine] += spare[mine]
            start, stop = mine.start, mine.stop
            exchanged.append((partner, mine, theirs))
        for partner, mine, theirs in reversed(exchanged):
            self._exchange(partner, flat[mine], flat[theirs])

    def _exchange(self, partner: int, sent: np.ndarray, got: np.ndarray) -> None:
        self._wait(self._world.Irecv(got, partner), self._world.Isend(sent, partner))

    def _wait(self, *requests: MPI.Request) -> None:
        """Wait asleep, and able to hear signals; EnvironmentFault if another rank is lost."""
        with contextlib.suppress(MPI.Exception):
            for look in itertools.count():
                if MPI.Request.Testall(list(requests)):
                    return
                if look > SPINS:
                    time.sleep(NAP)
        self._abort_with = EnvironmentFault.exit_code
        raise EnvironmentFault(
            f"another rank has ended or cannot be reached (this is rank {self.rank}); "
            "continue from the last checkpoint with `resume`"
        )

    def _end_the_others(self) -> None:
        """At exit: do not wait for a rank that is lost, as MPI's own finalization would."""
        if self._abort_with:
            sys.stderr.flush()
            self._world.Abort(self._abort_with)


def _code_of(error: BaseException) -> int:
    """Return the exit code of a process that this ends."""
    if isinstance(error, TinyCNNError):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return 130
    return error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1
