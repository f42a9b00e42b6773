"""The readers of files, as functions of bytes for the fuzzer."""

import atexit
import importlib.util
import io
import math
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from apps.sketchpad.commands import do
from apps.sketchpad.engine import Engine
from apps.sketchpad.record import is_record, read_record
from apps.sketchpad.session import Session
from apps.sketchpad.worker import Inline
from tests.reliability import mutations
from tests.reliability.mutations import Format
from tinycnn.data.idx import decode_idx
from tinycnn.errors import DataError, ImageError, RunError, TinyCNNError, WeightsError
from tinycnn.ink import Drawing, Recognizer, decode_picture, read_drawings, strokes_to_image
from tinycnn.nn import Sequential, build
from tinycnn.train import checkpoint
from tinycnn.train.recipe import Recipe
from tinycnn.train.resume import origin_of
from tinycnn.train.state import State

_FILE = Path(tempfile.mkdtemp(prefix="tinycnn-fuzz-")) / "file"
atexit.register(shutil.rmtree, _FILE.parent, ignore_errors=True)
SMALL = 10_000  # numbers of an input that a network is tried with


def write_own_file(data: bytes) -> None:
    """Let readers of files find ``data`` in the fuzzer's own file."""
    _FILE.write_bytes(data)


def read_idx(data: bytes) -> None:
    array = decode_idx(io.BytesIO(data), len(data))
    assert array.dtype.isnative
    assert array.flags.writeable


def read_weights(data: bytes) -> None:
    """A weights file; a network that comes out of it answers, with numbers."""
    model = Sequential.load(_FILE)
    assert all(np.isfinite(z).all() for z in model.arrays().values())
    if math.prod(model.input_shape) < SMALL:
        Recognizer.of(model)


def read_checkpoint(data: bytes) -> None:
    """A checkpoint, and what it says of its run."""
    saved = checkpoint.read(_FILE)
    assert all(np.isfinite(z).all() for z in saved.arrays.values())
    origin_of(saved, _FILE.parent)


def read_picture(data: bytes) -> None:
    gray = decode_picture(data).gray
    assert gray.dtype == np.uint8
    assert gray.size


def read_strokes(data: bytes) -> bool:
    drawings = [drawing for drawing in read_drawings(data) if isinstance(drawing, Drawing)]
    for drawing in drawings:
        assert strokes_to_image(drawing.strokes).shape == (28, 28)
    return bool(drawings)


def play(data: bytes) -> None:
    """A recorded session, played without a window; its last page is drawn."""
    text = data.decode(errors="replace")
    if not is_record(text):
        raise DataError("no record")
    session = Session(Inline(), _no_network)
    for entry in read_record(text, "replay"):
        do(session, entry.command)
    strokes_to_image([stroke.points for stroke in session.pad.page.strokes])


def _no_network() -> Engine:
    raise WeightsError("there is no network")


def _checkpoints() -> mutations.Mutator:
    arrays = {f"weights.{name}": z for name, z in build("tiny").arrays().items()}
    data = {"name": "mnist10k", "data_dir": None, "fingerprint": "0", "test_fingerprint": "0"}
    origin = {"recipe": asdict(Recipe.for_data(8000)), "data": data, "versions": {"numpy": "2"}}
    return mutations.checkpoint_maker(checkpoint.Checkpoint(arrays, State(), origin))


FORMATS: dict[str, Format] = {
    "IDX files": Format(mutations.idx, read_idx, DataError, 1_000_000),
    "weights": Format(mutations.weights, read_weights, WeightsError, 150_000),
    "checkpoints": Format(_checkpoints(), read_checkpoint, RunError, 50_000),
    "images": Format(mutations.picture, read_picture, ImageError, 100_000),
    "strokes": Format(mutations.strokes, read_strokes, ImageError, 60_000),
    "replays": Format(mutations.replay, play, TinyCNNError, 40_000),
}

if importlib.util.find_spec("onnx") and importlib.util.find_spec("h5py"):  # the extra "export"
    from tests.reliability import foreign_files

    FORMATS |= foreign_files.formats(_FILE)
