"""The code of an operation, as it stands in its file, with the helpers that it calls there."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinycnn.explain.catalogue import NAMES

ROOT = Path(__file__).parents[2]
"""What the names of files begin after."""


@dataclass(frozen=True)
class Listing:
    """A function: its code, and where it stands."""

    name: str
    file: str
    line: int
    code: str
    uses: tuple[tuple[str, str], ...]
    """What else it calls in tinycnn, as (file, name): helpers in its own file are listings too."""

    @property
    def body(self) -> str:
        """The code without docstring and shapes, for where those are shown already."""
        lines = self.code.splitlines()
        (definition,) = ast.parse(self.code).body
        assert isinstance(definition, ast.FunctionDef)
        shown: list[ast.stmt | ast.expr] = []  # the later first, so that line numbers stay true
        if ast.get_docstring(definition) is not None:
            shown += definition.body[:1]
        shown += [d for d in definition.decorator_list if ast.unparse(d).startswith("shapes(")]
        for part in shown:
            del lines[part.lineno - 1 : part.end_lineno]
        return "\n".join(lines)


def listings(function: Callable) -> list[Listing]:
    """``function`` and the helpers in its file that it calls, in that order; no other operation."""
    found: dict[str, Listing] = {}
    _collect(inspect.unwrap(function), found)
    return list(found.values())


def _collect(function: Any, found: dict[str, Listing]) -> None:
    called = list(_called(function))
    helpers = [f for f in called if _is_helper(f, function)]
    uses = dict.fromkeys((_file(f), f.__name__) for f in called if f not in helpers)
    found[function.__name__] = Listing(
        function.__name__,
        _file(function),
        inspect.getsourcelines(function)[1],
        inspect.getsource(function).rstrip(),
        tuple(uses),
    )
    for helper in helpers:
        if helper.__name__ not in found:
            _collect(helper, found)


def _called(function: Any) -> Iterator[Any]:
    """The functions of tinycnn whose names stand in the body of ``function``."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    nodes = [node for part in definition.body for node in ast.walk(part)]
    for words in dict.fromkeys(ast.unparse(z) for z in nodes if isinstance(z, _NAMES)):
        value = inspect.unwrap(_look_up(words, function.__globals__))
        if inspect.isfunction(value) and value.__module__.startswith("tinycnn."):
            yield value


_NAMES = ast.Name | ast.Attribute


def _look_up(words: str, names: Mapping[str, Any]) -> Any:
    """What stands for ``name`` or for ``module.name``; None if nothing does."""
    first, *rest = words.split(".")
    value = names.get(first)
    if rest and (len(rest) > 1 or not inspect.ismodule(value)):
        return None
    return getattr(value, rest[0], None) if rest else value


def _is_helper(called: Any, caller: Any) -> bool:
    return called.__module__ == caller.__module__ and called.__name__ not in NAMES


def _file(function: Any) -> str:
    return Path(inspect.getsourcefile(function) or "").relative_to(ROOT).as_posix()
