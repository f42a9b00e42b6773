"""Every network through every format, out and in again: ``python -m tests.reliability.exchange``.

    python -m tests.reliability.exchange default runs/tiny runs/best --data-dir DIR

For each the other program computes the exported network ("out"), then saves it in its own way, and
that file is converted ("in"). Both are compared with the original network, image by image. Needs
the extras export and bench.
"""

import argparse
import runpy
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn.cli import run_command
from tinycnn.data import load_dataset
from tinycnn.errors import EnvironmentFault
from tinycnn.exchange import exporters, importers
from tinycnn.exchange.layout import to_channels_first
from tinycnn.exchange.reading import KnownNetwork
from tinycnn.exchange.verification import PROGRAMS, Forward, exact_forward, outputs
from tinycnn.nn import BatchNorm, Sequential
from tinycnn.train.folder import find_weights

HEADER = """\
| network | format | direction | labels equal | from exact | relative | from tinycnn's | bytes |
|---|---|---|---|---|---|---|---|"""


def rows(name: str, images: np.ndarray) -> Iterator[str]:
    """Take the weights ``name`` through all formats; images (N,28,28) uint8.

    Differences are those of logits: to the exact ones (float64), as they are and divided by
    1 + the size of the exact one, and to those of the original network's kernels.
    """
    model = Sequential.load(find_weights(name))
    x = model.prepare(images)
    ours, exact = outputs(model.forward, x), outputs(exact_forward(model), x)

    def row(format_name: str, direction: str, forward: Forward, path: Path) -> str:
        theirs = outputs(forward, x)
        equal = int((theirs.argmax(axis=1) == ours.argmax(axis=1)).sum())
        wrong = abs(theirs - exact)
        differences = wrong, wrong / (1 + abs(exact)), abs(theirs - ours)
        cells = f"{equal:,} of {len(x):,}", *(f"{d.max():.1e}" for d in differences)
        return f"| {' | '.join((name, format_name, direction, *cells))} | {path.stat().st_size:,} |"

    known = KnownNetwork(lambda classes: model.layers, model.input_shape, BatchNorm.EPSILON)
    for format_name, (to, file_name, save_again) in FORMATS.items():
        with tempfile.TemporaryDirectory() as folder:
            path, again = Path(folder, file_name), Path(folder, f"again-{file_name}")
            report = exporters.export(model, to, path)
            forward = PROGRAMS[to](*map(Path, report.files))
            yield row(format_name, "out", forward, path)
            save_again(path, again, model)
            describes_itself = format_name in ("ONNX", ".keras")
            back = importers.read(again, None if describes_itself else known)
            yield row(format_name, "in", back.forward, again)


def _onnx_by_pytorch(path: Path, again: Path, model: Sequential) -> None:
    """PyTorch's own exporter writes the graph."""
    import torch

    x = torch.zeros(2, *to_channels_first(model.input_shape))
    settings = {"dynamic_axes": {"x": {0: "N"}}, "input_names": ["x"], "dynamo": False}
    torch.onnx.export(_module(model, path.parent), (x,), again, **settings)


def _state_dict_by_pytorch(path: Path, again: Path, model: Sequential) -> None:
    import safetensors.torch

    safetensors.torch.save_file(_module(model, path.parent).state_dict(), again)


def _module(model: Sequential, folder: Path) -> Any:
    exporters.export(model, "pytorch", folder / "module.safetensors")
    return runpy.run_path(str(folder / "module_pytorch.py"))["network"]


def _keras_by_keras(path: Path, again: Path, model: Sequential) -> None:
    import keras

    keras.models.load_model(path, compile=False).save(again)


def _keras_weights_by_keras(path: Path, again: Path, model: Sequential) -> None:
    runpy.run_path(str(path.parent / "network_keras.py"))["network"].save_weights(again)


FORMATS = {
    "ONNX": ("onnx", "network.onnx", _onnx_by_pytorch),
    "state_dict": ("pytorch", "network.safetensors", _state_dict_by_pytorch),
    ".keras": ("keras", "network.keras", _keras_by_keras),
    ".weights.h5": ("keras", "network.weights.h5", _keras_weights_by_keras),
}
"""For each the key of ``exporters.FORMATS``, a file name, and how the other program saves it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.reliability.exchange", description=__doc__
    )
    parser.add_argument("weights", metavar="WEIGHTS", nargs="+")
    parser.add_argument("--data-dir", metavar="DIR", help="MNIST's IDX files (the bundled digits)")
    options = parser.parse_args(argv)
    if missing := [name for name in ("torch", "keras") if find_spec(name) is None]:
        raise EnvironmentFault(f"{missing[0]} is needed: pip install 'tinycnn[bench]'")
    warnings.simplefilter("ignore")  # of the other programs
    images = load_dataset("mnist" if options.data_dir else "mnist10k", options.data_dir).test_images
    print(HEADER)
    for name in options.weights:
        for row in rows(name, images):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
