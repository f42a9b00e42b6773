"""A listing is cut out of its file when the book is built, by the name of what it shows."""

import ast
import textwrap
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent


def listing(dotted: str) -> str:
    """Return the code of a function, class or constant as Markdown, and a link to its file."""
    path, code = find(dotted)
    name = path.relative_to(ROOT).as_posix()
    return f"```python\n{code}\n```\n\n[`{name}`](../../{name})"


def find(dotted: str) -> tuple[Path, str]:
    """Return the file and the text of a definition: "tinycnn.nn.reference.conv2d".

    Names that do not begin at the top of the repository begin in docs. Raises LookupError.
    """
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        for top in (ROOT, DOCS):
            path = top.joinpath(*parts[:count]).with_suffix(".py")
            if path.is_file():
                return path, _definition(path.read_text(), parts[count:], dotted)
    raise LookupError(f"no file has {dotted}")


def _definition(text: str, inner: list[str], dotted: str) -> str:
    """Return the lines of a definition, decorators included, as if it were not indented."""
    node: ast.AST = ast.parse(text)
    for name in inner:
        found = [child for child in ast.iter_child_nodes(node) if name in _names(child)]
        if not found:
            raise LookupError(f"there is no {dotted}")
        node = found[0]
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return textwrap.dedent("\n".join(text.splitlines()[first - 1 : node.end_lineno]))


def _names(node: ast.AST) -> list[str]:
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return [getattr(node, "name", ""), *(getattr(target, "id", "") for target in targets)]
