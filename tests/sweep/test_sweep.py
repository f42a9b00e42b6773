"""Sweeps: the trials, that none is lost or done twice, and the table."""

import json
import os
import signal
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from tinycnn.cli import run_command
from tinycnn.data import write_idx
from tinycnn.errors import RunError
from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.sweep import __main__ as sweep
from tinycnn.sweep.command import share_processors
from tinycnn.sweep.results import SettingResult, results_table
from tinycnn.sweep.trials import plan
from tinycnn.train import __main__ as train
from tinycnn.train.run import Result

pytestmark = pytest.mark.skipif(UNCOMPILED, reason="its processes would compile")

ROOT = Path(__file__).parents[2]
TINY = ["--preset", "dense", "--limit", "100", "--augment", "none", "--threads", "1"]
SMALL = [*TINY, "--jobs", "1", "--sweep-dir", "s"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Sweeps land in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def call(*words, main=sweep.main):
    return run_command(main, [str(word) for word in words])


def until(condition, seconds=240):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def weights():
    return {path.parent.name: path.read_bytes() for path in Path("s").glob("*/weights.*")}


def finished():
    """The files of finished trials, with what would change if anybody touched them."""
    files = [file for path in Path("s").glob("*/result.json") for file in path.parent.iterdir()]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def test_a_plan_holds_all_combinations_with_every_seed_in_folders_named_after_all_options():
    given = Namespace(lr=[0.1, 0.2, 0.1], preset=["tiny"], epochs=[3, 5], limit=9, seeds=2)
    trials = plan(given, Path("s"))
    assert [z.setting for z in trials[:2]] == ["--epochs 3 --lr 0.1", "--epochs 3 --lr 0.2"]
    assert trials[0].folder == Path("s/preset-tiny-epochs-3-lr-0.1-limit-9-seed-0")
    assert len({trial.folder for trial in trials}) == 8
    last = {"preset": "tiny", "epochs": 5, "lr": 0.2, "limit": 9, "seed": 1}
    assert trials[-1].given == last


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--lr", "0.1,x"], "argument --lr: 0.1,x is no list of numbers as A,B,C"),
        (["--epochs", "2.5"], "argument --epochs: 2.5 is no list of whole numbers as A,B,C"),
        (["--lr", "0.1,20"], "--lr must be a number above 0 and at most 10, not 20"),
        (["--limit", "9", "--batch-size", "4,64"], "--batch-size 64 is more than the 8 images"),
        (["--jobs", "999"], "--jobs 999 with --threads 1 does not fit the "),
    ],
)
def test_options_that_make_no_sense_end_in_one_sentence(words, sentence, refused):
    assert refused(sweep.main, *words, "--quiet").startswith(f"error: {sentence}")
    assert not list(Path().glob("**/*.log"))


def test_a_sweep_ends_in_a_table_and_grows_by_what_is_missing(capfd):
    assert call(*SMALL, "--lr", "1e-5,0.05", "--epochs", "2") == 0
    out, err = capfd.readouterr()
    head, best, worst, judged, _ = out.splitlines()
    assert head.startswith("validation %")
    assert best.endswith("--lr 0.05")
    assert worst.endswith("--lr 1e-05")
    assert judged == "judged by 10 validation images; test images play no part"
    assert "2/2  preset-dense-epochs-2-lr-0.05-" in err

    before = finished()
    assert call(*SMALL, "--lr", "1e-5,0.05,0.02", "--epochs", "2", "--json", "--quiet") == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert finished().items() > before.items()
    best, _, _ = json.loads(out)["settings"]
    (run,) = best["runs"]
    line = Path(run, "metrics.jsonl").read_text().splitlines()[1]
    assert best["behind"] == 0
    assert best["accuracy"] == pytest.approx(json.loads(line)["validation_accuracy"])


def test_a_trial_that_diverges_is_a_failure_beside_the_others(capfd):
    # Steps of 10 with all of the weights as decay: each changes their sign and makes them larger.
    assert call(*SMALL, "--lr", "10", "--weight-decay", "0,1", "--epochs", "30") == 1
    out, err = capfd.readouterr()
    assert "error: training diverged in epoch" in err
    assert out.splitlines()[2].split() == [*"---01-", "--weight-decay", "1.0"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_stopped_sweep_goes_on_to_the_bytes_of_train_and_leaves_finished_runs_alone(number, code):
    words = [*SMALL, "--lr", "0.01,0.02", "--epochs", "20", "--batch-size", "8"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tinycnn.sweep", *words],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    until(lambda: len(list(Path("s").glob("*/metrics.jsonl"))) == 2)
    os.killpg(process.pid, number)  # as a terminal does: to all of its group
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (code, "")
    before = finished()
    assert len(before) > 0
    if number == signal.SIGINT:
        assert "stopped with 1 of 2 trials to go; everything is saved. To resume, " in err
    else:  # its process trains on, and keeps others out of its folder until it ends
        until(lambda: len(list(Path("s").glob("*/result.json"))) == 2)
    assert call(*words, "--quiet") == 0
    assert finished().items() >= before.items()

    alone = ["--preset=dense", "--limit=100", "--augment=none", "--epochs=20", "--batch-size=8"]
    assert call(*alone, "--lr=0.02", "--run-dir=alone", "--quiet", main=train.main) == 0
    (name,) = (name for name in weights() if "lr-0.02" in name)
    assert weights()[name] == Path("alone/weights.safetensors").read_bytes()


def test_runs_on_other_data_are_refused(easy_folder, easy_arrays, refused, capfd):
    words = ["--limit", "50", "--epochs", "1", "--preset", "dense", "--sweep-dir", "s", "--quiet"]
    assert call(*words, "--data-dir", easy_folder) == 0
    images = easy_arrays["train-images-idx3-ubyte"]
    write_idx(easy_folder / "train-images-idx3-ubyte", images[::-1])
    capfd.readouterr()
    err = refused(sweep.main, *words, "--data-dir", easy_folder)
    assert "seed-0 was trained on other data; name another --sweep-dir" in err


def test_accuracies_are_compared_image_by_image():
    run = Result(0.5, 2, 4, 1.0, 100.0, 50.0, "run", "run/weights.safetensors")
    best = SettingResult("a", [run, run], np.array([[1, 1, 1, 0], [1, 1, 0, 0]], bool), 0)
    other = SettingResult("b", [run], np.array([[1, 0, 0, 0]], bool), 0)
    behind, (low, high) = other.behind(best)
    d = [0, 1, 0.5, 0]
    assert behind == np.mean(d)
    assert (high - low) / 2 == pytest.approx(1.959964 * np.std(d) / 2)
    assert (low + high) / 2 == pytest.approx(behind)
    assert (best.score.n, best.score.errors) == (8, 3)
    squares = 2 * 0.75**2 + 1.25**2 + 0.25**2
    assert best.score.effect == pytest.approx(4 / 3 * squares / (8 * 15 / 64))
    none = SettingResult("c", [], np.zeros(0, bool), 2)
    rows = results_table([best, other, none]).splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["62.50", "25.00", "-"]
    assert "37.50 (-2.6" not in rows[0]


def test_processes_share_the_processors(monkeypatch):
    monkeypatch.setattr("tinycnn.sweep.command.get_threads", lambda: 8)
    assert share_processors(None, None, 20) == (8, 1)
    assert share_processors(None, None, 3) == (3, 2)
    assert share_processors(2, None, 20) == (2, 4)
    assert share_processors(None, 4, 20) == (2, 4)
    with pytest.raises(RunError, match="`jobs` 3 with `threads` 4 does not fit the 8 processors"):
        share_processors(3, 4, 20)
