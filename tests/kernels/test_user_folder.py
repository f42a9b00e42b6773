"""Where the files of a user are kept that no run or clone holds."""

import os
from pathlib import Path

import pytest

from tinycnn.errors import EnvironmentFault
from tinycnn.files import user_folder


@pytest.mark.parametrize(("kind", "default"), [("cache", ".cache"), ("data", ".local/share")])
def test_a_variable_without_an_absolute_path_counts_as_unset(kind, default, monkeypatch, tmp_path):
    variable = f"XDG_{kind.upper()}_HOME"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(variable, str(tmp_path / "own"))
    assert user_folder(kind) == tmp_path / "own" / "tinycnn"
    for nothing in ("", "rel", "./rel"):
        monkeypatch.setenv(variable, nothing)
        assert user_folder(kind) == tmp_path / "home" / default / "tinycnn"


def test_without_a_home_there_is_one_sentence(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(EnvironmentFault, match="no home folder to keep cache in; set HOME"):
        user_folder("cache")
    assert not Path("~").exists()
