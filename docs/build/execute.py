"""A page is a program: its blocks run from top to bottom, and its numbers are what they gave.

    ```python run         shows the code and what it printed; a last expression is printed too
    ```python run hidden  runs and shows nothing
    ```console run        runs "python ..." in the repository's folder, and shows the output
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
from collections.abc import Mapping
from typing import Any

import numpy as np

from build.source import ROOT, listing

PIECE = re.compile(
    r"^```(?P<info>[^\n]*)\n(?P<code>.*?)^```$|\{\{(?P<value>.+?)\}\}", re.DOTALL | re.MULTILINE
)
NUMBER = re.compile(r"\d+(?:\.\d*)?(?:e[+-]\d+)?")
HIDDEN = "\0"
COMMAND_SECONDS = 600
"""A command may have to compile all kernels first."""


class PageError(Exception):
    """Something in a page does not run."""


def run(markdown: str, helpers: Mapping[str, Any]) -> str:
    """Return the page with everything in it run; ``helpers`` are names it may use."""
    names = {"np": np, "listing": listing, "block": block, **helpers}

    def replace(match: re.Match) -> str:
        if match["value"]:
            return number(eval(match["value"].strip(), names))
        kind, *options = match["info"].split()
        done = _console(match["code"]) if kind == "console" else _python(match["code"], names)
        blocks = block(kind, match["code"]), block("text", done)
        return HIDDEN if "hidden" in options else "\n\n".join(filter(None, blocks))

    def report(match: re.Match) -> str:
        try:
            return replace(match) if _runs(match) else match[0]
        except Exception as error:
            line = markdown.count("\n", 0, match.start()) + 1
            raise PageError(f"line {line}: {type(error).__name__}: {error}") from error

    with np.printoptions(precision=4, suppress=True, floatmode="maxprec"):
        return PIECE.sub(report, markdown).replace(HIDDEN + "\n\n", "")


def _runs(match: re.Match) -> bool:
    return bool(match["value"]) or "run" in match["info"].split()


def number(value: Any) -> str:
    """Return a value as prose has it: thousands set off, no more digits than say something."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        if 1e-4 < abs(value) < 100 or value == 0:
            return f"{value:.3g}"
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.0e}"
    return str(value)


def _python(code: str, names: dict[str, Any]) -> str:
    tree, printed = ast.parse(code), io.StringIO()
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<page>", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "<page>", "eval"), names) if last else None
        if value is not None:
            print(value)
    return printed.getvalue()


def _console(command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command.split()[1:]],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "90"},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    if done.returncode:
        raise PageError(f"{command} ended with {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout + done.stderr


def block(language: str, code: str) -> str:
    """Return code, or what it printed, as Markdown; nothing of nothing."""
    return f"```{language}\n{code.rstrip()}\n```" if code.strip() else ""


def same(one: str, other: str) -> bool:
    """Tell whether two texts are equal but for numbers that are nearly so.

    Another processor rounds differently, so a training ends a little elsewhere.
    """
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(np.isclose(float(a), float(b), rtol=0.05, atol=0.05) for a, b in pairs)
