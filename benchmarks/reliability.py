"""All that is promised of reliability, tried: one table.

    python -m benchmarks.reliability --short     minutes: a little of everything
    python -m benchmarks.reliability             hours, as SECURITY.md promises it

The parts run by themselves too: benchmarks.faults, kills, determinism, bombs, fuzz.
"""

import argparse

from benchmarks import bombs, determinism, faults, fuzz, kill_storm
from benchmarks.command import progress
from benchmarks.findings import report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a little of everything")
    short = parser.parse_args().short
    found = list(faults.findings())
    found += kill_storm.findings(4, 2, 2) if short else kill_storm.findings()
    with progress() as tell:
        wanted = determinism.is_quick if short else lambda configuration: True
        found.append(determinism.finding(wanted, tell))
        found += bombs.findings(tell)
    found += fuzz.findings(0.001 if short else 1.0)
    return report(found)


if __name__ == "__main__":
    raise SystemExit(main())
