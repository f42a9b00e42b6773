"""Every promise of SECURITY.md, tried: one table.

python -m tests.reliability --short              minutes: a little of everything
python -m tests.reliability                      hours, as SECURITY.md promises it
python -m tests.reliability faults kill_storm    some parts only
python -m tests.reliability weights --seed 5     one format of files, other mutations
"""

import argparse
from collections.abc import Callable, Iterable

from benchmarks.command import progress, whole
from tests.reliability import bombs, determinism, faults, fuzz, kill_storm
from tests.reliability.findings import Finding, report
from tests.reliability.targets import FORMATS

Part = Callable[[bool, Callable[[str], None]], Iterable[Finding]]

PARTS: dict[str, Part] = {
    "faults": lambda short, tell: faults.findings(),
    "kill_storm": lambda short, tell: kill_storm.findings(tell, *(4, 2, 2) if short else ()),
    "determinism": lambda short, tell: [determinism.finding(short, tell)],
    "bombs": lambda short, tell: bombs.findings(tell),
}
"""By name; each format of files is one part more."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.reliability",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [*PARTS, *FORMATS]
    add = parser.add_argument
    add("parts", metavar="PART", nargs="*", help=f"some of: {', '.join(names)}")
    add("--short", action="store_true", help="a little of everything")
    add("--seed", metavar="N", type=whole(0, 2**31), default=0, help="of the mutations")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(names)}")
    found: list[Finding] = []
    with progress() as tell:
        for name in options.parts or names:
            tell(name)
            if name in PARTS:
                found += PARTS[name](options.short, tell)
            else:
                count = FORMATS[name].tried // (1000 if options.short else 1)
                found.append(fuzz.fuzz(name, count, options.seed))
    return report(found)


if __name__ == "__main__":
    raise SystemExit(main())
