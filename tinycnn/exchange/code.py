"""The few lines of Python that rebuild a network around exported arrays, to be read and changed."""

import json
from collections.abc import Iterable
from pathlib import Path

from tinycnn.errors import EnvironmentFault
from tinycnn.exchange.metadata import PRODUCER
from tinycnn.nn.checks import Shape

_START = '"""A network of tinycnn for '


def rebuilding_code(
    weights: str,
    framework: str,
    input_shape: Shape,
    imports: str,
    network: str,
    layers: Iterable[str],
    loading: str,
) -> dict[str, bytes]:
    """Return a program, by its file name, that builds ``network`` and loads ``weights`` into it.

    ``network`` has {} where the ``layers`` belong; ``loading`` has {weights} where the path of the
    weights file belongs, which is in the same folder as the program.
    """
    sizes = ", ".join(map(str, input_shape))
    listing = "\n" + "".join(f"    {layer},\n" for layer in layers)
    path = f"Path(__file__).with_name({json.dumps(weights)})"
    code = f'''{_START}{framework}: x (N, {sizes}), float32, is gray levels (0 to 255) / 255.

Written by {PRODUCER}.
"""

from pathlib import Path

{imports}

network = {network.format(listing)}
{loading.format(weights=path)}
'''
    return {f"{weights.split('.', maxsplit=1)[0]}_{framework.lower()}.py": code.encode()}


def refuse_to_replace(path: Path) -> None:
    """Raise EnvironmentFault if ``path`` exists and is not code that tinycnn wrote."""
    if path.exists() and not path.read_bytes().startswith(_START.encode()):
        raise EnvironmentFault(
            f"{path} exists and was not written by tinycnn.export; choose another name with -o"
        )
