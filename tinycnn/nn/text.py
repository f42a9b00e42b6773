"""Networks written as text: the layers as they print themselves, read without running any code."""

import ast
import re
from collections.abc import Iterable
from typing import Any

from tinycnn.errors import ShapeError
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
