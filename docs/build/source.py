"""A listing is cut out of its file when the book is built, and says where."""

import ast
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DOCS = Path(__file__).parent.parent
ROOT = DOCS.parent


@dataclass(frozen=True)
class Listing:
    """Lines ``first`` to ``last`` of a file, counted from 1."""

    path: Path
    first: int
    last: int

    @property
    def text(self) -> str:
        lines = self.path.read_text().splitlines()[self.first - 1 : self.last]
        return textwrap.dedent("\n".join(lines))  # a method is indented

    @property
    def name(self) -> str:
        """The path from the top of the repository."""
        return self.path.relative_to(ROOT).as_posix()


def find(dotted: str) -> Listing:
    """Return the place of a function, class or constant: "tinycnn.nn.reference.conv2d".

    Names that do not begin at the top of the repository begin in docs. Raises LookupError.
    """
    path, inner = _file_of(dotted)
    found = _definition(_tree(path), inner)
    if found is None:
        raise LookupError(f"{path} has no {'.'.join(inner)}")
    first, last = found
    return Listing(path, first, last)


def listing(dotted: str) -> str:
    """Return the code of a function, class or constant as Markdown, and a link to its file."""
    found = find(dotted)
    return f"```python\n{found.text}\n```\n\n[`{found.name}`](../../{found.name})"


def _file_of(dotted: str) -> tuple[Path, list[str]]:
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        for top in (ROOT, DOCS):
            path = top.joinpath(*parts[:count]).with_suffix(".py")
            if path.is_file():
                return path, parts[count:]
    raise LookupError(f"no file has {dotted}")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _definition(tree: ast.AST, inner: list[str]) -> tuple[int, int] | None:
    """Return first and last line; a constant takes the text along that explains it."""
    name, *rest = inner
    body = list(ast.iter_child_nodes(tree))
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            if rest:
                return _definition(node, rest)
            return min([node.lineno, *(d.lineno for d in node.decorator_list)]), node.end_lineno
        if isinstance(node, ast.Assign | ast.AnnAssign) and name in _targets(node):
            explained = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            return node.lineno, (after if explained else node).end_lineno
    return None


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]
