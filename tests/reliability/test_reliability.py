"""The short form of what tests.reliability tries at length."""

import gzip
import io
import os

import pytest
from PIL import Image

from tests.reliability import bombs, determinism, faults, fuzz, kill_storm, mutations, targets
from tinycnn import files
from tinycnn.errors import DataError, ImageError
from tinycnn.ink import decode_picture, read_drawings
from tinycnn.ink.strokes import check_strokes


def kept(finding):
    assert finding.times > 0
    assert finding.breaches == []


# ------------------------------------------------------------------------------- all or nothing

IN_PROCESS = [fault for fault in faults.FAULTS if fault != "SIGKILL"]


@pytest.mark.parametrize("forever", [False, True])
@pytest.mark.parametrize("fault", IN_PROCESS)
@pytest.mark.parametrize("save", faults.SAVES)
def test_whichever_call_of_a_save_fails_no_file_is_torn(save, fault, forever):
    finding = faults.tried(save, fault, forever)
    kept(finding)
    assert finding.times >= 7  # open, write, fsync, replace, open, fsync, close


def test_whichever_call_of_a_save_is_the_last_of_its_process_no_file_is_torn():
    kept(faults.tried("a checkpoint", "SIGKILL"))


def test_torn_files_would_be_seen(monkeypatch):
    def careless(folder):
        with files.open(os.open(folder / "file", os.O_WRONLY), "wb") as file:  # type: ignore[attr-defined]
            file.write(faults.NEW)

    save = faults.Save(faults.SAVES["a file"].states, careless)
    monkeypatch.setitem(faults.SAVES, "careless", save)
    assert faults.tried("careless", "full disk").breaches


def test_bytes_are_forced_out_before_they_get_their_name_and_the_name_before_it_is_told(
    tmp_path, monkeypatch
):
    """After a power cut, a name must not point to bytes that never reached the disk."""
    calls, fsync, replace = [], os.fsync, os.replace

    def forced(descriptor):
        calls.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    def renamed(old, new):
        calls.append("name")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", forced)
    monkeypatch.setattr(os, "replace", renamed)
    files.write_bytes(tmp_path / "file", b"content")
    assert calls == ["file", "name", "folder"]


# ------------------------------------------------------------------------- kills and the same bits


def test_killed_interrupted_and_raced_runs_lose_nothing():
    for finding in kill_storm.findings(print, kills=2, signals=2, raced=1):
        kept(finding)


def test_a_torn_file_in_a_run_folder_would_be_seen(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"epoch": 1}\n{"epo')
    (tmp_path / "checkpoint.safetensors").write_bytes(b"half")
    assert len(list(kill_storm.breaches_of(tmp_path))) == 2


def test_the_weights_have_one_digest_however_training_is_started():
    finding = determinism.finding(short=True)
    kept(finding)
    assert finding.times == 3


# ------------------------------------------------------------------------------- hostile files


@pytest.mark.parametrize("name", targets.FORMATS)
def test_mutated_files_are_read_or_refused_as_documented(name):
    finding = fuzz.fuzz(name, 400, seed=1)
    kept(finding)
    accepted = int(finding.note.split()[0])
    assert 0 < accepted < 400, "files of both kinds"


def test_the_fuzzer_sees_leaks_writes_and_slowness(monkeypatch, tmp_path):
    def leaks(data):
        raise KeyError("undocumented")

    def writes(data):
        (tmp_path / "file").write_text("")
        return True

    for read, words in ((leaks, "KeyError"), (writes, "open")):
        monkeypatch.setitem(
            targets.FORMATS, "bad", mutations.Format(mutations.idx, read, DataError, 1)
        )
        assert words in fuzz.fuzz("bad", 2).breaches[0]


PARTS = "2^128", "60,000", "share 60 kB", "3 GB of", "ten million runs"
CHEAP = [name for name in bombs.BOMBS if any(part in name for part in PARTS)]


@pytest.mark.parametrize("name", CHEAP)
def test_bombs_do_not_go_off(name):
    kept(bombs.finding(name))


def test_a_jpeg_of_very_many_scans_is_refused_and_one_of_a_few_is_read():
    with pytest.raises(ImageError, match="scans, far more than it needs"):
        decode_picture(bombs.scans(30))
    file = io.BytesIO()
    Image.new("RGB", (300, 200)).save(file, "JPEG", progressive=True)
    assert decode_picture(file.getvalue()).gray.shape == (200, 300)


def test_strokes_and_lines_without_end_are_refused():
    with pytest.raises(ImageError, match="5,001 strokes; 5,000 are the most"):
        check_strokes([[[0, 0]]] * 5_001)
    *_, last = read_drawings(gzip.compress(b"\n" * 1_000_001))
    assert "more than a million lines" in str(last)
