"""``python -m tinycnn.sweep`` tries several settings and compares them: the arguments."""

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from tinycnn.cli import Command, add_dataset, add_json, option, run_command
from tinycnn.train.recipe import Recipe

EXAMPLES = """\
examples:
  python -m tinycnn.sweep --lr 0.02,0.05,0.1 --seeds 3        every value with three seeds
  python -m tinycnn.sweep --preset lenet,tiny --augment none,mild --limit 2000 --epochs 3
  python -m tinycnn.sweep --lr 0.02,0.05 --sweep-dir DIR      again: only what DIR does not have
"""


def list_of(kind: Any) -> Callable[[str], list[Any]]:
    """The type of an option that takes several values of one of the types in a recipe."""
    kind = kind if kind in (str, int) else float

    def parse(text: str) -> list[Any]:
        try:
            return [kind(word) for word in text.split(",")]
        except ValueError:
            numbers = "whole numbers" if kind is int else "numbers"
            raise argparse.ArgumentTypeError(f"{text} is no list of {numbers} as A,B,C") from None

    return parse


main = Command(
    "tinycnn.sweep", "Try several settings, with several seeds, and compare them.", EXAMPLES
)
swept = main.add_argument_group("settings to try: one value or several, as A,B,C")
for field in fields(Recipe):
    if (name := field.name) not in ("seed", "limit", "validation"):  # by these they are compared
        swept.add_argument(
            option(name),
            metavar="VALUES",
            type=list_of(field.type),
            help=f"as {option(name)} of train",
        )
swept.add_argument("--seeds", metavar="N", type=int, help="seeds 0 to N-1 for each setting (1)")
data = main.add_argument_group("data")
add_dataset(data)
data.add_argument("--limit", metavar="N", type=int, help="only the first N training images")
data.add_argument("--validation", metavar="X", type=float, help="share to judge by (0.1)")
work = main.add_argument_group("the work")
work.add_argument("--sweep-dir", metavar="DIR", help="new, or of a sweep (runs/DATE-sweep)")
work.add_argument("--jobs", metavar="N", type=int, help="processes (one per processor)")
work.add_argument("--threads", metavar="N", type=int, help="of each (what is left)")
add_json(work, "the table as one JSON object")
work.add_argument("--quiet", action="store_true", help="no progress")


if __name__ == "__main__":
    raise SystemExit(run_command(main))
