"""The way out: files are made, shown to the program they are meant for, and only then written."""

import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy import special

from tinycnn.errors import EnvironmentFault, TinyCNNError
from tinycnn.exchange import runtimes
from tinycnn.exchange.code import refuse_to_replace
from tinycnn.exchange.verification import Forward, Verification, exact_forward, examples, verify
from tinycnn.files import write_bytes
from tinycnn.nn import Sequential, Softmax
from tinycnn.nn.classifier import calibration_of

Files = dict[str, bytes]
"""What to write under which name, the network itself first."""


@dataclass(frozen=True)
class Report:
    """What was written (bytes by path), the lines that rebuild it, and what came of verifying.

    ``verification`` is None if the other program is not installed here; then ``why_not`` says so.
    """

    files: dict[str, int]
    program: str | None
    verification: Verification | None
    why_not: str = ""

    def __str__(self) -> str:
        lines = [f"wrote     {name} ({size:,} bytes)" for name, size in self.files.items()]
        if self.verification:
            lines.append(f"verified  {self.verification.sentence()}")
        else:
            lines.append(f"verified  not: {self.why_not}")
        return "\n".join([*lines, *(["", self.program.rstrip()] if self.program else [])])

    def as_dict(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        outcome = self.verification and self.verification.as_dict()
        return {"files": self.files, "program": self.program, "verification": outcome}


def export(model: Sequential, to: str, target: Path, softmax: bool = False) -> Report:
    """Write ``model`` to ``target`` for ``to``, a key of ``FORMATS``.

    ``softmax``: with probabilities as output, for ONNX. Nothing is written if the other program is
    installed and computes something else (WeightsError). Raises EnvironmentFault if a package is
    missing that writes such files.
    """
    chosen = FORMATS[to]
    if not target.name.endswith(chosen.endings):
        raise TinyCNNError(f"{target} does not end in {' or '.join(chosen.endings)}")
    if importlib.util.find_spec(chosen.package) is None:
        raise EnvironmentFault(f"--to {to} needs {chosen.package}: pip install 'tinycnn[export]'")
    files = chosen.files(model, target.name, softmax)
    programs = [name for name in files if name.endswith(".py")]
    for name in programs:
        refuse_to_replace(target.with_name(name))
    outcome, why_not = _shown(model, chosen, files, softmax)
    for name, payload in files.items():
        write_bytes(target.with_name(name), payload)
    sizes = {str(target.with_name(name)): len(payload) for name, payload in files.items()}
    return Report(sizes, files[programs[0]].decode() if programs else None, outcome, why_not)


def _shown(
    model: Sequential, chosen: "_Format", files: Files, softmax: bool
) -> tuple[Verification | None, str]:
    """What the other program makes of ``files``, or why it makes nothing of them."""
    with tempfile.TemporaryDirectory() as folder:
        for name, payload in files.items():
            Path(folder, name).write_bytes(payload)
        try:
            theirs = chosen.forward(*(Path(folder, name) for name in files))
        except ImportError as error:
            return None, f"{error}"
        exact = _exact_probabilities(model) if softmax else exact_forward(model)
        return verify(exact, theirs, examples(model), chosen.program), ""


def _exact_probabilities(model: Sequential) -> Forward:
    forward = exact_forward(model)
    if isinstance(model.layers[-1], Softmax):
        return forward
    temperature = calibration_of(model).get("temperature", 1.0)
    return lambda x: special.softmax(forward(x) / temperature, axis=1)


def _onnx(model: Sequential, name: str, softmax: bool) -> Files:
    from tinycnn.exchange.onnx_export import onnx_bytes

    return {name: onnx_bytes(model, softmax)}


def _pytorch(model: Sequential, name: str, softmax: bool) -> Files:
    from tinycnn.exchange.pytorch_export import pytorch_files

    return pytorch_files(model, name)


def _keras(model: Sequential, name: str, softmax: bool) -> Files:
    from tinycnn.exchange.keras_export import keras_files

    return keras_files(model, name)


@dataclass(frozen=True)
class _Format:
    """How a network is handed to ``program``; ``package`` must be installed to write it."""

    program: str
    package: str
    endings: tuple[str, ...]
    files: Callable[[Sequential, str, bool], Files]
    forward: Callable[..., Forward]


FORMATS = {
    "onnx": _Format("onnxruntime", "onnx", (".onnx",), _onnx, runtimes.onnxruntime_forward),
    "pytorch": _Format(
        "PyTorch", "safetensors", (".safetensors",), _pytorch, runtimes.pytorch_forward
    ),
    "keras": _Format("Keras", "h5py", (".keras", ".weights.h5"), _keras, runtimes.keras_forward),
}
"""By the word after ``--to``."""
