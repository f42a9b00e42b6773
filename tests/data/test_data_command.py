"""``python -m tinycnn.data`` lists, verifies, describes and draws data sets."""

import json

import numpy as np
import pytest

from tinycnn.data import load_dataset
from tinycnn.data.__main__ import ASCII_SHADES, SHADES, draw, main
from tinycnn.data.catalogue import CATALOGUE, FILE_NAMES


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TINYCNN_DATA", raising=False)


def test_list_names_every_set_and_where_it_is_and_get_too(capsys, monkeypatch):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(CATALOGUE)
    assert lines[0].endswith("bundled")
    assert lines[1].endswith("not fetched (11.6 MB)")

    monkeypatch.setenv("TINYCNN_DATA", "/my/digits")
    assert main(["list", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    where = [record["where"] for record in records]
    assert where[:2] == ["bundled", "TINYCNN_DATA=/my/digits"]
    assert main(["get", "mnist10k"]) == 0
    assert capsys.readouterr().out.strip() == str(CATALOGUE["mnist10k"].folder)


def test_verify_tells_damaged_from_missing_and_ends_with_1(tmp_path, capsys):
    assert main(["verify"]) == 0
    assert [line[:3] for line in capsys.readouterr().out.splitlines()] == ["ok "] * 4
    folder = tmp_path / "cache" / "tinycnn" / "mnist"
    folder.mkdir(parents=True)
    (folder / f"{FILE_NAMES[1]}.gz").write_bytes(b"damaged")
    assert main(["verify", "mnist", "--json"]) == 1
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["state"] for record in records] == ["missing", "damaged", "missing", "missing"]
    assert main(["verify"]) == 1  # a damaged file counts even when its set was not asked for


def test_info_describes_a_set_for_machines_and_people(capsys):
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert main(["info", "mnist10k"]) == 0
    text = capsys.readouterr().out
    dataset = load_dataset()
    assert facts["train_images"] == [8000, 28, 28]
    assert sum(facts["test_per_class"]) == 2000
    assert facts["fingerprint"] == dataset.fingerprint
    assert facts["mean_ink"] == pytest.approx(dataset.train_images.mean() / 255, abs=1e-4)
    assert dataset.test_fingerprint in text


def test_show_draws_images_with_their_labels_in_five_shades_from_paper_to_ink(capsys):
    assert main(["show", "mnist10k", "3", "0", "--split", "test"]) == 0
    lines = capsys.readouterr().out.splitlines()
    dataset = load_dataset()
    assert lines[0] == f"test image 3: {dataset.test_labels[3]}"
    assert lines[29] == f"test image 0: {dataset.test_labels[0]}"
    inked = [[character != " " for character in line[::2]] for line in lines[1:29]]
    np.testing.assert_array_equal(inked, dataset.test_images[3] >= 51)
    ramp = np.array([[0, 50, 51, 102, 153, 204, 255]], np.uint8)
    assert draw(ramp) == "".join(2 * SHADES[level] for level in (0, 0, 1, 2, 3, 4, 4))
    assert draw(ramp, "ascii") == "".join(2 * ASCII_SHADES[k] for k in (0, 0, 1, 2, 3, 4, 4))


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["get", "minst"], "no data set 'minst'; choose from mnist10k"),
        (["show", "mnist10k", "8000"], "no image 8000; choose from 0 to 7999"),
        (["show", "mnist10k", "0", "-1"], "no image -1"),
        (["info", "--data-dir", "/nowhere"], "there is no folder /nowhere"),
        ([], "required: COMMAND; python -m tinycnn.data --help tells more"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(refused, words, phrase):
    assert phrase in refused(main, *words)
