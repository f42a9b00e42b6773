"""Ranks that talk through MPI: one all-reduce a batch, whose sums are made in a fixed order.

MPI's own all-reduce may add in any order, and does, by number of ranks and length of message.
Here two ranks at a time exchange halves (Rabenseifner 2004), neighbors first: their sum is that
of the half of the batch which both have shares of, and so on up to the whole batch.
"""

import atexit
import contextlib
import os
import select
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from mpi4py import MPI

from tinycnn.errors import EnvironmentFault, TinyCNNError
from tinycnn.train.ranks import SingleProcess

PATIENCE = 8.0
"""Seconds of waiting for another rank's gradients, after which it is taken for lost."""

TICK = 0.1
"""Seconds between looks at whether the other ranks of this machine are still there."""

SPINS = 2000
"""Looks at a message before the first sleep: about as long as a short message takes."""

NAP = 0.0001
"""Seconds of sleep between later looks, which leave the core to whoever works."""


class Ranks(SingleProcess):
    """All processes of MPI's world, a power of two."""

    def __init__(self) -> None:
        super().__init__()
        self._world = MPI.COMM_WORLD
        self.rank, self.size = self._world.rank, self._world.size
        self._host = self._world.Split_type(MPI.COMM_TYPE_SHARED)
        self.threads = self._threads()
        self._flat, self._received = np.empty((2, 0), np.float32)
        self._pausing = self._broken = False
        self._exit_code = 1
        self._watch_neighbors()
        atexit.register(self._end_the_others)

    def add_up(self, arrays: Sequence[np.ndarray], number: float) -> float:
        """Give ``arrays`` (float32), in place, the sums over all ranks; the same for ``number``."""
        parts = [z.reshape(-1) for z in arrays]
        length = sum(part.size for part in parts) + 2
        if self._flat.size != length:
            self._flat, self._received = np.empty((2, length), np.float32)
        np.concatenate([*parts, [number, self.wish()]], out=self._flat, casting="same_kind")
        self._add(self._flat, self._received, PATIENCE)
        start = 0
        for part in parts:
            part[:] = self._flat[start : start + part.size]
            start += part.size
        self._pausing = bool(self._flat[-1])
        return float(self._flat[-2])

    def pausing(self) -> bool:
        return self._pausing

    def largest(self, number: int) -> int:
        value = np.array([number])
        for partner in self._partners():
            other = np.empty_like(value)
            self._exchange(partner, value, other)
            value = np.maximum(value, other)
        return int(value[0])

    def spread(self, message: bytes) -> bytes:
        """The message of rank 0: the others have zeros, and all is added up."""
        flat = np.zeros(self.largest(len(message) if self.leads else 0), np.uint8)
        if self.leads:
            flat[:] = np.frombuffer(message, np.uint8)
        self._add(flat, np.empty_like(flat))
        return flat.tobytes()

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        failure, code = None, 0
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - every rank has to know of it
            failure, code = error, self._code_of(error)
        self._broken |= code >= 128  # by a signal, after which nobody knows who waits for whom
        if not self._broken:
            told = self.largest((self.size - self.rank) << 8 | code)
            code, first = told & 255, self.size - (told >> 8)
            if code and self.rank != first:  # the lowest rank that failed is the one that tells
                failure = SystemExit(code)
        elif not self.leads:
            time.sleep(1)  # usually rank 0 has told by then, and ended all
            failure = failure if code < 128 else SystemExit(code)
        if failure:
            raise failure

    def in_turn(self, work: Callable[[], None]) -> None:
        if self._host.rank == 0:
            work()
        self.largest(0)
        if self._host.rank:
            work()

    # ------------------------------------------------------------------------------- messages

    def _partners(self) -> Iterator[int]:
        """Neighbors first: 1, 2, 4, ... ranks away."""
        return (self.rank ^ 1 << bit for bit in range(self.size.bit_length() - 1))

    def _add(self, flat: np.ndarray, spare: np.ndarray, patience: float | None = None) -> None:
        """Give ``flat`` (n,) the sum over all ranks; every number is summed by one, for all.

        On the way there each pair of ranks halves what both still have to sum. On the way back
        they exchange what they have summed. The bits are those of ((0 + 1) + (2 + 3)) + ...
        """
        start, stop, way = 0, flat.size, []
        for partner in self._partners():
            middle = (start + stop) // 2
            low, high = slice(start, middle), slice(middle, stop)
            mine, theirs = (low, high) if self.rank < partner else (high, low)
            self._exchange(partner, flat[theirs], spare[mine], patience)
            flat[mine] += spare[mine]
            start, stop = mine.start, mine.stop
            way.append((partner, mine, theirs))
        for partner, mine, theirs in reversed(way):
            self._exchange(partner, flat[mine], flat[theirs], patience)

    def _exchange(
        self, partner: int, sent: np.ndarray, got: np.ndarray, patience: float | None = None
    ) -> None:
        """Send to ``partner`` and receive from it; EnvironmentFault if it does not come."""
        try:
            requests = [self._world.Irecv(got, partner), self._world.Isend(sent, partner)]
            self._wait(requests, partner, patience)
        except MPI.Exception as error:
            self._broken = True
            raise EnvironmentFault(
                f"rank {partner} cannot be reached any more; "
                "go on from the last checkpoint with `resume`"
            ) from error
        except BaseException:
            self._broken = True
            raise

    def _wait(self, requests: list[MPI.Request], partner: int, patience: float | None) -> None:
        """Sleep between looks, and count sleeps: a process that was halted has not waited."""
        for _ in range(SPINS):
            if MPI.Request.Testall(requests):
                return
        waited, look, before = 0.0, TICK, time.monotonic()
        while not MPI.Request.Testall(requests):
            time.sleep(NAP)
            now = time.monotonic()
            waited, before = waited + min(now - before, TICK), now
            if waited > look:  # not at once: whoever has ended may have sent a message before
                self._miss_neighbors()
                look += TICK
            if patience is not None and waited > patience:
                raise EnvironmentFault(
                    f"rank {partner} has not answered for {patience:.0f} seconds; "
                    "go on from the last checkpoint with `resume`"
                )

    # -------------------------------------------------------------------------------- machines

    def _threads(self) -> int:
        """The cores that the ranks of this machine may use, divided by how many they are."""
        if not hasattr(os, "sched_getaffinity"):
            return max(1, (os.cpu_count() or 1) // self._host.size)
        cores = np.zeros(2**13, np.uint8)
        cores[list(os.sched_getaffinity(0))] = 1
        self._host.Allreduce(MPI.IN_PLACE, cores, MPI.MAX)
        return max(1, int(cores.sum()) // self._host.size)

    def _watch_neighbors(self) -> None:
        """Have the system tell when a rank of this machine ends, where it can."""
        ranks, processes = np.empty((2, self._host.size), np.int64)
        self._host.Allgather(np.array([self.rank]), ranks)
        self._host.Allgather(np.array([os.getpid()]), processes)
        self._ends, self._neighbors = select.poll(), {}
        for rank, process in zip(ranks.tolist(), processes.tolist(), strict=True):
            with contextlib.suppress(AttributeError, OSError):  # other systems, other namespaces
                if rank != self.rank:
                    handle = os.pidfd_open(process)
                    self._neighbors[handle] = rank
                    self._ends.register(handle, select.POLLIN)

    def _miss_neighbors(self) -> None:
        for handle, _ in self._ends.poll(0):
            raise EnvironmentFault(
                f"rank {self._neighbors[handle]} has ended without a word; "
                "go on from the last checkpoint with `resume`"
            )

    def _code_of(self, error: BaseException) -> int:
        if isinstance(error, TinyCNNError):
            self._exit_code = error.exit_code
        elif isinstance(error, KeyboardInterrupt):
            self._exit_code = 130
        elif isinstance(error, SystemExit) and isinstance(error.code, int):
            self._exit_code = error.code
        return self._exit_code

    def _end_the_others(self) -> None:
        """At exit: who has lost another rank must not wait for it, as MPI's own end would."""
        if self._broken:
            sys.stderr.flush()
            self._world.Abort(self._exit_code)
