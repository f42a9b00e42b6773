"""The few lines of Python that rebuild a network of exported numbers, to be read and changed."""

import json
from dataclasses import dataclass
from pathlib import Path

from tinycnn.errors import EnvironmentFault
from tinycnn.exchange.metadata import PRODUCER
from tinycnn.nn.layers import Shape

_MARK = '"""A network of tinycnn for '

_TEXT = '''{mark}{framework}: x (N, {sizes}), float32, is gray levels (0 to 255) / 255.

Written by {producer}.
"""

from pathlib import Path

{imports}

{opening}
{layers}
{closing}
{loading}
'''


@dataclass(frozen=True)
class Program:
    """A program that stands beside the file ``weights`` and loads it into ``network``."""

    weights: str
    framework: str
    input_shape: Shape
    imports: str
    opening: str
    layers: tuple[str, ...]
    closing: str
    loading: str
    """Says ``{weights}`` where the path of the file belongs."""

    @property
    def name(self) -> str:
        """network.safetensors -> network_pytorch.py."""
        return f"{self.weights.split('.')[0]}_{self.framework.lower()}.py"

    def text(self) -> str:
        """The whole program."""
        path = f"Path(__file__).with_name({json.dumps(self.weights)})"
        return _TEXT.format(
            mark=_MARK,
            framework=self.framework,
            sizes=", ".join(map(str, self.input_shape)),
            producer=PRODUCER,
            imports=self.imports,
            opening=self.opening,
            layers="\n".join(f"    {layer}," for layer in self.layers),
            closing=self.closing,
            loading=self.loading.format(weights=path),
        )


def refuse_to_replace(path: Path) -> None:
    """Raise EnvironmentFault if another program than such a one has the name ``path``."""
    if path.exists() and not path.read_bytes().startswith(_MARK.encode()):
        raise EnvironmentFault(
            f"{path} is there already and was not written by tinycnn.export; "
            "choose another name with -o"
        )
