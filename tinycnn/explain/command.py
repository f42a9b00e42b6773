"""Explain the operation that the arguments name, on the terminal or as a page."""

import io
import sys
from argparse import Namespace
from pathlib import Path

from rich.syntax import Syntax

import tinycnn
from tinycnn.console import Console, log_console
from tinycnn.explain.catalogue import NAMES, Operation, find
from tinycnn.explain.explanation import Explanation, explain
from tinycnn.explain.sections import sections
from tinycnn.files import refuse_to_overwrite, to_json, write_bytes
from tinycnn.train.compile_progress import compilation_shown

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title></title>
<style>
{stylesheet}
body {{ color: {foreground}; background: {background}; margin: 2em; }}
pre {{ font: 0.9rem/1.5 ui-monospace, monospace; white-space: pre-wrap; }}
</style>
<pre>{code}</pre>
</html>
"""
"""The argument of ``Console.export_html``."""


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
        write_bytes(arguments.html, page(explanation).encode())
        print(f"wrote {arguments.html}", file=sys.stderr)
    if arguments.json:
        print(to_json(explanation.as_dict()))
    elif not arguments.html:
        out = Console(highlight=False, soft_wrap=True)
        _print(explanation, out, theme="ansi_dark" if out.is_terminal else "")
    return 0 if explanation.right else 1


def _print_list(as_json: bool) -> None:
    sentences = {name: Operation(name).docstring.sentence for name in NAMES}
    if as_json:
        print(to_json({"operations": sentences}))
        return
    for name, sentence in sentences.items():
        print(f"{name}\n    {' '.join(sentence.split())}")


def _print(explanation: Explanation, out: Console, theme: str) -> None:
    """Print the sections, code in the colors of ``theme`` if there is one."""
    for number, (heading, body) in enumerate(sections(explanation)):
        out.print(f"{'' if not number else chr(10)}{heading}", style="bold", markup=False)
        if theme and heading.startswith(("Reference", "Compiled")):
            out.print(Syntax(body, "python", theme=theme, background_color="default"))
        else:
            out.print(body, markup=False)


def page(explanation: Explanation) -> str:
    """The same as an HTML page that needs no other file, no network and no script."""
    out = Console(record=True, file=io.StringIO(), highlight=False, soft_wrap=True)
    _print(explanation, out, theme="xcode")
    head = f"<title>{explanation.operation.name} - tinycnn</title>"
    return out.export_html(code_format=PAGE.replace("<title></title>", head))
