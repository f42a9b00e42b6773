"""Explain the operation that the arguments name, on the terminal or as a page."""

import sys
from argparse import Namespace
from pathlib import Path

from rich.syntax import Syntax

import tinycnn
from tinycnn.console import Console, log_console
from tinycnn.explain.catalogue import NAMES, Operation, find
from tinycnn.explain.explanation import Explanation, explain
from tinycnn.explain.html import as_page
from tinycnn.explain.sections import as_text
from tinycnn.files import refuse_to_overwrite, to_json, write_bytes
from tinycnn.train.compile_progress import compilation_shown


def run(arguments: Namespace) -> int:
    """Print or write the explanation; return 1 if a gradient is wrong, else 0."""
    if arguments.list or not arguments.operation:
        _print_list(arguments.json)
        return 0
    operation = find(arguments.operation)
    refuse_to_overwrite([arguments.html], Path(tinycnn.__file__).parent.rglob("*.py"))
    with compilation_shown(log_console()):
        explanation = explain(operation, arguments.rounds)
    if arguments.html:
        write_bytes(arguments.html, as_page(explanation).encode())
        print(f"wrote {arguments.html}", file=sys.stderr)
    if arguments.json:
        print(to_json(explanation.as_dict()))
    elif not arguments.html:
        _print_text(explanation)
    return 0 if explanation.right else 1


def _print_list(as_json: bool) -> None:
    sentences = {name: Operation(name).docstring.sentence for name in NAMES}
    if as_json:
        print(to_json({"operations": sentences}))
        return
    for name, sentence in sentences.items():
        print(f"{name}\n    {' '.join(sentence.split())}")


def _print_text(explanation: Explanation) -> None:
    """Print the sections; on a terminal headings are bold and code is colored."""
    out = Console(highlight=False, soft_wrap=True)
    for number, (heading, body) in enumerate(as_text(explanation)):
        out.print(f"{'' if not number else chr(10)}{heading}", style="bold", markup=False)
        is_code = heading.startswith(("Reference", "Compiled"))
        if out.is_terminal and is_code:
            out.print(Syntax(body, "python", theme="ansi_dark", background_color="default"))
        else:
            out.print(body, markup=False)
