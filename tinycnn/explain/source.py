"""The code of an operation, with the helpers that it calls in its own file."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinycnn.explain.catalogue import NAMES

ROOT = Path(__file__).parents[2]
"""Names of files are relative to this folder."""


@dataclass(frozen=True)
class FunctionSource:
    """A function: its code, its file and its line."""

    name: str
    file: str
    line: int
    code: str
    uses: tuple[tuple[str, str], ...]
    """Other functions of tinycnn that it calls, as (file, name)."""

    @property
    def body(self) -> str:
        """The code without docstring and shapes, for pages that show those above it."""
        lines = self.code.splitlines()
        (definition,) = ast.parse(self.code).body
        assert isinstance(definition, ast.FunctionDef)
        shown: list[ast.stmt | ast.expr] = []  # from the last, so that line numbers stay valid
        if ast.get_docstring(definition) is not None:
            shown += definition.body[:1]
        shown += [d for d in definition.decorator_list if ast.unparse(d).startswith("shapes(")]
        for part in shown:
            del lines[part.lineno - 1 : part.end_lineno]
        return "\n".join(lines)


def sources(function: Callable[..., Any]) -> list[FunctionSource]:
    """``function`` and the helpers that it calls in its file, in that order; no other operation."""
    found: dict[str, FunctionSource] = {}
    _collect(inspect.unwrap(function), found)
    return list(found.values())


def _collect(function: Any, found: dict[str, FunctionSource]) -> None:
    called = list(_called(function))
    helpers = [f for f in called if f.__module__ == function.__module__ and f.__name__ not in NAMES]
    uses = dict.fromkeys((_file(f), f.__name__) for f in called if f not in helpers)
    found[function.__name__] = FunctionSource(
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
    """The functions of tinycnn that the body of ``function`` names."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    nodes = [node for part in definition.body for node in ast.walk(part)]
    for text in dict.fromkeys(
        ast.unparse(z) for z in nodes if isinstance(z, ast.Name | ast.Attribute)
    ):
        value = inspect.unwrap(_look_up(text, function.__globals__))
        if inspect.isfunction(value) and value.__module__.startswith("tinycnn."):
            yield value


def _look_up(text: str, names: Mapping[str, Any]) -> Any:
    """The value of ``name`` or ``module.name``; None if there is none."""
    first, *rest = text.split(".")
    value = names.get(first)
    if rest and (len(rest) > 1 or not inspect.ismodule(value)):
        return None
    return getattr(value, rest[0], None) if rest else value


def _file(function: Any) -> str:
    return Path(inspect.getsourcefile(function) or "").relative_to(ROOT).as_posix()
