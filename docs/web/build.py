"""Build the web page, one file that opens by double click: ``python -m docs.web.build``.

The sources are in ``src``: modules, a style and a template. Joined, with the weights as base64,
they need no server and no network.
"""

import argparse
import base64
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from benchmarks.quality.handwriting import tremble, write
from tinycnn.cli import Parser, run_command
from tinycnn.data.mnist import SIZE
from tinycnn.errors import WeightsError
from tinycnn.files import write_bytes
from tinycnn.ink import Recognizer
from tinycnn.ink.segmentation import _SIGNS as SIGNS
from tinycnn.nn import Conv2D, MaxPool2D, Sequential
from tinycnn.nn.checks import GRAY
from tinycnn.train.folder import find_weights

HERE = Path(__file__).parent
SOURCES = HERE / "src"
PAGE = HERE / "tinycnn.html"
IMPORT = re.compile(r'^import [^;]*"./(\w+).js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export ", re.MULTILINE)

STAGES = ["Conv2D ReLU MaxPool2D", "Conv2D ReLU MaxPool2D", "Flatten Dense ReLU", "Dense"]
WIDTH = 100  # characters per line of base64


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page to the file that the command line names."""
    options = _parser().parse_args(argv)
    page = page_of(Sequential.load(find_weights(options.weights)))
    write_bytes(options.out, page)
    print(f"built {options.out} ({len(page) / 1e6:.2f} MB)")
    return 0


def page_of(model: Sequential) -> bytes:
    """The page with ``model`` in it; WeightsError for a network of another kind than lenet."""
    kinds = [type(layer).__name__ for layer in model.layers]
    if kinds != " ".join(STAGES).split() or model.input_shape != (SIZE, SIZE, 1):
        raise WeightsError("the page shows networks of the preset lenet only, on 28 x 28 pixels")
    script = EXPORT.sub("", IMPORT.sub("", "".join(_modules("page").values())))
    parts = {"script": script, "style": (SOURCES / "style.css").read_text()}
    hashes = {f"{name}_hash": _hash(f"\n{text}") for name, text in parts.items()}
    numbers = base64.b64encode(weights_of(model)).decode()
    lines = [numbers[start : start + WIDTH] for start in range(0, len(numbers), WIDTH)]
    page = Template((SOURCES / "template.html").read_text()).substitute(
        parts | hashes,
        icon=base64.b64encode((SOURCES / "icon.svg").read_bytes()).decode(),
        network=json.dumps(description_of(model)),
        weights="\n".join(lines),
    )
    return page.encode()


def _modules(name: str) -> dict[str, str]:
    """The texts of a module and of all modules that it imports, those first."""
    text = (SOURCES / f"{name}.js").read_text()
    known: dict[str, str] = {}
    for other in IMPORT.findall(text):
        known |= _modules(other)
    return known | {name: text}


def description_of(model: Sequential) -> dict[str, Any]:
    """Shapes and classes of the network, its calibration, and strokes to try it on."""
    stages = []
    for layer in model.layers:
        if isinstance(layer, MaxPool2D):
            stages[-1]["pool"] = layer.size
        elif layer.params:
            stages.append({"shape": _channels_last(layer).shape})
    stages[-1]["last"] = True
    reader = Recognizer.of(model).of_strokes()
    threshold = max(reader.threshold, -1e9)  # JSON has no infinity
    calibration = {"temperature": reader.temperature, "threshold": threshold}
    drawing = write("42", gap=40.0, height=45.0, at=(42.0, 26.0))  # percent of the paper's height
    strokes = [(z / 100).round(3).tolist() for z in tremble(drawing, np.random.default_rng(3), 0.6)]
    scale = {"scale": float(GRAY), "classes": reader.classes}
    signs = [(name, [line.tolist() for line in drawing]) for name, drawing in SIGNS]
    return {"stages": stages, **scale, **calibration, "signs": signs, "example": strokes}


def weights_of(model: Sequential) -> bytes:
    """All weights and biases as float32, layer by layer."""
    layers = [layer for layer in model.layers if layer.params]
    arrays = [z for layer in layers for z in (_channels_last(layer), layer.params["b"])]
    return b"".join(np.ascontiguousarray(z, "<f4").tobytes() for z in arrays)


def _channels_last(layer: Any) -> np.ndarray:
    """w[u,v,c,f] of a convolution, w[d,k] of a dense layer: the outputs are neighbors."""
    w: np.ndarray = layer.params["w"]
    return w.transpose(1, 2, 3, 0) if isinstance(layer, Conv2D) else w


def _hash(text: str) -> str:
    """What the page's Content-Security-Policy allows: this text, and no other script or style."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m docs.web.build",
        description="Build the web page, one file, in which the network reads what is drawn.",
    )
    parser.add_argument("-o", "--out", metavar="FILE", type=Path, default=PAGE)
    parser.add_argument(
        "--weights", metavar="WEIGHTS", default="default", help="a weights file, a run folder, last"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(run_command(main))
