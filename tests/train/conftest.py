"""Runs land in a folder of the test's own, and draw no curves, which takes long."""

import sys
from pathlib import Path

import pytest

import tinycnn
from tinycnn.data import load_dataset


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """The empty folder that a test works in; processes that it starts find this checkout."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("TINYCNN_DATA", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(tinycnn.__file__).parents[1]))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    return folder


@pytest.fixture
def digits(easy_folder):
    return load_dataset(data_dir=easy_folder)
