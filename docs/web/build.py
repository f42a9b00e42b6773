"""Build the web page: a folder that any static server can show, with no network at all.

    npm ci --prefix docs/web
    python docs/web/build.py OUT
    python -m http.server --directory OUT

The page's own files, onnxruntime-web's two, and the network as ONNX come together; nothing is
compiled, and nothing is fetched from elsewhere when the page is used.
"""

import argparse
import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

from tinycnn.cli import Parser, run_command
from tinycnn.data.mnist import SIZE
from tinycnn.errors import EnvironmentFault, WeightsError
from tinycnn.exchange.exporters import export
from tinycnn.exchange.metadata import metadata_of
from tinycnn.files import write_bytes
from tinycnn.nn import Sequential
from tinycnn.nn.classifier import names_of
from tinycnn.train.folder import find_weights

HERE = Path(__file__).parent
PAGE = ("*.html", "*.css", "*.js", "*.svg")
RUNTIME = HERE / "node_modules" / "onnxruntime-web" / "dist"
RUNTIME_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
NUMBERS = ("scale", "temperature", "threshold")


def main(argv: Sequence[str] | None = None) -> int:
    """Build the page in the folder that the command line names."""
    options = _parser().parse_args(argv)
    if not RUNTIME.is_dir():
        raise EnvironmentFault(f"onnxruntime-web is not there; run npm ci --prefix {HERE}")
    model = Sequential.load(find_weights(options.weights))
    if model.input_shape != (SIZE, SIZE, 1):
        raise WeightsError(
            f"{options.weights} takes inputs of shape {model.input_shape}; the page has gray "
            f"images of {SIZE} x {SIZE} pixels for it"
        )
    copy_page(options.out)
    report = export(model, "onnx", options.out / "model.onnx")
    write_bytes(options.out / "model.json", notes_for_the_page(model))
    print(report)
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    print(f"built     {options.out} ({size / 1e6:.1f} MB)")
    print(f"next      python -m http.server --directory {options.out}")
    return 0


def copy_page(out: Path) -> None:
    """Put all but the network into the folder ``out``, which may hold an earlier page."""
    try:
        (out / "ort").mkdir(parents=True, exist_ok=True)
        for path in [path for pattern in PAGE for path in HERE.glob(pattern)]:
            shutil.copyfile(path, out / path.name)
        for name in RUNTIME_FILES:
            shutil.copyfile(RUNTIME / name, out / "ort" / name)
    except OSError as fault:
        raise EnvironmentFault(f"cannot write {fault.filename}: {fault.strerror}") from fault


def notes_for_the_page(model: Sequential) -> bytes:
    """What the ONNX file carries as metadata, which browsers are not told, as JSON."""
    notes = metadata_of(model, "NCHW")
    numbers = {name: float(notes[name]) for name in NUMBERS if name in notes}
    finite = {name: z for name, z in numbers.items() if math.isfinite(z)}
    return json.dumps({"classes": names_of(model), **finite}).encode()


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python docs/web/build.py",
        description="Build the web page in which the exported network reads what is drawn.",
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="the folder to put it into")
    parser.add_argument(
        "--weights", metavar="WEIGHTS", default="default", help="a weights file, a run folder, last"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(run_command(main))
