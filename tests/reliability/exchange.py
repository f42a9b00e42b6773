"""Every network through both formats, out and in again: ``python -m tests.reliability.exchange``.

    python -m tests.reliability.exchange default runs/tiny runs/best --data-dir DIR

For each the other program computes the exported network ("out"), then PyTorch saves it in its own
way, and that file is converted ("in"). Both are compared with the original network, image by image.
Needs the extras export and bench.
"""

import argparse
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import safetensors.numpy

from tinycnn.cli import run_command
from tinycnn.data import load_dataset
from tinycnn.errors import need
from tinycnn.exchange import ENDINGS, exporters, importers
from tinycnn.exchange.layout import to_channels_first
from tinycnn.exchange.pytorch import modules_of, state_dict_bytes
from tinycnn.exchange.verification import PROGRAMS, Forward, exact_forward, outputs
from tinycnn.nn import Sequential
from tinycnn.train.folder import find_weights

HEADER = """\
| network | format | direction | labels equal | from exact | relative | from tinycnn's | bytes |
|---|---|---|---|---|---|---|---|"""


def rows(name: str, images: np.ndarray) -> Iterator[str]:
    """Take the weights ``name`` through both formats; images (N,28,28) uint8.

    Differences are those of logits: to the exact ones (float64), as they are and divided by
    1 + the size of the exact one, and to those of the original network's kernels.
    """
    model = Sequential.load(find_weights(name))
    x = model.prepare(images)
    ours, exact = outputs(model.forward, x), outputs(exact_forward(model), x)

    def row(to: str, direction: str, forward: Forward, size: int) -> str:
        theirs = outputs(forward, x)
        equal = int((theirs.argmax(axis=1) == ours.argmax(axis=1)).sum())
        wrong = abs(theirs - exact)
        differences = wrong, wrong / (1 + abs(exact)), abs(theirs - ours)
        cells = f"{equal:,} of {len(x):,}", *(f"{d.max():.1e}" for d in differences)
        return f"| {' | '.join((name, to, direction, *cells))} | {size:,} |"

    for to, ending in ENDINGS.items():
        payload = exporters.exported(model, to)
        yield row(to, "out", PROGRAMS[to](payload, model), len(payload))
        with tempfile.TemporaryDirectory() as folder:
            again = Path(folder, f"again{ending}")
            _save_by_pytorch(model, again)
            back = importers.read(again, None if to == "onnx" else lambda classes: model)
            yield row(to, "in", back.forward, again.stat().st_size)


def _save_by_pytorch(model: Sequential, again: Path) -> None:
    """PyTorch's own exporter writes the graph, safetensors the state_dict."""
    import torch

    module = torch.nn.Sequential(*(z.made_by(torch.nn) for z in modules_of(model)))
    state = safetensors.numpy.load(state_dict_bytes(model))
    module.load_state_dict({key: torch.from_numpy(z) for key, z in state.items()})
    module.eval()
    if again.suffix == ENDINGS["pytorch"]:
        state = {key: z.numpy() for key, z in module.state_dict().items()}
        safetensors.numpy.save_file(state, again)
        return
    x = torch.zeros(2, *to_channels_first(model.input_shape))
    settings = {"dynamic_axes": {"x": {0: "N"}}, "input_names": ["x"], "dynamo": False}
    torch.onnx.export(module, (x,), again, **settings)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.reliability.exchange", description=__doc__
    )
    parser.add_argument("weights", metavar="WEIGHTS", nargs="+")
    parser.add_argument("--data-dir", metavar="DIR", help="MNIST's IDX files (the bundled digits)")
    options = parser.parse_args(argv)
    need("torch", "bench")
    warnings.simplefilter("ignore")  # of the other programs
    images = load_dataset("mnist" if options.data_dir else "mnist10k", options.data_dir).test_images
    print(HEADER)
    for name in options.weights:
        for row in rows(name, images):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
