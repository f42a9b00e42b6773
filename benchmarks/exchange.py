"""Every network through every format, out and in again: ``python -m benchmarks.exchange``.

    python -m benchmarks.exchange default runs/tiny runs/best --data-dir DIR

For each the other program computes what was exported ("out"), then saves what it has in its own
way, and that is converted ("in"). Both are compared with the original network, image by image.
"""

import argparse
import runpy
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.command import progress
from tinycnn.data import load_dataset
from tinycnn.exchange import exporters, importers
from tinycnn.exchange.layout import to_channels_first
from tinycnn.exchange.reading import KnownNetwork
from tinycnn.exchange.verification import Forward, exact_forward, outputs
from tinycnn.nn import BatchNorm, Sequential
from tinycnn.train.folder import find_weights

FORMATS = {
    "ONNX": ("onnx", "network.onnx"),
    "state_dict": ("pytorch", "network.safetensors"),
    ".keras": ("keras", "network.keras"),
    ".weights.h5": ("keras", "network.weights.h5"),
}


@dataclass(frozen=True)
class Row:
    """How one network fared in one format and direction.

    Differences are those of logits: to the exact ones (float64), as they are and divided by
    1 + the size of the exact one, and to what the kernels here say of the original.
    """

    network: str
    format: str
    direction: str
    labels_equal: int
    images: int
    from_exact: float
    relative: float
    from_ours: float
    bytes: int

    def line(self) -> str:
        """A row of a Markdown table."""
        return (
            f"| {self.network} | {self.format} | {self.direction} "
            f"| {self.labels_equal:,} of {self.images:,} | {self.from_exact:.1e} "
            f"| {self.relative:.1e} | {self.from_ours:.1e} | {self.bytes:,} |"
        )


HEADER = """\
| network | format | direction | labels equal | from exact | relative | from tinycnn's | bytes |
|---|---|---|---|---|---|---|---|"""


def rows(name: str, images: np.ndarray) -> Iterator[Row]:
    """Take the weights ``name`` through all formats; images (N,28,28) uint8."""
    model = Sequential.load(find_weights(name))
    x = model.prepare(images)
    ours, exact = outputs(model.forward, x), outputs(exact_forward(model), x)

    def row(format_name: str, direction: str, forward: Forward, path: Path) -> Row:
        theirs = outputs(forward, x)
        equal = int((theirs.argmax(axis=1) == ours.argmax(axis=1)).sum())
        wrong = abs(theirs - exact)
        differences = wrong, wrong / (1 + abs(exact)), abs(theirs - ours)
        from_exact, relative, from_ours = (float(d.max()) for d in differences)
        size = path.stat().st_size
        return Row(
            name, format_name, direction, equal, len(x), from_exact, relative, from_ours, size
        )

    known = KnownNetwork(lambda classes: model.layers, model.input_shape, BatchNorm.EPSILON)
    for format_name, (to, file_name) in FORMATS.items():
        with tempfile.TemporaryDirectory() as folder:
            path, again = Path(folder, file_name), Path(folder, f"again-{file_name}")
            report = exporters.export(model, to, path)
            theirs = exporters.FORMATS[to].forward(*map(Path, report.files))
            yield row(format_name, "out", theirs, path)
            SAVE_AGAIN[format_name](path, again, model)
            says_itself = format_name in ("ONNX", ".keras")
            back = importers.read(again, None if says_itself else known)
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


def _module(model: Sequential, folder: Path):
    exporters.export(model, "pytorch", folder / "module.safetensors")
    return _run(folder / "module_pytorch.py")


def _keras_by_keras(path: Path, again: Path, model: Sequential) -> None:
    import keras

    keras.models.load_model(path, compile=False).save(again)


def _keras_weights_by_keras(path: Path, again: Path, model: Sequential) -> None:
    _run(path.parent / "network_keras.py").save_weights(again)


def _run(program: Path):
    return runpy.run_path(str(program))["network"]


SAVE_AGAIN = {
    "ONNX": _onnx_by_pytorch,
    "state_dict": _state_dict_by_pytorch,
    ".keras": _keras_by_keras,
    ".weights.h5": _keras_weights_by_keras,
}
"""How the other program saves what it was given, in its own way."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exchange", description=__doc__)
    parser.add_argument("weights", metavar="WEIGHTS", nargs="+")
    parser.add_argument("--data-dir", metavar="DIR", help="MNIST's IDX files (the bundled digits)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what other programs think of each other
    images = load_dataset("mnist" if options.data_dir else "mnist10k", options.data_dir).test_images
    print(HEADER)
    with progress() as tell:
        for name in options.weights:
            tell(name)
            for row in rows(name, images):
                print(row.line(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
