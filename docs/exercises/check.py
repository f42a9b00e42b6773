"""Check your answers: ``python docs/exercises/check.py 4`` for chapter 4, no number for all.

Exits with 0 when all is right, with 1 when something is wrong or not written yet.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from checking import RIGHT, WRONG, Verdict, judge

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent.parent))  # benchmarks, which are not installed
CHAPTERS = {int(path.name[2:4]): path.stem for path in sorted(HERE.glob("ch[0-9]*.py"))}
USAGE = "usage: python docs/exercises/check.py [CHAPTER ...]"


def main(arguments: Sequence[str]) -> int:
    """Print a verdict on each exercise of the chapters that were named; return the exit code."""
    numbers = arguments or [str(number) for number in sorted(CHAPTERS)]
    if not all(number.isdecimal() and int(number) in CHAPTERS for number in numbers):
        print(f"{USAGE}; chapters are {min(CHAPTERS)} to {max(CHAPTERS)}", file=sys.stderr)
        return 2
    verdicts: list[Verdict] = []
    for number in map(int, numbers):
        print(f"docs/exercises/{CHAPTERS[number]}.py")
        try:
            found = judge(importlib.import_module(CHAPTERS[number]), checks_of(number))
        except SyntaxError as error:
            wrong = f"line {error.lineno} is no Python: {error.msg}"
            found = [Verdict("the file", WRONG, wrong)]
        print(*found, "", sep="\n")
        verdicts += found
    right = sum(verdict.word == RIGHT for verdict in verdicts)
    print(f"{right} of {len(verdicts)} right")
    return 0 if right == len(verdicts) else 1


def checks_of(chapter: int) -> dict[str, Callable]:
    """Return the checks of a chapter, each by the name of the function that it checks."""
    module = importlib.import_module(f"checks.ch{chapter:02}")
    functions = {n: f for n, f in vars(module).items() if inspect.isfunction(f)}
    return {n: f for n, f in functions.items() if f.__module__ == module.__name__ and n[0] != "_"}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
