"""``python -m tinycnn.explain conv2d`` shows what an operation does, and how: the arguments."""

import argparse

from tinycnn.cli import Command, add_json, run_command

EXAMPLES = """\
examples:
  python -m tinycnn.explain                       all operations
  python -m tinycnn.explain conv2d                formula, code, an example, gradient, time
  python -m tinycnn.explain MaxPool2D --rounds 0  the same for a layer, without the time
  python -m tinycnn.explain conv2d_backward_input --html page.html
"""


def _rounds(text: str) -> int:
    if not text.isdecimal() or int(text) > 1000:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 to 1000")
    return int(text)


main = Command(
    "tinycnn.explain",
    "Show what an operation computes, how it is coded, and that it is right.",
    EXAMPLES,
)
main.add_argument("operation", metavar="OPERATION", nargs="?", help="or a layer, as Conv2D")
main.add_argument("--list", action="store_true", help="name all operations")
main.add_argument("--rounds", metavar="N", type=_rounds, default=7, help="of timing (7)")
main.add_argument("--html", metavar="OUT.html", help="write a page instead of printing")
add_json(main)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
