"""Export: make the file, run the program it is meant for, and write it only if it agrees."""

import contextlib
from pathlib import Path
from typing import NamedTuple

from tinycnn.errors import TinyCNNError, need
from tinycnn.exchange import ENDINGS, verification
from tinycnn.exchange.pytorch import modules_of, state_dict_bytes
from tinycnn.files import write_bytes
from tinycnn.nn import Sequential


class Export(NamedTuple):
    """The file, its size in bytes, the module that a state_dict is for, and the verification.

    ``verified`` is None if the other program is not installed.
    """

    file: str
    bytes: int
    module: str | None
    verified: str | None

    def __str__(self) -> str:
        verified = self.verified or "not: the other program is not installed"
        lines = [f"wrote     {self.file} ({self.bytes:,} bytes)", f"verified  {verified}"]
        return "\n".join(lines + ([f"\n{self.module}"] if self.module else []))


def export(model: Sequential, to: str, target: Path, softmax: bool = False) -> Export:
    """Write ``model`` to ``target`` in the format ``to``, a key of ``ENDINGS``.

    ``softmax``: with probabilities as output, for ONNX. Raises WeightsError, and writes nothing,
    if the other program is installed and computes something else; EnvironmentFault if a package
    that writes the format is missing.
    """
    if target.suffix != ENDINGS[to]:
        raise TinyCNNError(f"{target} does not end in {ENDINGS[to]}")
    payload = exported(model, to, softmax)
    module = None
    if to == "pytorch":
        module = "".join(["nn.Sequential(\n", *(f"    {z},\n" for z in modules_of(model)), ")"])
    verified = None
    with contextlib.suppress(ImportError):
        verified = verification.verify(model, verification.PROGRAMS[to](payload, model), softmax)
    write_bytes(target, payload)
    return Export(str(target), len(payload), module, verified)


def exported(model: Sequential, to: str, softmax: bool = False) -> bytes:
    """Return ``model`` in the format ``to``."""
    if to == "pytorch":
        return state_dict_bytes(model)
    need("onnx", "export", "`to` onnx")
    from tinycnn.exchange.onnx_export import onnx_bytes

    return onnx_bytes(model, softmax)
