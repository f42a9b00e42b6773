"""Build the web page: a folder that any static server can show, with no network at all.

    cd docs/web && npm ci && cd ../..
    python docs/web/build.py OUT
    python -m http.server --directory OUT

The page's own files, onnxruntime-web's two, and the shipped network as ONNX come together; nothing
is compiled, and nothing is fetched when the page is used.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx

from tinycnn.cli import Parser, run_door
from tinycnn.errors import EnvironmentFault, TinyCNNError, WeightsError
from tinycnn.exchange.onnx_graph import onnx_bytes
from tinycnn.ink.normalise import SIZE
from tinycnn.nn import Sequential
from tinycnn.runs.folder import find_weights
from tinycnn.storage import write_bytes

HERE = Path(__file__).parent
PAGE = ("*.html", "*.css", "*.js", "*.svg")
RUNTIME = HERE / "node_modules" / "onnxruntime-web" / "dist"
RUNTIME_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")


def main(argv: Sequence[str] | None = None) -> int:
    """Build the page in the folder that the command line names."""
    options = _parser().parse_args(argv)
    if not RUNTIME.is_dir():
        raise EnvironmentFault(f"onnxruntime-web is not there; run npm ci in {HERE} first")
    model = Sequential.load(find_weights(options.weights))
    if model.input_shape != (SIZE, SIZE, 1):
        raise WeightsError(
            f"{options.weights} takes inputs of shape {model.input_shape}; "
            f"the page has images of {SIZE} x {SIZE} pixels for it"
        )
    build(model, options.out)
    size = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file())
    print(f"{options.out}: {size / 1e6:.1f} MB; python -m http.server --directory {options.out}")
    return 0


def build(model: Sequential, out: Path) -> None:
    """Put the page with ``model`` into the folder ``out``, which may hold an earlier one."""
    payload = onnx_bytes(model)
    try:
        (out / "ort").mkdir(parents=True, exist_ok=True)
        for path in sorted(path for pattern in PAGE for path in HERE.glob(pattern)):
            shutil.copyfile(path, out / path.name)
        for name in RUNTIME_FILES:
            shutil.copyfile(RUNTIME / name, out / "ort" / name)
    except OSError as fault:
        raise EnvironmentFault(f"cannot write {fault.filename}: {fault.strerror}") from fault
    write_bytes(out / "model.onnx", payload)
    write_bytes(out / "model.json", json.dumps(notes(payload), indent=1).encode())


def notes(payload: bytes) -> dict[str, Any]:
    """What the page has to know of an ONNX file, out of the file's own metadata."""
    properties = {p.key: p.value for p in onnx.load_from_string(payload).metadata_props}
    return {
        "classes": json.loads(properties["classes"]),
        "scale": float(properties["scale"]),
        "temperature": float(properties.get("temperature", 1)),
        "threshold": float(properties["threshold"]) if "threshold" in properties else None,
    }


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
    raise SystemExit(run_door(main))
