"""A weights file from any source is read whole or refused with a sentence.

Nothing is run, nothing is written, and no array is made before the file's promises are known
to be the right ones.
"""

import contextlib
import json
import os
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from tinycnn.errors import WeightsError
from tinycnn.nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential
from tinycnn.nn.weights import FORMAT

LAYERS = [
    {"layer": "Conv2D", "filters": 3, "kernel_size": 2},
    {"layer": "ReLU"},
    {"layer": "MaxPool2D", "size": 2},
    {"layer": "Flatten"},
    {"layer": "Dense", "units": 4},
]
NETWORK = {"format": FORMAT, "input_shape": [6, 5, 1], "layers": LAYERS}
HARMLESS = {"open", "builtins.id", "object.__getattr__"}
"""Audit events while a file is loaded: ``open`` only to look at how a refused file starts, and
``object.__getattr__`` only to name the arguments of a layer that a file describes wrongly."""


def network():
    return Sequential([Conv2D(3, 2), ReLU(), MaxPool2D(2), Flatten(), Dense(4)], (6, 5, 1), seed=1)


def file(description=NETWORK, **changes):
    """The bytes of a weights file, described by any JSON or text that is none.

    ``changes`` replaces arrays, or leaves out those that are None; "b0" means "0.b".
    """
    text = description if isinstance(description, str) else json.dumps(description)
    arrays = network().arrays() | {f"{name[1]}.{name[0]}": z for name, z in changes.items()}
    kept = {name: z for name, z in arrays.items() if z is not None}
    return safetensors.numpy.save(kept, {"tinycnn": text})


def described(**changes):
    return file({**NETWORK, **changes})


def dense(**changes):
    """A description in which the dense layer has other arguments."""
    return described(layers=[*LAYERS[:-1], {"layer": "Dense", "units": 4, **changes}])


def promising(shape, offsets=(0, 16)):
    """A safetensors file whose header promises one array that is not there."""
    tensor = {"dtype": "F32", "shape": shape, "data_offsets": offsets}
    header = {"__metadata__": {"tinycnn": json.dumps(NETWORK)}, "0.b": tensor}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(16)


X = np.zeros((3, 2, 2, 1), np.float32)
GOOD = file()
NO_WEIGHTS = "is not a weights file"
DAMAGED = "its description is damaged"
NO_NETWORK = "its description is no network"
IMPOSSIBLE = "describes an impossible network"

HOSTILE = {
    # files of other kinds
    "empty": (b"", NO_WEIGHTS),
    "an HTML page": (b"<!DOCTYPE html><html>404</html>", "it looks like an HTML page"),
    "of another program": (safetensors.numpy.save({"0.w": X}), "not one of tinycnn's"),
    # damaged safetensors
    "cut in the arrays": (GOOD[:-1], NO_WEIGHTS),
    "a header of 2^60 bytes": (struct.pack("<Q", 2**60) + b"{}", NO_WEIGHTS),
    "a shape that wraps around": (promising([2**32, 2**32]), NO_WEIGHTS),
    "offsets outside the file": (promising([10**15 // 4], (0, 10**15)), NO_WEIGHTS),
    # other arrays
    "an array missing": (file(b0=None), "missing ['0.b'], unexpected []"),
    "a bias for all": (file(b0=np.zeros(1, "f4")), "0.b has (1,), expected (3,)"),
    "double precision": (file(w0=X.astype("f8")), "type F64, expected F32"),
    "a NaN": (file(b0=np.array([0, np.nan, 0], "f4")), "0.b holds 1 numbers that are not"),
    # other descriptions
    "a description that is no JSON": (file("not JSON"), DAMAGED),
    "a newer format": (described(format=FORMAT + 1), f"has format {FORMAT + 1}, but {FORMAT} is"),
    "a description that is deep": (file('{"format": 1, "layers": ' + "[" * 30_000), DAMAGED),
    "a description without end": (described(note="x" * 2**20), "its header would have"),
    "layers missing": (described(layers=None), NO_NETWORK),
    "a layer that does not exist": (described(layers=[{"layer": "os.system"}]), NO_NETWORK),
    "an argument that does not exist": (dense(command="rm"), NO_NETWORK),
    "a bomb of units": (dense(units=10**12), IMPOSSIBLE),
    "a bomb of an image": (described(input_shape=[10**9, 10**9, 1]), IMPOSSIBLE),
    "an image of infinity": (file(json.dumps(NETWORK).replace("6,", "Infinity,")), IMPOSSIBLE),
}
"""From a name to a file's bytes, and words of the sentence that refuses it."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


def test_a_file_of_format_1_is_read_for_ever(tmp_path):
    """Written once, by the first version; a change of the format adds another file."""
    golden = Path(__file__).parents[1] / "golden" / "weights-format-1.safetensors"
    model = Sequential.load(golden)
    assert repr(list(model.layers)) == "[Conv2D(2, 2), ReLU(), MaxPool2D(2), Flatten(), Dense(3)]"
    assert model.input_shape == (5, 5, 1)
    assert model.description["note"] == "golden"
    for z in model.arrays().values():
        np.testing.assert_array_equal(z.ravel(), np.arange(z.size, dtype=np.float32) / 8)
    model.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == golden.read_bytes()


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_with_a_sentence(kind, path):
    data, words = HOSTILE[kind]
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=re.escape(words)) as refusal:
        Sequential.load(path)
    sentence = str(refusal.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    assert len(sentence) < len(str(path)) + 250
    assert path.read_bytes() == data
    assert os.listdir(path.parent) == [path.name]


def test_what_is_no_file_is_refused(path):
    os.mkfifo(path)
    for wrong in (path, path.parent, path.with_name("nothing"), "/dev/zero"):
        with pytest.raises(WeightsError, match=r"does not exist|is not a regular file"):
            Sequential.load(wrong)


def test_loading_runs_no_code_and_writes_nothing(path):
    events, watched = [], False
    sys.addaudithook(lambda event, details: events.append((event, details)) if watched else None)
    for data in [GOOD, *(data for data, _ in HOSTILE.values())]:
        path.write_bytes(data)
        with contextlib.suppress(WeightsError):
            watched = True
            Sequential.load(path)
        watched = False
    assert {event for event, _ in events} <= HARMLESS
    assert {details[1] for event, details in events if event == "open"} == {"r"}
    looked_at = {z[1] for event, z in events if event == "object.__getattr__"}
    assert looked_at <= {"__code__", "__defaults__", "__kwdefaults__"}


@pytest.mark.parametrize("odd", [np.nan, -np.inf])
def test_no_description_is_written_that_is_no_json(odd, tmp_path):
    with pytest.raises(WeightsError, match="is not written: what describes it is no JSON"):
        network().save(tmp_path / "w.safetensors", calibration={"threshold": odd})
    assert not list(tmp_path.iterdir())
