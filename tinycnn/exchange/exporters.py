"""Export: make the files, run the program they are meant for, and write them only if it agrees."""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinycnn.errors import TinyCNNError, need
from tinycnn.exchange import FORMATS, verification
from tinycnn.exchange.code import refuse_to_replace
from tinycnn.exchange.layout import refuse_own_layers
from tinycnn.exchange.verification import Verification
from tinycnn.files import write_bytes
from tinycnn.nn import Sequential

Files = dict[str, bytes]
"""The contents of files by name, the network itself first."""


@dataclass(frozen=True)
class ExportReport:
    """The bytes written to each path, the code that rebuilds the network, and the verification.

    ``verification`` is None if the other program is not installed; ``why_not`` says so.
    """

    files: dict[str, int]
    program: str | None
    verification: Verification | None
    why_not: str

    def __str__(self) -> str:
        lines = [f"wrote     {name} ({size:,} bytes)" for name, size in self.files.items()]
        lines.append(f"verified  {self.verification or f'not: {self.why_not}'}")
        return "\n".join([*lines, *(["", self.program.rstrip()] if self.program else [])])

    def as_dict(self) -> dict[str, Any]:
        """Return the same, ready for JSON."""
        result = self.verification and asdict(self.verification)
        return {"files": self.files, "program": self.program, "verification": result}


def export(model: Sequential, to: str, target: Path, softmax: bool = False) -> ExportReport:
    """Write ``model`` to ``target`` in the format ``to``, a key of ``FORMATS``.

    ``softmax``: with probabilities as output, for ONNX. Raises WeightsError, and writes nothing,
    if the other program is installed and computes something else; EnvironmentFault if a package
    that writes the format is missing.
    """
    endings = FORMATS[to].endings
    if not target.name.endswith(endings):
        raise TinyCNNError(f"{target} does not end in {' or '.join(endings)}")
    files = exported_files(model, to, target.name, softmax)
    code = [name for name in files if name.endswith(".py")]
    for name in code:
        refuse_to_replace(target.with_name(name))
    result, why_not = _verify(model, to, files, softmax)
    for name, payload in files.items():
        write_bytes(target.with_name(name), payload)
    sizes = {str(target.with_name(name)): len(payload) for name, payload in files.items()}
    return ExportReport(sizes, files[code[0]].decode() if code else None, result, why_not)


def exported_files(model: Sequential, to: str, name: str, softmax: bool = False) -> Files:
    """Return ``model`` in the format ``to``: a file called ``name`` and, with it, perhaps code."""
    need(FORMATS[to].package, "export", f"`to` {to}")
    refuse_own_layers(model.layers)
    if to == "onnx":
        from tinycnn.exchange.onnx_export import onnx_bytes

        return {name: onnx_bytes(model, softmax)}
    if to == "keras":
        from tinycnn.exchange.keras_export import keras_files

        return keras_files(model, name)
    from tinycnn.exchange.pytorch import pytorch_files

    return pytorch_files(model, name)


def _verify(
    model: Sequential, to: str, files: Files, softmax: bool
) -> tuple[Verification | None, str]:
    """Run the other program on ``files``; return the result, or why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        for name, payload in files.items():
            Path(folder, name).write_bytes(payload)
        try:
            theirs = verification.PROGRAMS[to](*(Path(folder, name) for name in files))
        except ImportError as error:
            return None, f"{error}"
        exact = verification.exact_forward(model, softmax)
        x = verification.examples(model)
        return verification.verify(exact, theirs, x, FORMATS[to].program), ""
