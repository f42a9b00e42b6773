"""Networks as text: their layers as they print themselves, read without running any code."""

import ast
import re
from collections.abc import Iterable
from typing import Any

from tinycnn import notebook
from tinycnn.errors import ShapeError
from tinycnn.nn.fusion import ConvReLUPool
from tinycnn.nn.layers import Layer
from tinycnn.nn.weights import LAYERS


def network_text(layers: Iterable[Layer]) -> str:
    """Return layers as ``layers_of`` takes them."""
    return " ".join(map(repr, layers))


_NO_LAYER = (SyntaxError, TypeError, ValueError, AssertionError, MemoryError, RecursionError)


def layers_of(text: str, presets: Iterable[str] = ()) -> list[Layer]:
    """Return layers like "Conv2D(16, 3) ReLU Flatten Dense(10)"; ShapeError for anything else.

    ``presets`` are names that might have been meant.
    """
    layers = []
    for word in re.findall(r"\w+(?:\((?:[^()]|\([^()]*\))*\))?|\S+", text):
        name, _, arguments = word.partition("(")
        if name not in LAYERS:
            raise ShapeError(
                f"there is no preset {name!r} and no such layer; presets are {', '.join(presets)}, "
                f"layers {', '.join(LAYERS)}, and those of your own files (`network`)"
            )
        try:
            call = ast.parse(f"{name}({arguments or ')'}", mode="eval").body
            assert isinstance(call, ast.Call)
            given = {str(k.arg): _value(k.value) for k in call.keywords}
            layers.append(LAYERS[name](*map(_value, call.args), **given))
        except _NO_LAYER as error:
            raise ShapeError(
                f"{word[:60]} is no layer: {str(error) or 'it is too long'}"
            ) from error
    return layers


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise ValueError(f"{ast.unparse(node)} is neither a number nor a text") from error


def rows(model: Any) -> list[tuple[str, ...]]:
    """Return a mark | of fused layers, layer, output shape and parameters, with a head."""
    marks = [m for s in model.stages for m in (s.marks if isinstance(s, ConvReLUPool) else [""])]
    rows, shape = [("", "layer", "output", "parameters")], model.input_shape
    for mark, layer in zip(marks, model.layers, strict=True):
        shape = layer.shapes(shape)[0]
        count = sum(z.size for z in layer.params.values())
        rows.append((mark, repr(layer), " x ".join(map(str, shape)), f"{count:,}"))
    return [*rows, ("", "total", "", f"{model.parameter_count():,}")]


def summary(model: Any) -> str:
    """Return a table of layers, output shapes and parameter counts; | marks fused ones."""
    table = rows(model)
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    return "\n".join(
        f"{a:{widths[0]}} {b:{widths[1]}}  {c:{widths[2]}}  {d:>10}" for a, b, c, d in table
    )


def html(model: Any) -> str:
    """Return the same as a table of a notebook."""
    return notebook.table(*[row[1:] for row in rows(model)])
