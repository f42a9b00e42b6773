"""The machine that figures were measured on, and how much of it other programs used."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROC = Path("/proc")


def describe() -> dict[str, str | int]:
    """Name the processor, its cores, the system and Python."""
    return {
        "cpu": _cpu_name(),
        "cores": available_cores(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def in_words() -> str:
    """Return the same as a line above a table."""
    about = describe()
    return f"{about['cpu']}, {about['cores']} cores, {about['system']}, Python {about['python']}"


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_name() -> str:
    info = PROC / "cpuinfo"
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


class Neighbors:
    """Other programs on the machine, from Linux' own counters; elsewhere they are not known.

    ``patience`` is how many seconds ``wait`` may spend in all until others pause.
    """

    def __init__(self, patience: float = 0.0) -> None:
        self.patience = patience

    def wait(self, window: float = 0.1) -> None:
        """Return when no other program ran for ``window`` seconds, or when patience ends."""
        while self.patience > 0:
            busy, start = busy_seconds(), time.perf_counter()
            time.sleep(window)
            self.patience -= time.perf_counter() - start
            if busy_seconds() - busy <= 0.1 * window * cores():
                return

    @staticmethod
    def share(busy: float, elapsed: float) -> float:
        """Return ``busy`` seconds as a share, 0 to 1, of what all cores can do in ``elapsed``."""
        return min(1.0, max(0.0, busy / (elapsed * cores())))


@contextmanager
def busy_program() -> Iterator[None]:
    """In the ``with``, another process uses one core without a pause."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def cores() -> int:
    return os.cpu_count() or 1


def busy_seconds() -> float:
    """Seconds that all cores together were at work or lent to other machines, since the start.

    Zero where the system does not say.
    """
    counters = PROC / "stat"
    if not counters.exists():
        return 0.0
    user, nice, system, _, _, irq, soft, steal, *_ = map(
        int, counters.read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def peak_megabytes() -> int:
    """Return the most memory that this process has used since it was started.

    ``getrusage`` would count the memory of the process that started it, too.
    """
    status = PROC / "self" / "status"
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**20  # in bytes on macOS
