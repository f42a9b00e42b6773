"""Explain the operation that the arguments name, on the terminal."""

from argparse import Namespace
from collections.abc import Iterator

from rich.syntax import Syntax

from tinycnn.console import Console, log_console
from tinycnn.explain.catalogue import NAMES, Operation, find, sources
from tinycnn.explain.example import Example, work_out
from tinycnn.explain.figures import shown
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


def sections(operation: Operation, example: Example) -> Iterator[tuple[str, str]]:
    """Headings, the first one the name of the operation, and the text below each."""
    sentence, idea, formula, shapes = operation.docstring
    yield _section(operation.name, sentence, idea)
    yield _section("Formula", formula, shapes)
    own, *helpers = sources(operation.version("reference"))
    codes = [own.body, *(helper.code for helper in helpers)]
    yield f"Reference ({own.file}, line {own.line})", "\n\n\n".join(codes)
    compiled = sources(operation.version("compiled"))
    codes = [source.code for source in compiled]
    yield f"Compiled ({compiled[0].file}, line {compiled[0].line})", "\n\n\n".join(codes)
    yield _section("Example: given", *shown(example.given))
    if example.between:
        yield _section("Example: intermediate values", *shown(example.between))
    yield _section("Example: result", *shown(example.results), _agreement(example))


def _section(heading: str, *parts: str) -> tuple[str, str]:
    return heading, "\n\n".join(filter(None, parts))


def _agreement(example: Example) -> str:
    if not example.right:
        return f"The kernel differs by {example.apart:.0e}: one of the two is WRONG."
    within = f", within {example.apart:.0e}." if example.apart else ", bit for bit."
    return f"The kernel gives the same{within}"
