"""A write is all or nothing, whatever goes wrong, and a user's files are where the system says."""

import errno
import math
import os

import numpy as np
import pytest

from tinycnn import files
from tinycnn.errors import EnvironmentFault, TinyCNNError

OLD, NEW = b"the old bytes", os.urandom(100_000)


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(OLD)
    return path


def test_a_link_is_followed_and_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path):
    (tmp_path / "link").symlink_to("new")
    before = os.umask(0o027)
    try:
        files.write_bytes(tmp_path / "link", NEW)
    finally:
        os.umask(before)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new").read_bytes() == NEW
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_only_a_regular_file_in_a_folder_can_be_written(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path, "it is not a regular file"),
        (tmp_path / "nowhere" / "file", "nowhere does not exist"),
        (tmp_path / "pipe", "it is not a regular file"),
    ):
        with pytest.raises(EnvironmentFault, match=words):
            files.write_bytes(path, NEW)
    assert (tmp_path / "pipe").is_fifo()


def test_what_a_killed_writer_left_goes_with_the_next_write_beside_it(target):
    old, others, young = (files.TEMPORARY_PREFIX + rest for rest in ("0" * 16, "notes", "1" * 16))
    for name in (old, others, young):
        (target.parent / name).write_bytes(b"half")
    for name in (old, others):
        os.utime(target.parent / name, (0, 0))
    files.write_bytes(target, NEW)
    assert {path.name for path in target.parent.iterdir()} == {target.name, others, young}


def test_a_file_grows_by_appending_and_is_replaced_only_where_it_departs(target):
    file = target.stat().st_ino
    files.grow(target, OLD + b" and new ones")
    assert (target.read_bytes(), target.stat().st_ino) == (OLD + b" and new ones", file)
    files.grow(target, OLD)
    assert target.read_bytes() == OLD
    files.grow(target.parent / "new", NEW)
    assert (target.parent / "new").read_bytes() == NEW
    with pytest.raises(EnvironmentFault, match="it is not a regular file"):
        files.grow(os.devnull, NEW)


def test_a_file_that_cannot_grow_is_completed_by_the_next_call(target, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentFault, match="no space left to"):
        files.grow(target, OLD + NEW)
    monkeypatch.undo()
    os.truncate(target, len(OLD) + 5)
    files.grow(target, OLD + NEW)
    assert target.read_bytes() == OLD + NEW


def test_no_output_may_be_an_input_by_any_name(target, tmp_path):
    link, twin = tmp_path / "link.bin", tmp_path / "twin.bin"
    link.symlink_to(target)
    os.link(target, twin)
    (tmp_path / "other.bin").write_bytes(OLD)

    absent = tmp_path / "absent" / ".." / target.name
    for output in (target, link, twin, tmp_path / "." / target.name, absent):
        with pytest.raises(TinyCNNError, match="is an input"):
            files.refuse_to_overwrite([tmp_path / "new.bin", output], ["-", target])
    with open(target, "rb") as file, pytest.raises(TinyCNNError, match="is an input"):
        files.refuse_to_overwrite([target], [file.fileno()])
    with pytest.raises(TinyCNNError, match="two outputs"):
        files.refuse_to_overwrite([tmp_path / "new.bin", tmp_path / "." / "new.bin"], [target])
    files.refuse_to_overwrite(
        [None, None, tmp_path / "new.bin", tmp_path / "other.bin"], [None, "-"]
    )


def test_json_holds_null_instead_of_what_is_not_finite():
    numbers = {"a": [math.nan, (1.5, -math.inf)], "b": np.float64("inf"), "c": True, "d": None}
    assert files.to_json(numbers) == '{"a": [null, [1.5, null]], "b": null, "c": true, "d": null}'


@pytest.mark.parametrize(("kind", "default"), [("cache", ".cache"), ("data", ".local/share")])
def test_a_variable_without_an_absolute_path_counts_as_unset(kind, default, monkeypatch, tmp_path):
    variable = f"XDG_{kind.upper()}_HOME"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(variable, str(tmp_path / "own"))
    assert files.user_folder(kind) == tmp_path / "own" / "tinycnn"
    for nothing in ("", "rel", "./rel"):
        monkeypatch.setenv(variable, nothing)
        assert files.user_folder(kind) == tmp_path / "home" / default / "tinycnn"
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(EnvironmentFault, match=f"no home folder to keep {kind} in; set HOME"):
        files.user_folder(kind)
