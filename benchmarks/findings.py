"""A promise, what was tried against it, how often, and what happened: rows of one table."""

import contextlib
import resource
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table

SHOWN = 3  # breaches of a promise that are told


@dataclass
class Finding:
    """One row; ``breaches`` are what was found to be otherwise than promised."""

    promise: str
    tried: str
    times: int = 0
    breaches: list[str] = field(default_factory=list)
    note: str = ""
    """What was measured on the way."""

    def outcome(self) -> str:
        """What happened, in words."""
        if not self.times:
            return "not tried"
        told = "; ".join(self.breaches[:SHOWN])
        held = f"BROKEN {len(self.breaches):,} times: {told}" if self.breaches else "held"
        return f"{held}; {self.note}" if self.note else held


def peak_megabytes() -> int:
    """The most memory this process has held since it was started."""
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def report(findings: Sequence[Finding]) -> int:
    """Print the table; returns the exit code, 1 if a promise was broken."""
    table = Table("promise", "tried", "times", "what happened", box=box.MARKDOWN)
    for finding in findings:
        table.add_row(finding.promise, finding.tried, f"{finding.times:,}", finding.outcome())
    width = max([len(finding.outcome()) for finding in findings], default=0) + 150
    Console(width=width, markup=False).print(table)
    return 1 if any(finding.breaches for finding in findings) else 0
