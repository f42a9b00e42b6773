"""Runs land in a folder of the test's own, and draw no curves, which takes long."""

import sys
from pathlib import Path

import pytest

import tinycnn
from tinycnn.data import load_dataset


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The empty folder that a test works in; processes that it starts find this checkout."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.delenv("TINYCNN_DATA", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(tinycnn.__file__).parents[1]))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    return place


@pytest.fixture
def digits(easy_folder):
    return load_dataset(data_dir=easy_folder)
