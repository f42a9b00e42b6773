"""The command to one operation: ``python -m tinycnn.explain conv2d`` shows what it does, and how.

Only arguments and printing; the work is done in ``tinycnn.explain``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.cli import Parser, run_command
from tinycnn.files import refuse_to_overwrite, to_json, write_bytes

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for the compiler
    from tinycnn.explain import Explanation

EXAMPLES = """\
examples:
  python -m tinycnn.explain                       all operations
  python -m tinycnn.explain conv2d                formula, codes, an example, gradient, time
  python -m tinycnn.explain MaxPool2D --rounds 0  the same of another one, without the time
  python -m tinycnn.explain conv2d_backward_input --html page.html
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, explain, print; returns the exit code, 1 if a gradient is wrong."""
    arguments = _parser().parse_args(argv)
    if arguments.list or not arguments.operation:
        _print_list(arguments.json)
        return 0

    from tinycnn.console import Console
    from tinycnn.explain import as_page, explain, find
    from tinycnn.train.compile_progress import compilation_shown

    operation = find(arguments.operation)
    refuse_to_overwrite([arguments.html], Path(__file__).parents[1].rglob("*.py"))
    with compilation_shown(Console(stderr=True, highlight=False, soft_wrap=True)):
        explanation = explain(operation, arguments.rounds)
    if arguments.html:
        write_bytes(arguments.html, as_page(explanation).encode())
        print(f"wrote {arguments.html}", file=sys.stderr)
    if arguments.json:
        print(to_json(explanation.as_dict()))
    elif not arguments.html:
        _print_text(explanation)
    return 0 if explanation.right else 1


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m tinycnn.explain",
        description="Show what an operation computes, how it is coded, and that it is right.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("operation", metavar="OPERATION", nargs="?", help="or a layer, as Conv2D")
    parser.add_argument("--list", action="store_true", help="name all operations")
    parser.add_argument("--rounds", metavar="N", type=_rounds, default=7, help="of timing (7)")
    parser.add_argument("--html", metavar="OUT.html", help="write a page instead of printing")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _rounds(text: str) -> int:
    if not text.isdecimal() or int(text) > 1000:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 to 1000")
    return int(text)


def _print_list(as_json: bool) -> None:
    from tinycnn.explain import NAMES, Operation

    sentences = {name: Operation(name).docstring.sentence for name in NAMES}
    if as_json:
        print(to_json({"operations": sentences}))
        return
    for name, sentence in sentences.items():
        print(f"{name}\n    {' '.join(sentence.split())}")


def _print_text(explanation: "Explanation") -> None:
    """The sections; on a terminal headings are bold and code is colored."""
    from rich.syntax import Syntax

    from tinycnn.console import Console
    from tinycnn.explain import as_text

    out = Console(highlight=False, soft_wrap=True)
    for number, (heading, body) in enumerate(as_text(explanation)):
        out.print(f"{'' if not number else chr(10)}{heading}", style="bold", markup=False)
        is_code = heading.startswith(("Reference", "Compiled"))
        if out.is_terminal and is_code:
            out.print(Syntax(body, "python", theme="ansi_dark", background_color="default"))
        else:
            out.print(body, markup=False)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
