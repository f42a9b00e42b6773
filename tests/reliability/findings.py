"""A promise, what was tried against it, how often, and what happened: rows of one table."""

from collections.abc import Sequence
from dataclasses import dataclass, field

SHOWN = 3  # breaches of a promise that are printed


@dataclass
class Finding:
    """One row; ``breaches`` are observations that contradict the promise, ``note`` measurements."""

    promise: str
    tried: str
    times: int = 0
    breaches: list[str] = field(default_factory=list)
    note: str = ""

    def row(self) -> str:
        kept = "kept" if self.times else "not tried"
        if self.breaches:
            kept = f"BROKEN {len(self.breaches):,} times: {'; '.join(self.breaches[:SHOWN])}"
        outcome = "; ".join(filter(None, [kept, self.note]))
        return f"| {self.promise} | {self.tried} | {self.times:,} | {outcome} |"


def report(findings: Sequence[Finding]) -> int:
    """Print the table; return the exit code, 1 if a promise was broken."""
    print("| promise | tried | times | what happened |\n|---|---|---|---|")
    for finding in findings:
        print(finding.row())
    return 1 if any(finding.breaches for finding in findings) else 0
