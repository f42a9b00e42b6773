"""An operation explained as text: its formula, both codes and its example."""

from collections.abc import Iterator

from tinycnn.explain.catalogue import Operation, sources
from tinycnn.explain.example import Example
from tinycnn.explain.figures import shown


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
