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
    try:
        numbers = [int(argument) for argument in arguments] or sorted(CHAPTERS)
        chapters = {number: CHAPTERS[number] for number in numbers}
    except (ValueError, KeyError):
        print(f"{USAGE}; chapters are {min(CHAPTERS)} to {max(CHAPTERS)}", file=sys.stderr)
        return 2
    verdicts: list[Verdict] = []
    for stem in chapters.values():
        print(f"docs/exercises/{stem}.py")
        found = check_chapter(stem)
        print(*found, "", sep="\n")
        verdicts += found
    right = sum(verdict.word == RIGHT for verdict in verdicts)
    print(f"{right} of {len(verdicts)} right")
    return 0 if right == len(verdicts) else 1


def check_chapter(stem: str) -> list[Verdict]:
    """Judge the reader's file of a chapter."""
    try:
        answers = importlib.import_module(stem)
    except SyntaxError as error:
        return [Verdict("the file", WRONG, f"line {error.lineno} is no Python: {error.msg}")]
    return judge(answers, checks_of(int(stem[2:4])))


def checks_of(chapter: int) -> dict[str, Callable]:
    """Return the checks of a chapter, each by the name of the function that it checks."""
    module = importlib.import_module(f"checks.ch{chapter:02}")
    functions = {n: f for n, f in vars(module).items() if inspect.isfunction(f)}
    return {n: f for n, f in functions.items() if f.__module__ == module.__name__ and n[0] != "_"}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
