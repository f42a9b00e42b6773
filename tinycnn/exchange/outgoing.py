"""The way out: files are made, shown to the program they are meant for, and only then written."""

import functools
import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn.errors import EnvironmentFault
from tinycnn.exchange import runtimes
from tinycnn.exchange.verification import Forward, Verification, examples, verify
from tinycnn.nn import Sequential, Softmax
from tinycnn.nn.kernels import softmax as softmax_of
from tinycnn.storage import write_bytes

Files = dict[str, bytes]
"""What to write under which name, the network itself first."""


@dataclass(frozen=True)
class Format:
    """How a network is handed to one other program.

    ``needs`` must be installed to write the files, ``program`` to verify them.
    """

    needs: str
    program: str
    files: Callable[..., Files]
    forward: Callable[[Path], Forward]


@dataclass(frozen=True)
class Report:
    """What was written, and what the other program made of it; None if it is not here."""

    files: dict[str, int]
    program: str
    verification: Verification | None

    def lines(self) -> list[str]:
        """What a person wants to know."""
        written = [f"wrote    {name} ({size:,} bytes)" for name, size in self.files.items()]
        if self.verification is None:
            return [*written, f"verified no: {self.program} is not installed"]
        return [*written, f"verified {self.verification.sentence()}"]

    def as_dict(self) -> dict[str, Any]:
        """The same, ready for JSON."""
        outcome = self.verification and self.verification.as_dict()
        return {"files": list(self.files), "bytes": self.files, "verification": outcome}


def export(model: Sequential, to: str, target: Path, softmax: bool = False) -> Report:
    """Write ``model`` to ``target`` for the program ``to``, a key of ``FORMATS``.

    ``softmax``: with probabilities as output, for ONNX. Nothing is written if the other program is
    installed and computes something else (WeightsError). Raises EnvironmentFault if a package is
    missing that writes such files.
    """
    chosen = FORMATS[to]
    if not installed(chosen.needs):
        raise EnvironmentFault(f"--to {to} needs {chosen.needs}: pip install 'tinycnn[export]'")
    files = chosen.files(model, target.name, softmax)
    outcome = _shown(model, chosen, files, softmax) if installed(chosen.program) else None
    for name, payload in files.items():
        write_bytes(target.with_name(name), payload)
    sizes = {str(target.with_name(name)): len(payload) for name, payload in files.items()}
    return Report(sizes, chosen.program, outcome)


def installed(package: str) -> bool:
    """Whether ``package`` can be imported."""
    return importlib.util.find_spec(package) is not None


def _shown(model: Sequential, chosen: Format, files: Files, softmax: bool) -> Verification:
    ours = functools.partial(_probabilities, model) if softmax else model.forward
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in files]
        for path, payload in zip(paths, files.values(), strict=True):
            path.write_bytes(payload)
        return verify(ours, chosen.forward(paths[0]), examples(model), chosen.program)


def _probabilities(model: Sequential, x: np.ndarray) -> np.ndarray:
    from tinycnn.ink.recogniser import calibration_of

    y = model.forward(x)
    if isinstance(model.layers[-1], Softmax):
        return y
    temperature = np.float32(calibration_of(model).get("temperature", 1.0))
    return softmax_of(y / temperature)


def _onnx(model: Sequential, name: str, softmax: bool) -> Files:
    from tinycnn.exchange.onnx_graph import onnx_bytes

    return {name: onnx_bytes(model, softmax)}


FORMATS = {
    "onnx": Format("onnx", "onnxruntime", _onnx, runtimes.onnxruntime_forward),
}
"""By the word after ``--to``."""
