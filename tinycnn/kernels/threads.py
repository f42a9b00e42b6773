"""One way to spread a loop over threads: a thread that is free takes the next piece.

A loop is a job for a team: the thread that called, and helpers, which wait in compiled code. Each
takes the numbers of its own share, then what others have left, from counters that no two can read
alike.
A thread that the system has put aside holds up the others with the piece in its hands, and no
more: the caller waits only for helpers that came. Helpers without a job for a while sleep.

Beside other programs helpers give way: now and then each yields its core, between two jobs and
not with a piece in its hands, and none stays on the core of the caller, which would have to wait.
"""

import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types

from tinycnn.errors import ShapeError
from tinycnn.kernels.jit import CHECKED, UNCOMPILED, BodyLibrary, kernel, part
from tinycnn.kernels.jobs import COUNT, DATA, LINE, NEXT, SHARES, WORDS, job_of, take_part
from tinycnn.kernels.simd import X86, becomes, call

CORE, (JOB, ACTIVE, TEAM, JOBS) = DATA + 1, range(2 * LINE, 6 * LINE, LINE)
"""More slots of the board, which all threads read: the caller's core; the open job or 0; how many
helpers are at it; who may help; how many jobs there have been."""

SPINS = 10_000
"""How often a thread looks again before it rests: to sleep and wake up takes about as long."""

TURN = 16
"""After how many jobs of its own a helper yields its core."""

LINUX = sys.platform == "linux"

_nap: Any = types.ExternalFunction("usleep", types.int32(types.int32))
_yield: Any = types.ExternalFunction("sched_yield", types.int32())
_core: Any = types.ExternalFunction("sched_getcpu", types.int32()) if LINUX else part(lambda: -1)


@becomes(
    lambda board, at: types.int64,
    lambda builder, kind, board, at: builder.load_atomic(board.at(at), "seq_cst", LINE),
)
def _peek(board, at):
    """Return board[at] as it is now."""


@becomes(
    lambda board, at, by: types.int64,
    lambda builder, kind, board, at, by: builder.atomic_rmw("add", board.at(at), by, "seq_cst"),
)
def _add(board, at, by):
    """Add to board[at], and return what was there: no two threads get the same."""


@becomes(
    lambda board: types.void,
    lambda builder, kind, board: X86 and call(builder, "llvm.x86.sse2.pause", ir.VoidType(), ()),
)
def _pause(board):
    """Leave the processor's units to others for some cycles."""


def parallel_over(body: Callable) -> Callable:
    """Return the kernel that calls ``body(n, read, written)`` for all n below a count, in parallel.

    ``read`` and ``written`` are tuples of arrays. When another Python thread has the team, the
    calling one does all.
    """
    compiled = part(body, BodyLibrary)
    if CHECKED or UNCOMPILED:

        def loop(count, read, written):
            for n in range(count):
                compiled(n, read, written)

        loop = kernel(loop, body)
    else:
        write_job = job_of(compiled)

        def write(job, count, read, written):
            write_job(job, count, read, written)

        write = kernel(write, body)

        def loop(count, read, written):
            if _own.record is not None:
                _own.record.append(partial(loop, count, read, written))
            write(_own.jobs[0], count, read, written)
            _run(_own.jobs, count)

        loop.write = write  # type: ignore[attr-defined]
    loop.__wrapped__ = body  # type: ignore[attr-defined]
    return loop


@contextlib.contextmanager
def recorded() -> Iterator[list[Any]]:
    """Record the loops that this thread calls meanwhile, as partial calls, for ``in_a_row``."""
    before, _own.record = _own.record, []
    try:
        yield _own.record
    finally:
        _own.record = before


def between(step: Callable[[], object]) -> None:
    """Call ``step``, Python between loops; where these are recorded, it is too, as a whole."""
    with recorded():
        step()
    if _own.record is not None:
        _own.record.append(step)


def in_a_row(loops: Sequence[partial]) -> Callable[[], object]:
    """Return what calls ``loops``, partial calls, without Python between; keep their arrays."""
    if CHECKED or UNCOMPILED:
        return lambda: [loop() for loop in loops]
    jobs = np.empty((len(loops), WORDS), np.int64)
    for job, loop in zip(jobs, loops, strict=True):
        loop.func.write(job, *loop.args)  # type: ignore[attr-defined]
    most = int(jobs[:, COUNT].max(initial=0))
    return lambda: _run(jobs, most)


def _run(jobs: np.ndarray, pieces: int) -> None:
    """Do ``jobs`` with the team, unless it is taken or not needed."""
    threads = min(pieces, _own.threads)
    if threads < 2 or not _team["turn"].acquire(blocking=False):
        _run_jobs(_own.board, jobs)
        return
    try:
        _wake(threads)
        _run_jobs(_BOARD, jobs)
    finally:
        _team["turn"].release()


@kernel
def _run_jobs(board, jobs):
    """Open each job, take part in it, and wait for helpers that do."""
    for job in jobs:
        board[DATA], board[SHARES] = job.ctypes.data, max(1, board[TEAM])
        for share in range(board[SHARES]):
            for end in range(2):
                board[NEXT + share * LINE + end] = (share + end) * job[COUNT] // board[SHARES]
        if job[COUNT] < 2:
            take_part(board, 0)
            continue
        board[JOBS] += 1
        board[CORE] = _core()
        _add(board, JOB, board[JOBS])
        take_part(board, 0)
        _add(board, JOB, -board[JOBS])
        # a helper says that it is active before it looks for the job: none is missed here
        spins = 0
        while _peek(board, ACTIVE):
            spins += 1
            _pause(board)
            if spins > SPINS:
                _nap(50)


@kernel
def _help(board, helper):
    """Take part in jobs until there is none for a while; return the core if it is the caller's."""
    spins, done, turns = 0, 0, 0
    while spins < SPINS:
        spins += 1
        job = _peek(board, JOB)
        if job in (0, done) or helper >= _peek(board, TEAM):
            _pause(board)
        elif _core() == board[CORE] >= 0:
            return board[CORE]
        else:
            _add(board, ACTIVE, 1)
            if _peek(board, JOB) == job:
                take_part(board, helper)
                spins, done = 0, job
            _add(board, ACTIVE, -1)
            turns += 1
            if turns % TURN == 0:
                _yield()
    return -1


_BOARD = np.zeros(NEXT + numba.config.NUMBA_NUM_THREADS * LINE, np.int64)


class _Own(threading.local):
    """What each Python thread has: how many it asks for, and a board for jobs without helpers."""

    def __init__(self) -> None:
        self.threads = numba.config.NUMBA_NUM_THREADS
        self.record: list[Any] | None = None
        self.board, self.jobs = np.zeros_like(_BOARD), np.empty((1, WORDS), np.int64)


_own = _Own()

_team: dict[str, Any] = {}


def _assemble() -> None:
    """Begin with no helpers; a process that was forked has lost those of its parent."""
    _BOARD[:] = 0
    _team.update(turn=threading.Lock(), helpers=[], over=False)


_assemble()
os.register_at_fork(after_in_child=_assemble)


def _wake(threads: int) -> None:
    """Have so many threads wait for jobs, one of which is the caller."""
    _BOARD[TEAM] = threads
    for _, gate in _team["helpers"][: threads - 1]:
        if not gate.is_set():
            gate.set()
    while len(_team["helpers"]) < threads - 1:
        _help(_own.board, 0)  # compiled in this thread, where signals wait for its end
        gate, number = threading.Event(), len(_team["helpers"]) + 1
        helper = threading.Thread(target=_stay, args=(number, gate), daemon=True)
        _team["helpers"].append((helper, gate))
        helper.start()


def _stay(helper: int, gate: threading.Event) -> None:
    while not _team["over"]:
        core = _help(_BOARD, helper)
        if core >= 0 and (others := os.sched_getaffinity(0) - {core}):
            os.sched_setaffinity(0, others)  # which moves this thread
            os.sched_setaffinity(0, others | {core})
            continue
        gate.clear()
        gate.wait()


@atexit.register
def _dismiss() -> None:
    """End the helpers: Python must not end while one of them wakes up."""
    _team["over"] = True
    for helper, gate in _team["helpers"]:
        while helper.is_alive():  # it may be about to clear its gate
            gate.set()
            helper.join(0.001)


def set_threads(threads: int | None) -> None:
    """Run kernels that this thread calls on ``threads`` threads; None means all that there are."""
    most = numba.config.NUMBA_NUM_THREADS
    if threads is not None and not 1 <= threads <= most:
        raise ShapeError(f"`threads` must be between 1 and {most}, not {threads}")
    _own.threads = threads or most


def get_threads() -> int:
    """Return how many threads kernels run on."""
    return _own.threads
