"""Explain the operation that the arguments name, on the terminal."""

from argparse import Namespace

from rich.syntax import Syntax

from tinycnn.console import Console, log_console
from tinycnn.explain.catalogue import NAMES, Operation, find
from tinycnn.explain.example import work_out
from tinycnn.explain.explanation import sections
from tinycnn.train.compile_progress import compilation_shown


def run(arguments: Namespace) -> int:
    """Print the explanation; return 1 if the kernel differs from the reference, else 0."""
    if not arguments.operation:
        for name in NAMES:
            print(f"{name}\n    {' '.join(Operation(name).docstring[0].split())}")
        return 0
    operation = find(arguments.operation)
    with compilation_shown(log_console()):
        example = work_out(operation)
    out = Console(highlight=False, soft_wrap=True)
    for number, (heading, body) in enumerate(sections(operation, example)):
        out.print("\n" * bool(number) + heading, style="bold", markup=False)
        if out.is_terminal and heading.startswith(("Reference", "Compiled")):
            out.print(Syntax(body, "python", theme="ansi_dark", background_color="default"))
        else:
            out.print(body, markup=False)
    return 0 if example.right else 1
