"""A page is a program: its blocks run from top to bottom, and its numbers are what they gave.

    ```python run         shows the code and what it printed; a last expression is printed too
    ```python run hidden  runs and shows nothing
    ```console run        runs "python ..." in the repository's folder, and shows the output;
                          with "fails" it may end with 1, as checks of exercises do
    {{ expression }}      becomes its value

All of a page share their names. What goes wrong stops the build, with page and line.
"""

import ast
import contextlib
import io
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np

from build.source import ROOT

PIECE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<code>.*?)^(?P=indent)```$|\{\{(?P<value>.+?)\}\}",
    re.DOTALL | re.MULTILINE,
)


COMMAND_SECONDS = 600
"""A command may have to compile all kernels first."""


class PageError(Exception):
    """Something in a page does not run."""


def run(markdown: str, helpers: Mapping[str, Any]) -> str:
    """Return the page with everything in it run; ``helpers`` are names it may use."""
    names = {"np": np, "block": block, "output": output, **helpers}

    def replace(match: re.Match) -> str:
        info = (match["info"] or "").split()
        try:
            if match["value"]:
                return number(eval(match["value"].strip(), names))
            if "run" not in info:
                return match[0]
            show = _python if info[0] == "python" else _console
            return _indented(show(textwrap.dedent(match["code"]), info, names), match["indent"])
        except Exception as error:
            line = markdown.count("\n", 0, match.start()) + 1
            raise PageError(f"line {line}: {type(error).__name__}: {error}") from error

    with np.printoptions(precision=4, suppress=True, floatmode="maxprec"):
        return PIECE.sub(replace, markdown)


def number(value: Any) -> str:
    """Return a value as prose has it: thousands set off, no more digits than say something."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return f"{value:.3g}" if 1e-4 < abs(value) < 100 or value == 0 else _very(value)
    return str(value)


def _very(value: float) -> str:
    """Return a very large or a very small number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.0e}"


def _python(code: str, info: list[str], names: dict[str, Any]) -> str:
    tree, printed = ast.parse(code), io.StringIO()
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<page>", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "<page>", "eval"), names) if last else None
        if value is not None:
            print(value)
    if "hidden" in info:
        return ""
    return block("python", code) + output(printed.getvalue())


def _console(code: str, info: list[str], names: Mapping[str, Any]) -> str:
    command = code.strip()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "90"}
    done = subprocess.run(
        [sys.executable, *command.split()[1:]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    if done.returncode not in ((0, 1) if "fails" in info else (0,)) or "Traceback" in done.stderr:
        raise PageError(f"{command} ended with {done.returncode}: {done.stderr or done.stdout}")
    return block("console", f"$ {command}\n") + output(done.stdout + done.stderr)


def output(text: str) -> str:
    """Return what code printed as Markdown."""
    return block("text", text.rstrip() + "\n", " .output") if text.strip() else ""


def block(language: str, code: str, more: str = "") -> str:
    """Return code as Markdown."""
    return f"``` {{ .{language}{more} }}\n{code}```\n"


def _indented(text: str, indent: str) -> str:
    return "\n".join(indent + line if line else line for line in text.rstrip("\n").split("\n"))
