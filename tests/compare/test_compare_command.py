"""python -m tinycnn.compare: its measurements, its errors, and that it can be stopped."""

import json
import os
import re
import signal
import sys
import time

import numpy as np
import pytest

from tinycnn.cli import run_command
from tinycnn.compare import __main__ as compare
from tinycnn.compare import command
from tinycnn.compare.baselines import BASELINES, SklearnBaseline, Trained
from tinycnn.data import load_dataset

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def quick(monkeypatch):
    """Take every time once."""
    monkeypatch.setattr(command, "SINGLES", 3)


class Naive:
    """A classifier that always gives one answer."""

    def __init__(self, title, answer):
        self.title, self.answer = title, answer

    def train(self, dataset, seed):
        many, one = (lambda images: np.full(len(images), self.answer)), (lambda image: self.answer)
        return Trained(f"always {self.answer}", 1.5, 8, many, one)


@pytest.fixture
def baselines(monkeypatch, quick):
    """Two baselines that need no training, instead of all others."""
    there = {"zero": Naive("always zero", 0), "one": Naive("always one", 1)}
    monkeypatch.setattr(command, "BASELINES", there)
    return there


def call(*words):
    return run_command(compare.main, [str(word) for word in words])


def test_baselines_and_a_network_learn_the_easy_digits(easy_folder, quick, capfd):
    pytest.importorskip("sklearn")
    words = ("--data-dir", easy_folder, "--only", "centroid,softmax,forest,dense")
    assert call(*words, "--json") == 0
    record = json.loads(capfd.readouterr().out)
    assert (record["dataset"], record["n_training"]) == ("easy", 100)
    assert [c["name"] for c in record["classifiers"]] == ["centroid", "softmax", "forest", "dense"]
    for found in record["classifiers"]:
        assert found["accuracy"] == 1 - found["errors"] / 40 >= 0.9
        low, high = found["interval95"]
        assert 0 < low < found["accuracy"] <= high
        assert min(found["one_digit_us"], found["batch_digit_us"], found["bytes"]) > 0
    dense = record["classifiers"][-1]
    assert dense["bytes"] == 4 * (16 * 16 * 256 + 256 + 256 * 3 + 3)
    assert "10 epochs" in dense["settings"]


@pytest.mark.parametrize("name", [*BASELINES][:6] + ["dense"])
def test_a_digit_that_comes_alone_is_read_as_in_a_batch(name, easy_folder):
    pytest.importorskip("sklearn")
    dataset = load_dataset(data_dir=easy_folder)
    trained, images = BASELINES[name].train(dataset, seed=0), dataset.test_images
    assert [trained.predict_one(image) for image in images] == trained.predict(images).tolist()


def test_the_table_has_all_errors_on_the_whole_test_set(baselines, easy_folder, easy_arrays, capfd):
    assert call("--data-dir", easy_folder) == 0
    out, err = capfd.readouterr()
    errors = int((easy_arrays["t10k-labels-idx1-ubyte"] != 1).sum())
    assert re.search(r"^classifier +easy % +95 % interval +errors +training", out, re.MULTILINE)
    row = rf"^always one +\d+\.\d\d +\d+\.\d\d-\d+\.\d\d +{errors} +1\.5 s .* 0 kB"
    assert re.search(row, out, re.MULTILINE)
    assert "1/2  always zero ..." in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--only", "zero,magic"], "there is no --only magic; choose from zero"),
        (["--limit", "1"], "--limit must be a whole number of at least 2"),
    ],
)
def test_options_that_make_no_sense_end_in_one_sentence(words, sentence, baselines, refused):
    assert sentence in refused(compare.main, *words)


def test_without_scikit_learn_networks_can_still_be_compared(
    monkeypatch, quick, easy_folder, capfd, refused
):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert "pip install 'tinycnn[compare]'" in refused(compare.main, code=3)
    assert call("--only", "dense", "--data-dir", easy_folder) == 0
    assert "dense" in capfd.readouterr().out


def test_a_failing_library_ends_in_one_sentence_and_the_others_are_shown(
    baselines, easy_folder, capfd
):
    baselines["one"] = SklearnBaseline("broken", "svm.SVC", {"C": -1})
    pytest.importorskip("sklearn")
    assert call("--data-dir", easy_folder) == 2
    out, err = capfd.readouterr()
    assert "always zero" in out
    assert err.splitlines()[-1].startswith("error: broken cannot be done: ")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_while_a_library_computes_and_the_results_so_far_are_printed(
    number, code, baselines, easy_folder, capfd
):
    def busy(dataset, seed):
        os.kill(os.getpid(), number)
        time.sleep(20)

    baselines["one"].train = busy
    started = time.perf_counter()
    assert call("--data-dir", easy_folder, "--json") == code
    assert time.perf_counter() - started < 10
    record = json.loads(capfd.readouterr().out)
    assert [found["name"] for found in record["classifiers"]] == ["zero"]
