"""What the figures were measured on, and who else was using it meanwhile."""

import os
import platform
import time
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
    """What else runs on the machine, from Linux' own counters; elsewhere it is not known.

    ``patience`` is how many seconds ``wait`` may spend in all until others make a pause.
    """

    def __init__(self, patience: float = 0.0) -> None:
        self.patience = patience

    def wait(self, window: float = 0.1) -> None:
        """Return when nobody else used the machine for ``window`` seconds, or patience ends."""
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


def cores() -> int:
    return os.cpu_count() or 1


def busy_seconds() -> float:
    """Seconds that all cores together were at work or lent to other machines, since the start.

    Zero where the system does not tell.
    """
    counters = PROC / "stat"
    if not counters.exists():
        return 0.0
    user, nice, system, _, _, irq, soft, steal, *_ = map(
        int, counters.read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")
