"""A promise, what was tried against it, how often, and what happened: rows of one table."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table

SHOWN = 3  # breaches of a promise that are printed


@dataclass
class Finding:
    """One row; ``breaches`` are observations that contradict the promise."""

    promise: str
    tried: str
    times: int = 0
    breaches: list[str] = field(default_factory=list)
    note: str = ""
    """Measurements made on the way."""

    def outcome(self) -> str:
        """Return the result in words."""
        if not self.times:
            return "not tried"
        shown = "; ".join(self.breaches[:SHOWN])
        kept = f"BROKEN {len(self.breaches):,} times: {shown}" if self.breaches else "kept"
        return f"{kept}; {self.note}" if self.note else kept


def report(findings: Sequence[Finding]) -> int:
    """Print the table; return the exit code, 1 if a promise was broken."""
    table = Table("promise", "tried", "times", "what happened", box=box.MARKDOWN)
    for finding in findings:
        table.add_row(finding.promise, finding.tried, f"{finding.times:,}", finding.outcome())
    width = max([len(finding.outcome()) for finding in findings], default=0) + 150
    Console(width=width, markup=False).print(table)
    return 1 if any(finding.breaches for finding in findings) else 0
