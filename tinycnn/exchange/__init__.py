"""Export networks to ONNX, PyTorch and Keras, and import them from there.

``layout`` maps the names and axes of arrays, ``metadata`` holds what a reader of an exported file
must know, and ``verification`` runs the other program on the same digits.
"""

from typing import NamedTuple


class Format(NamedTuple):
    """The program that runs a format, the package that writes it, and its files' endings."""

    program: str
    package: str
    endings: tuple[str, ...]


FORMATS = {
    "onnx": Format("onnxruntime", "onnx", (".onnx",)),
    "pytorch": Format("PyTorch", "safetensors", (".safetensors",)),
    "keras": Format("Keras", "h5py", (".keras", ".weights.h5")),
}
"""By the value of ``--to``."""
