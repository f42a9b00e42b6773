"""python -m tinycnn.compare: its measurements, its errors, and that it can be stopped."""

import gzip
import json
import os
import re
import signal
import sys
import threading
import time
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.quality.handwriting import DIGITS, tremble
from tinycnn.cli import run_command
from tinycnn.compare import __main__ as compare
from tinycnn.compare import command, measuring
from tinycnn.compare.baselines import BASELINES, QUICK, SklearnBaseline
from tinycnn.compare.measuring import Measurement
from tinycnn.compare.results import size
from tinycnn.compare.task import Task, Trained, load_drawings
from tinycnn.data import load_dataset
from tinycnn.metrics import Score
from tinycnn.timing import duration

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def quick(monkeypatch):
    """Take every time once."""
    monkeypatch.setattr(measuring, "SINGLES", 3)
    monkeypatch.setattr(measuring, "CALLS", 1)


class Naive:
    """A classifier that always gives one answer."""

    def __init__(self, title, answer=0, fault=None):
        self.title, self.answer, self.fault = title, answer, fault

    def train(self, task):
        if self.fault:
            raise self.fault
        assert len(task.training[0])
        answers = np.array([self.answer])
        return Trained(
            f"always {self.answer}", 1.5, 8,
            lambda images: answers.repeat(len(images)), lambda image: self.answer,
        )  # fmt: skip


@pytest.fixture
def baselines(monkeypatch, quick):
    """Two baselines that need no training, instead of all others."""
    there = {"zero": Naive("always zero"), "one": Naive("always one", 1)}
    for module in (measuring, command):
        monkeypatch.setattr(module, "BASELINES", there)
    return there


def call(*words):
    return run_command(compare.main, [str(word) for word in words])


def exit_code(*words):
    try:
        return call(*words)
    except SystemExit as end:
        return end.code


def result_of(capfd, *words):
    assert call(*words, "--json") == 0
    return json.loads(capfd.readouterr().out)


def stroke_file(path, count=30, extra=()):
    rng = np.random.default_rng(0)
    records = [
        {"strokes": [s.tolist() for s in tremble(DIGITS[str(k % 10)], rng)], "label": k % 10}
        for k in range(count)
    ]
    lines = [json.dumps(record) for record in records] + list(extra)
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


# ------------------------------------------------------------------------------ what it measures


def test_baselines_and_a_network_learn_the_easy_digits(easy_folder, quick, capfd):
    pytest.importorskip("sklearn")
    words = ("--data-dir", easy_folder, "--only", "centroid,softmax,forest,dense")
    record = result_of(capfd, *words)

    assert (record["dataset"], record["n_training"]) == ("easy", 100)
    assert [c["name"] for c in record["classifiers"]] == ["centroid", "softmax", "forest", "dense"]
    for found in record["classifiers"]:
        assert found["n"] == 40
        assert found["accuracy"] == 1 - found["errors"] / 40 >= 0.9
        low, high = found["interval95"]
        assert 0 < low < found["accuracy"] <= high
        assert found["drawings"] is None
        assert min(found["one_digit_us"], found["batch_digit_us"], found["bytes"]) > 0
    dense = record["classifiers"][-1]
    assert dense["bytes"] == 4 * (16 * 16 * 256 + 256 + 256 * 3 + 3)
    assert "10 epochs" in dense["settings"]


def test_errors_are_counted_and_the_test_set_is_the_whole_one(
    baselines, easy_folder, easy_arrays, capfd
):
    record = result_of(capfd, "--data-dir", easy_folder)
    labels = easy_arrays["t10k-labels-idx1-ubyte"]
    errors = [int((labels != k).sum()) for k in (0, 1)]
    assert [found["errors"] for found in record["classifiers"]] == errors
    assert [found["training_seconds"] for found in record["classifiers"]] == [1.5, 1.5]


@pytest.mark.parametrize("name", ["neighbors", "svm", "dense"])
def test_a_digit_that_comes_alone_is_read_as_in_a_batch(name, easy_folder):
    pytest.importorskip("sklearn")
    task = Task(load_dataset(data_dir=easy_folder), limit=30)
    trained = BASELINES[name].train(task)
    images, _ = task.test
    assert [trained.predict_one(image) for image in images] == trained.predict(images).tolist()


@pytest.mark.parametrize("name", [*BASELINES][:6])
def test_every_sklearn_baseline_can_be_made_with_its_settings(name):
    pytest.importorskip("sklearn")
    model = BASELINES[name].make(seed=7)
    assert model.get_params().items() >= BASELINES[name].settings.items()
    assert model.get_params().get("random_state", 7) == 7


def test_networks_say_when_they_train_for_less_than_their_recipe():
    digits = load_dataset()
    recipe, words = BASELINES["best"].recipe(Task(digits))
    assert recipe.epochs == QUICK["best"]
    assert words.startswith(f"{QUICK['best']} epochs instead of 60")
    recipe, words = BASELINES["best"].recipe(Task(digits, all_epochs=True, seed=5))
    assert (recipe.epochs, recipe.seed) == (60, 5)
    assert words == "60 epochs, augmentation strong"


def test_drawings_are_a_column_of_their_own(baselines, tmp_path, capfd):
    path = stroke_file(tmp_path / "drawn.jsonl.gz")
    record = result_of(capfd, "--drawings", path, "--limit", 50)
    assert record["n_training"] == 50
    for found in record["classifiers"]:
        assert (found["drawings"]["n"], found["drawings"]["errors"]) == (30, 27)


def test_intervals_of_drawings_allow_for_writers(tmp_path):
    path = tmp_path / "drawn.jsonl"
    stroke = [[[0, 0], [1, 9]]]
    lines = [{"strokes": stroke, "label": k % 2, "writer": "ab"[k % 2]} for k in range(40)]
    lines += [{"strokes": stroke, "label": 1}] * 2
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    drawings, _ = load_drawings(str(path))
    assert len(np.unique(drawings.writers)) == 4  # two are not known, and not the same
    ones = Trained("", 0, 0, lambda images: np.ones(len(images)), lambda image: 1)
    score = measuring.score_drawings(ones, drawings)
    assert (score.n, score.errors) == (42, 20)
    low, high = score.interval
    plain_low, plain_high = Score(42, 20).interval
    assert high - low > 1.5 * (plain_high - plain_low)


def test_lines_without_a_labeled_digit_are_left_out_and_counted(baselines, tmp_path, capfd):
    extra = ['{"strokes": [[[0, 0], [1, 1]]], "label": "a"}', "no JSON", '{"strokes": []}']
    path = stroke_file(tmp_path / "drawn.jsonl.gz", 10, extra)
    assert call("--drawings", path) == 1
    out, err = capfd.readouterr()
    assert f"{path}: 3 lines hold no labeled digit" in err
    assert "10 drawings" in out


# ----------------------------------------------------------------------------------- what it shows


def test_without_json_there_are_a_table_and_the_settings(baselines, easy_folder, capfd):
    assert call("--data-dir", easy_folder) == 0
    out, err = capfd.readouterr()
    assert re.search(r"^classifier +easy % +95 % interval +errors +training", out, re.MULTILINE)
    assert re.search(r"^always one +\d+\.\d\d +\d+\.\d\d-\d+\.\d\d +\d+ +1\.5 s .* 8 B", out, re.M)
    assert "no drawings (--drawings FILE.jsonl adds them)" in out
    assert re.search(r"^always one +always 1$", out, re.MULTILINE)
    assert "1/2  always zero ..." in err
    assert "\x1b" not in out


def test_the_chart_has_text_and_always_the_same_bytes(baselines, easy_folder, tmp_path):
    pytest.importorskip("matplotlib")
    from tinycnn.compare.results import draw_chart

    path = tmp_path / "chart.svg"
    assert call("--data-dir", easy_folder, "--chart", path) == 0
    words = " ".join(ElementTree.parse(path).getroot().itertext())
    assert "always zero" in words
    assert "size, MB" in words
    results = [
        Measurement(name, name, "", Score(50, 5), Score(20, 9), 1.0, 2.0, 3.0, 4) for name in "ab"
    ]
    assert draw_chart(results, "easy") == draw_chart(results, "easy")
    assert b"of drawings" in draw_chart(results, "easy")


def test_times_and_sizes_have_fitting_units():
    times = {
        5e-7: "0.5 µs",
        3.82e-5: "38.2 µs",
        4.321e-3: "4.32 ms",
        0.99961: "1 s",
        1.13: "1.13 s",
    }
    assert [duration(x) for x in (*times, 12_345)] == [*times.values(), "12,300 s"]
    assert [size(x) for x in (12, 1500, 751_000, 188e6)] == ["12 B", "1.5 kB", "751 kB", "188 MB"]


# ---------------------------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--only", "svm,magic"], "there is no classifier 'magic'; choose from centroid"),
        (["--chart", "chart.png"], "--chart chart.png does not end in .svg"),
        (["--chart", "no/where.svg"], "there is no folder"),
        (["--limit", "1"], "--limit must be a whole number of at least 2"),
        (["--seed", "-1"], "--seed must be"),
        (["--dataset", "magic"], "there is no data set 'magic'"),
        (["--data-dir", "nowhere"], "there is no folder nowhere"),
        (["--drawings", "nowhere.jsonl"], "nowhere.jsonl: it cannot be read"),
    ],
)
def test_options_that_make_no_sense_end_in_one_sentence_before_anything_is_trained(
    words, sentence, monkeypatch, refused
):
    pytest.importorskip("sklearn")
    monkeypatch.setattr(command, "measure_baseline", lambda *_: pytest.fail("it was trained"))
    assert sentence in refused(compare.main, *words)


def test_the_chart_does_not_replace_the_drawings(tmp_path, refused):
    drawings, link = tmp_path / "drawings.svg", tmp_path / "link.svg"
    drawings.write_text("[]")
    link.symlink_to(drawings)
    assert f"{link} is an input" in refused(compare.main, "--drawings", drawings, "--chart", link)
    assert drawings.read_text() == "[]"


def test_without_scikit_learn_networks_can_still_be_compared(
    monkeypatch, quick, easy_folder, capfd, refused
):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert "pip install 'tinycnn[compare]'" in refused(compare.main, code=3)
    record = result_of(capfd, "--only", "dense", "--data-dir", easy_folder)
    assert [found["name"] for found in record["classifiers"]] == ["dense"]


def test_a_failing_library_ends_in_one_sentence_and_the_others_are_shown(
    baselines, easy_folder, capfd
):
    baselines["one"] = SklearnBaseline("broken", "svm.SVC", {"C": -1})
    pytest.importorskip("sklearn")
    assert call("--data-dir", easy_folder) == 2
    out, err = capfd.readouterr()
    assert "always zero" in out
    assert "error: broken cannot be done: " in err
    assert "Traceback" not in err


def test_drawings_are_for_digits_and_there_are_some(baselines, easy_folder, tmp_path, refused):
    words = ["--drawings", tmp_path / "empty.jsonl"]
    words[1].write_text("")
    assert 'holds no drawings with a "label" from 0 to 9' in refused(compare.main, *words)
    sentence = "--drawings are digits of 28 x 28 pixels; easy holds others"
    assert sentence in refused(compare.main, *words, "--data-dir", easy_folder)


# ----------------------------------------------------------------------------- it can be stopped


@pytest.mark.parametrize(("fault", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_a_stopped_comparison_prints_the_results_so_far(baselines, easy_folder, capfd, fault, code):
    baselines["one"].fault = fault
    assert exit_code("--data-dir", easy_folder, "--json") == code
    record = json.loads(capfd.readouterr().out)
    assert [found["name"] for found in record["classifiers"]] == ["zero"]


def test_ctrl_c_stops_while_a_library_computes(baselines, easy_folder, capfd):
    baselines["one"].train = lambda task: time.sleep(20)
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.perf_counter()
    assert call("--data-dir", easy_folder) == 130
    assert time.perf_counter() - started < 10
    out, err = capfd.readouterr()
    assert "always zero" in out
    assert err.endswith("stopped\n")


def test_all_classifiers_have_names_of_their_own_and_the_help_lists_them():
    assert len({baseline.title for baseline in BASELINES.values()}) == len(BASELINES) == 10
    assert f"  {', '.join(BASELINES)}\n" in compare.EXAMPLES
