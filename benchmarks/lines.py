"""How much there is to read: ``python -m benchmarks.lines`` counts files and names long functions.

Lines of code are those that hold a token which is neither a comment nor a docstring.
"""

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.tables import new_table

LIBRARY = Path(__file__).resolve().parents[1] / "tinycnn" / "nn"
LONGEST = 5
SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENCODING, tokenize.ENDMARKER,
}  # fmt: skip


@dataclass(frozen=True)
class Function:
    """A function with its lines, decorators and docstring included."""

    where: str
    name: str
    lines: int


def functions(path: Path) -> Iterator[Function]:
    """Yield the functions and methods of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            assert node.end_lineno is not None
            yield Function(path.name, node.name, node.end_lineno - first + 1)


def code_lines(source: str) -> int:
    """Return how many lines of a source hold code."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    code = {
        line
        for token in tokens
        if token.type not in SILENT
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - _docstring_lines(source))


def _docstring_lines(source: str) -> set[int]:
    """Return the lines of all strings that stand by themselves."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                assert node.end_lineno is not None
                lines.update(range(node.lineno, node.end_lineno + 1))
    return lines


def main() -> None:
    """Print a table of the library's files, and its longest functions."""
    console = Console(width=100, highlight=False)
    table = new_table("file", "lines", "of code", words=1)
    files = sorted(LIBRARY.rglob("*.py"))
    rows = [(path, path.read_text(encoding="utf-8")) for path in files]
    for path, source in rows:
        count = len(source.splitlines())
        table.add_row(str(path.relative_to(LIBRARY.parent)), str(count), str(code_lines(source)))
    total = sum(len(source.splitlines()) for _, source in rows)
    table.add_row("all", f"{total:,}", f"{sum(code_lines(source) for _, source in rows):,}")
    console.print(table)
    longest = sorted((f for path in files for f in functions(path)), key=lambda f: -f.lines)
    for function in longest[:LONGEST]:
        console.print(f"{function.lines} lines: {function.name} in {function.where}")


if __name__ == "__main__":
    main()
