"""A weights file from any source is read whole or refused with a sentence.

Nothing is run, nothing is written, and no array is made before the file's promises are known
to be the right ones.
"""

import contextlib
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hostile_weights import GOOD, HOSTILE, arrays, network

from tinycnn.errors import WeightsError
from tinycnn.nn import Sequential

HARMLESS = {"open", "builtins.id", "object.__getattr__"}
"""Audit events while a file is loaded: ``open`` only to look at how a refused file starts, and
``object.__getattr__`` only to name the arguments of a layer that a file describes wrongly."""


@pytest.fixture
def write(tmp_path):
    """Write bytes to a file and return its path."""

    def write_bytes(data):
        path = tmp_path / "weights.safetensors"
        path.write_bytes(data)
        return path

    return write_bytes


def test_the_good_file_is_good(write):
    model = Sequential.load(write(GOOD))
    for index, layer in enumerate(model):
        for key, z in layer.params.items():
            assert z.tobytes() == arrays()[f"{index}.{key}"].tobytes()


def test_a_file_of_format_1_is_read_for_ever(tmp_path):
    """Written once, by the first version; a change of the format adds another file."""
    golden = Path(__file__).parents[1] / "golden" / "weights-format-1.safetensors"
    model = Sequential.load(golden)
    assert repr(list(model.layers)) == "[Conv2D(2, 2), ReLU(), MaxPool2D(2), Flatten(), Dense(3)]"
    assert model.input_shape == (5, 5, 1)
    assert model.description["note"] == "golden"
    for z in (z for layer in model for z in layer.params.values()):
        np.testing.assert_array_equal(z.ravel(), np.arange(z.size, dtype=np.float32) / 8)
    model.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == golden.read_bytes()


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_with_a_sentence(kind, write):
    data, words = HOSTILE[kind]
    path = write(data)
    with pytest.raises(WeightsError, match=re.escape(words)) as refusal:
        Sequential.load(path)
    sentence = str(refusal.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    assert len(sentence) < len(str(path)) + 250
    assert path.read_bytes() == data
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("what", ["nothing", "a folder", "a pipe", "a device"])
def test_what_is_no_file_is_refused(what, tmp_path):
    path = {"a device": Path("/dev/zero")}.get(what, tmp_path / "w")
    if what == "a folder":
        path.mkdir()
    if what == "a pipe":
        os.mkfifo(path)
    with pytest.raises(WeightsError, match=r"does not exist|is not a regular file"):
        Sequential.load(path)


def test_loading_runs_no_code_and_writes_nothing(write):
    events, watched = [], False
    sys.addaudithook(lambda event, details: events.append((event, details)) if watched else None)
    for data in [GOOD, *(data for data, _ in HOSTILE.values())]:
        path = write(data)
        with contextlib.suppress(WeightsError):
            watched = True
            Sequential.load(path)
        watched = False
    assert {event for event, _ in events} <= HARMLESS
    assert {details[1] for event, details in events if event == "open"} == {"r"}
    looked_at = {z[1] for event, z in events if event == "object.__getattr__"}
    assert looked_at <= {"__code__", "__defaults__", "__kwdefaults__"}


def test_a_file_that_would_not_be_read_is_not_written(write, monkeypatch):
    model = Sequential.load(write(GOOD))
    monkeypatch.setattr("tinycnn.nn.weights.MAX_BYTES", 100)
    with pytest.raises(WeightsError, match="is not written: it or its"):
        model.save(write(b"old"))


@pytest.mark.parametrize("odd", [np.nan, -np.inf])
def test_no_description_is_written_that_is_no_json(odd, tmp_path):
    with pytest.raises(WeightsError, match="is not written: what describes it is no JSON"):
        network().save(tmp_path / "w.safetensors", calibration={"threshold": odd})
    assert not list(tmp_path.iterdir())
