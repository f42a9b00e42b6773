"""Ranks that talk through MPI: one all-reduce per batch, whose sums are made in a fixed order.

MPI's own all-reduce may add in any order; which one depends on the number of ranks and the length
of the message. Here two ranks at a time exchange halves (Rabenseifner 2004), neighbors first: two
neighbors add up the half of the batch that they share, and so on up to the whole batch.
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
"""Seconds of waiting for another rank's gradients, after which the rank counts as lost."""

TICK = 0.1
"""Seconds between looks at whether the other ranks of this machine are still there."""

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
        self.threads = self._threads()
        self._flat, self._received = np.empty((2, 0), np.float32)
        self._pause_wanted = self._pausing = self._broken = False
        self._exit_code = 1
        self._watch_neighbors()
        atexit.register(self._end_the_others)

    def add_up(self, arrays: Sequence[np.ndarray], number: float) -> float:
        """Give ``arrays`` (float32), in place, the sums over all ranks; the same for ``number``."""
        parts = [z.reshape(-1) for z in arrays]
        length = sum(part.size for part in parts) + 2
        if self._flat.size != length:
            self._flat, self._received = np.empty((2, length), np.float32)
        np.concatenate([*parts, [number, self._pause_wanted]], out=self._flat, casting="same_kind")
        self._add(self._flat, self._received, PATIENCE)
        start = 0
        for part in parts:
            part[:] = self._flat[start : start + part.size]
            start += part.size
        self._pausing = bool(self._flat[-1])
        return float(self._flat[-2])

    def request_pause(self, wanted: bool) -> bool:
        """Send the request with the next sums: all ranks pause one batch later, together."""
        self._pause_wanted = wanted and not self._pausing
        return self._pausing

    def largest(self, number: int) -> int:
        value = np.array([number])
        for partner in self._partners():
            other = np.empty_like(value)
            self._exchange(partner, value, other)
            value = np.maximum(value, other)
        return int(value[0])

    def broadcast(self, message: bytes) -> bytes:
        """Add up the message of rank 0 and the zeros of the others."""
        flat = np.zeros(self.largest(len(message) if self.is_leader else 0), np.uint8)
        if self.is_leader:
            flat[:] = np.frombuffer(message, np.uint8)
        self._add(flat, np.empty_like(flat))
        return flat.tobytes()

    @contextlib.contextmanager
    def all_or_none(self) -> Iterator[None]:
        failure, code = None, 0
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - every rank has to know of it
            failure, code = error, self._code_of(error)
        self._broken |= code >= 128  # by a signal: no rank knows which others wait
        if not self._broken:
            agreed = self.largest((self.size - self.rank) << 8 | code)
            code, first = agreed & 255, self.size - (agreed >> 8)
            if code and self.rank != first:  # only the lowest rank that failed prints its error
                failure = SystemExit(code)
        elif not self.is_leader:
            time.sleep(1)  # usually rank 0 has printed by then, and ended all
            failure = failure if code < 128 else SystemExit(code)
        if failure:
            raise failure

    def first_then_rest(self, work: Callable[[], None]) -> None:
        if self._host.rank == 0:
            work()
        self.largest(0)
        if self._host.rank:
            work()

    # ------------------------------------------------------------------------------- messages

    def _partners(self) -> Iterator[int]:
        """Return the ranks to exchange with, neighbors first: 1, 2, 4, ... ranks away."""
        return (self.rank ^ 1 << bit for bit in range(self.size.bit_length() - 1))

    def _add(self, flat: np.ndarray, spare: np.ndarray, patience: float | None = None) -> None:
        """Give ``flat`` (n,) the sum over all ranks; one rank adds up each number, for all.

        First (reduce-scatter) each pair of ranks halves the numbers that both still have to add
        up. Then (all-gather) they exchange their sums, in the opposite order. The bits are those
        of ((0 + 1) + (2 + 3)) + ...
        """
        start, stop, exchanged = 0, flat.size, []
        for partner in self._partners():
            middle = (start + stop) // 2
            low, high = slice(start, middle), slice(middle, stop)
            mine, theirs = (low, high) if self.rank < partner else (high, low)
            self._exchange(partner, flat[theirs], spare[mine], patience)
            flat[mine] += spare[mine]
            start, stop = mine.start, mine.stop
            exchanged.append((partner, mine, theirs))
        for partner, mine, theirs in reversed(exchanged):
            self._exchange(partner, flat[mine], flat[theirs], patience)

    def _exchange(
        self, partner: int, sent: np.ndarray, got: np.ndarray, patience: float | None = None
    ) -> None:
        """Send to ``partner`` and receive from it; EnvironmentFault if it does not answer."""
        try:
            requests = [self._world.Irecv(got, partner), self._world.Isend(sent, partner)]
            self._wait(requests, partner, patience)
        except MPI.Exception as error:
            self._broken = True
            raise EnvironmentFault(
                f"rank {partner} cannot be reached any more; "
                "continue from the last checkpoint with `resume`"
            ) from error
        except BaseException:
            self._broken = True
            raise

    def _wait(self, requests: list[MPI.Request], partner: int, patience: float | None) -> None:
        """Sleep between looks, and add up the sleeps: a process that was halted did not wait."""
        for _ in range(SPINS):
            if MPI.Request.Testall(requests):
                return
        waited, look, before = 0.0, TICK, time.monotonic()
        while not MPI.Request.Testall(requests):
            time.sleep(NAP)
            now = time.monotonic()
            waited, before = waited + min(now - before, TICK), now
            if waited > look:  # not at once: a rank that has ended may have sent its message before
                self._check_neighbors()
                look += TICK
            if patience is not None and waited > patience:
                raise EnvironmentFault(
                    f"rank {partner} has not answered for {patience:.0f} seconds; "
                    "continue from the last checkpoint with `resume`"
                )

    # -------------------------------------------------------------------------------- machines

    def _threads(self) -> int:
        """Return the number of cores that this machine's ranks may use, divided by the ranks."""
        if not hasattr(os, "sched_getaffinity"):
            return max(1, (os.cpu_count() or 1) // self._host.size)
        cores = np.zeros(2**13, np.uint8)
        cores[list(os.sched_getaffinity(0))] = 1
        self._host.Allreduce(MPI.IN_PLACE, cores, MPI.MAX)
        return max(1, int(cores.sum()) // self._host.size)

    def _watch_neighbors(self) -> None:
        """Ask the system to report when a rank of this machine ends, where it can."""
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

    def _check_neighbors(self) -> None:
        for handle, _ in self._ends.poll(0):
            raise EnvironmentFault(
                f"rank {self._neighbors[handle]} has ended unexpectedly; "
                "continue from the last checkpoint with `resume`"
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
        """At exit: do not wait for a rank that is lost, as MPI's own finalization would."""
        if self._broken:
            sys.stderr.flush()
            self._world.Abort(self._exit_code)
