"""python -m tinycnn.evaluate: its measurements, its warnings, its errors."""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from tinycnn.cli import run_command
from tinycnn.data import load_dataset, write_idx
from tinycnn.data.provenance import sample_of
from tinycnn.evaluate import __main__ as evaluate
from tinycnn.nn import Dense, Flatten, ReLU, Sequential
from tinycnn.train.recipe import Recipe
from tinycnn.train.resume import Source, start

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def weights(easy_folder, tmp_path, monkeypatch):
    """The weights of a short training on the easy set."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    digits = load_dataset(data_dir=easy_folder)
    recipe = Recipe.for_data(100, preset="Flatten Dense(3)", epochs=3, batch_size=10, lr=0.01)
    source = Source.of(digits, "mnist10k", easy_folder)
    with start(recipe, digits, source, tmp_path / "run") as run:
        run.train()
        return run.finish().weights


def call(*words):
    return run_command(evaluate.main, [str(word) for word in words])


def outcome(capsys, *words):
    assert call(*words, "--json") == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_the_numbers_are_those_of_the_predictions(weights, easy_folder, easy_arrays, capsys):
    result, err = outcome(capsys, weights, "--data-dir", easy_folder)

    labels = easy_arrays["t10k-labels-idx1-ubyte"]
    predicted = Sequential.load(weights).predict(easy_arrays["t10k-images-idx3-ubyte"])
    errors = int((predicted != labels).sum())
    assert (result["dataset"], result["split"]) == ("easy", "test")
    assert (result["errors"], result["n"], result["accuracy"]) == (errors, 40, (40 - errors) / 40)
    assert result["interval95"][0] < result["accuracy"] <= result["interval95"][1] <= 1
    confusion = np.array(result["confusion"])
    assert confusion.sum() == 40
    for k, name in enumerate("012"):
        mine = result["per_class"][name]
        assert mine["n"] == confusion[k].sum() == (labels == k).sum()
        assert mine["errors"] == mine["n"] - confusion[k, k]
        assert mine["recall"] == mine["accuracy"] == confusion[k, k] / confusion[k].sum()
        answered = confusion[:, k].sum()
        assert mine["precision"] == (confusion[k, k] / answered if answered else None)
        assert mine["interval95"][0] <= mine["recall"] <= mine["interval95"][1]
    assert 0 <= result["calibration_error"] < 1
    assert result["loss"] > 0
    assert (result["trained_on"], result["warnings"], err) == (0, [], "")


def test_without_json_there_are_tables(weights, easy_folder, capsys):
    assert call(weights, "--data-dir", easy_folder) == 0
    out = capsys.readouterr().out
    assert re.match(r"easy, test part: \d+\.\d\d % right \(\d+ errors of 40; 95 % interval", out)
    assert re.search(r"mean loss \d\.\d{4}, calibration error .* %, temperature [\d.]+\n", out)
    counts = re.findall(r"^[012] ((?: +(?:\d+|\.)){3})$", out, re.MULTILINE)
    assert sum(int(z) for row in counts for z in row.replace(".", "0").split()) == 40


def test_several_data_sets_are_measured_in_one_call(write_digits, tmp_path, capsys):
    write_digits(tmp_path / "mnist", 20, 30)
    model = Sequential([Flatten(), Dense(10)], (28, 28, 1), seed=1)
    known = sample_of(load_dataset().test_images)
    model.save(tmp_path / "w.safetensors", training={"sample": known})

    for names in (["--dataset", "mnist10k,mnist"], ["--dataset=mnist10k", "--dataset=mnist"]):
        assert call(tmp_path / "w.safetensors", *names, "--data-dir", tmp_path, "--json") == 0
        out, err = capsys.readouterr()
        found = [json.loads(line) for line in out.splitlines()]
        assert [(z["dataset"], z["n"]) for z in found] == [("mnist10k", 2000), ("mnist", 30)]
        assert (
            err.count("w.safetensors: mnist10k: about 100 % of these images were trained on") == 1
        )
    assert call(tmp_path / "w.safetensors", "--dataset", "mnist10k,magic") == 2
    assert capsys.readouterr().out == ""


def test_two_networks_are_compared_on_the_same_digits(weights, easy_folder, tmp_path, capsys):
    second = Sequential([Flatten(), Dense(3)], (16, 16, 1), seed=5)
    training = Sequential.load(weights).description["training"]
    second.save(tmp_path / "other.safetensors", training=training)
    words = ["--data-dir", easy_folder, "--split", "train", "--compare"]

    result, err = outcome(capsys, weights, *words, tmp_path / "other.safetensors")
    other, compared = result["compared_with"], result["mcnemar"]
    assert result["weights"] == weights
    assert (other["n"], compared["n"]) == (90, 90)
    assert result["errors"] == compared["only_second"] + compared["neither"]
    assert other["errors"] == compared["only_first"] + compared["neither"]
    changed = compared["only_first"], compared["only_second"]
    assert compared["p_value"] == pytest.approx(binomtest(changed[0], sum(changed)).pvalue)
    assert err.count("about 100 % of these images were trained on") == 2
    assert f"warning: {tmp_path / 'other.safetensors'}: easy: about" in err

    assert call(weights, *words, tmp_path / "other.safetensors") == 0
    assert re.search(r"McNemar's test: p (= 0\.\d+|= 1|below 0.0001); ", capsys.readouterr().out)


SEEN = [
    ("train", 90, 1, "about 100 % of these images were trained on"),
    ("validation", 10, 0, "the best epoch was chosen by these images"),
]


@pytest.mark.parametrize(("split", "n", "trained_on", "warning"), SEEN)
def test_measuring_on_images_that_training_saw_warns(
    weights, easy_folder, tmp_path, capsys, split, n, trained_on, warning
):
    words = ["--data-dir", easy_folder, "--split", split]
    result, err = outcome(capsys, weights, *words)
    assert (result["n"], result["trained_on"]) == (n, trained_on)
    assert warning in err
    assert len(result["warnings"]) == 1
    assert outcome(capsys, tmp_path / "run", *words)[0] == result  # the folder names its weights


def test_training_images_and_other_classes_are_noticed_in_another_set(
    weights, easy_arrays, easy_folder, tmp_path, capsys
):
    """As with the bundled digits: all are in the training part of the full set."""
    other = shutil.copytree(easy_folder, tmp_path / "other")
    images = easy_arrays["t10k-images-idx3-ubyte"].copy()
    images[:10] = easy_arrays["train-images-idx3-ubyte"][20:30]
    write_idx(other / "t10k-images-idx3-ubyte", images)
    model = Sequential.load(weights)
    model.description["classes"] = ["cat", "dog", "cow"]
    model.save(weights)

    result, err = outcome(capsys, weights, "--data-dir", other)
    assert result["trained_on"] == 0.25
    assert "about 25 % of these images were trained on" in err
    assert "the classes of other are not the ones that these weights learned" in err


def test_weights_of_other_programs_are_measured_without_a_record_of_their_training(
    easy_folder, tmp_path, capsys
):
    model = Sequential([Flatten(), Dense(3)], (16, 16, 1))
    for strange in ({}, {"training": 7}, {"training": {"sample": "?", "recipe": {"limit": "x"}}}):
        model.save(tmp_path / "strange.safetensors", **strange)
        result, err = outcome(capsys, tmp_path / "strange.safetensors", "--data-dir", easy_folder)
        assert (result["trained_on"], err) == (None, "")

        words = ["--data-dir", easy_folder, "--split", "validation"]
        assert call(tmp_path / "strange.safetensors", *words) == 2
        assert "do not say what their validation part was" in capsys.readouterr().err


def overflowing():
    model = Sequential([Flatten(), Dense(3), ReLU(), Dense(3)], (16, 16, 1), seed=1)
    for z in model.arrays().values():
        z[...] = np.copysign(3e38, np.arange(z.size).reshape(z.shape) % 2 - 0.5)
    return model


def flat(units, *shape):
    return Sequential([Flatten(), Dense(units)], shape)


STRANGE = [
    (flat(3, 16, 16, 3), "take inputs of shape (16, 16, 3), not one gray image"),
    (flat(3, 8, 32, 1), "are 16 x 16 pixels, but these weights were made for 8 x 32"),
    (flat(2, 16, 16, 1), "easy has 3 classes, but these weights know 2"),
    (flat(1, 16, 16, 1), "give outputs of shape (1,), not classes"),
    (Sequential([ReLU()], (16, 16, 1)), "outputs of shape (16, 16, 1), not classes"),
    (overflowing(), "give answers that are not finite"),
]


@pytest.mark.parametrize(("strange", "sentence"), STRANGE)
def test_strange_weights_end_in_one_right_sentence(strange, sentence, easy_folder, refused):
    path = easy_folder / "strange.safetensors"
    strange.save(path)
    assert sentence in refused(evaluate.main, path, "--data-dir", easy_folder, "--json")


def test_weights_in_their_run_folder_are_measured_on_the_data_of_the_run(
    weights, easy_folder, capfd, refused
):
    assert call(weights) == 0
    assert capfd.readouterr().out.startswith("easy, test part: ")
    moved = easy_folder.rename(easy_folder.with_name("moved"))
    sentence = f"there is no folder {easy_folder}; if the data have moved"
    assert sentence in refused(evaluate.main, weights)
    assert call(weights, "--data-dir", moved) == 0


def test_without_data_that_are_known_there_is_one_sentence(weights, refused):
    for content in ("{", '{"data": {"name": 1}}'):
        Path(weights).with_name("config.json").write_text(content)  # of another program
        assert "do not name the data they were trained on; say" in refused(evaluate.main, weights)
    sentence = "there is no data set 'magic'"
    assert sentence in refused(evaluate.main, weights, "--dataset", "magic")
