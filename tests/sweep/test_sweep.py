"""Sweeps: the plan, that no trial is lost or done twice, and the table."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("joblib")

from tinycnn.cli import run_command
from tinycnn.data import load_dataset
from tinycnn.errors import RunError
from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.nn import get_threads
from tinycnn.sweep import __main__ as sweep
from tinycnn.sweep import launch
from tinycnn.sweep.folder import SweepFolder
from tinycnn.sweep.launch import local_workers, share_processors
from tinycnn.sweep.plan import Range, SweepPlan, make_plan, parse
from tinycnn.sweep.results import SettingResult, results_table
from tinycnn.sweep.trial import Order, run_trial
from tinycnn.train.recipe import Recipe
from tinycnn.train.resume import Source

matplotlib = pytest.importorskip("matplotlib")

pytestmark = pytest.mark.skipif(UNCOMPILED, reason="its processes would compile")

ROOT = Path(__file__).parents[2]
TINY = ["--preset", "dense", "--limit", "100", "--augment", "none", "--threads", "1"]
SMALL = [*TINY, "--jobs", "1"]
LONG = ["--limit", "1000", "--lr", "0.01,0.02", "--seeds", "2", "--epochs", "10"]
LONG += ["--batch-size", "8"]
"""Four trials that take about a second each: long enough to be killed in the middle of one."""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Sweeps land in a folder of the test's own; no charts, which take longer to draw than it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setitem(sys.modules, "matplotlib", None)


def call(*words):
    return run_command(sweep.main, [str(word) for word in words])


def started(*words):
    """A sweep in a session of its own, as a terminal would start it."""
    return subprocess.Popen(
        [sys.executable, "-m", "tinycnn.sweep", *map(str, words)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(condition, seconds=240):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


def weights(folder):
    paths = Path(folder).glob("trials/*/weights.safetensors")
    return {path.parent.name: path.read_bytes() for path in paths}


def finished(folder):
    """The files of finished trials, with what would change if anybody touched them."""
    trials = [path.parent for path in Path(folder).glob("trials/*/outcome.json")]
    files = [path for trial in trials for path in sorted(trial.iterdir())]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def in_the_middle(folder):
    """Whether one trial is over and another has done a few epochs."""
    lines = {path.parent: path for path in Path(folder).glob("trials/*/metrics.jsonl")}
    over = {path.parent for path in Path(folder).glob("trials/*/outcome.json")}
    begun = [path.read_text().count("\n") for trial, path in lines.items() if trial not in over]
    return over and any(count > 2 for count in begun)


def none_left(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The weights of the long sweep without interruption."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "sweep"
    assert call(*SMALL, *LONG, "--sweep-dir", folder, "--quiet") == 0
    return weights(folder)


# The plan


def test_a_grid_holds_all_combinations_with_every_seed():
    space = {"lr": parse("lr", "0.1,0.2"), "preset": ("tiny",), "epochs": parse("epochs", "3,5")}
    plan = make_plan(space, {"limit": 9}, seeds=2, random=None)

    assert plan.fixed == {"limit": 9, "preset": "tiny"}
    assert [trial.name for trial in plan.trials()][:2] == [
        "lr-0.1-epochs-3-seed-0",
        "lr-0.1-epochs-5-seed-0",
    ]
    assert len({trial.name for trial in plan.trials()}) == 8
    assert plan.trials()[-1].given == {
        "limit": 9,
        "preset": "tiny",
        "lr": 0.2,
        "epochs": 5,
        "seed": 1,
    }


def test_settings_drawn_at_random_are_different_and_always_the_same():
    space = {"lr": Range(1e-4, 1.0), "epochs": Range(2, 4), "optimizer": ("sgd", "adam")}
    few, many = (make_plan(space, {}, 1, random).settings for random in (3, 40))

    assert many[:3] == few
    assert len({json.dumps(setting) for setting in many}) == 40
    assert all(1e-4 <= setting["lr"] <= 1 for setting in many)
    assert 10 < sum(setting["lr"] < 1e-2 for setting in many) < 30  # half of a logarithmic scale
    assert {setting["epochs"] for setting in many} == {2, 3, 4}
    assert {setting["optimizer"] for setting in many} == {"sgd", "adam"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--lr", "0.1,x"], "--lr takes numbers as in A,B,C, or A..B with --random, not 0.1,x"),
        (["--epochs", "2.5"], "--epochs takes whole numbers as in"),
        (["--lr", "0.2..0.1", "--random", "2"], "--lr takes numbers as in"),
        (["--lr", "0.1..0.2"], "--lr 0.1..0.2 is a range, which needs --random N"),
        (["--lr", "0.1,20"], "--lr must be a number above 0 and at most 10, not 20"),
        (["--random", "5", "--optimizer", "sgd,adam"], "--random 5 is more than the 2 settings"),
        (["--seeds", "0"], "--seeds and --random are whole numbers of at least 1"),
        (["--preset", "dense,alexnet"], "there is no preset 'alexnet'"),
        (["--optimizer", "sgd,sdg"], "there is no --optimizer sdg; choose from sgd, adam"),
        (["--limit", "9", "--batch-size", "4,64"], "--batch-size 64 is more than the 8 images"),
        (["--jobs", "999"], "--jobs 999 with --threads 1 does not fit the "),
        (["--chart", "x.gif"], "--chart x.gif must end in .svg or .png"),
        (["--resume", "x", "--lr", "1"], "--resume continues with the settings of the sweep"),
        (["--resume", "x"], "there is no sweep in x: it holds no plan.json"),
        (["--scheduler", "tcp://x", "--jobs", "2"], "--jobs is for this machine"),
    ],
)
def test_options_that_make_no_sense_end_in_one_sentence(words, sentence, refused):
    assert refused(sweep.main, *words, "--quiet").startswith(f"error: {sentence}")
    assert not list(Path().glob("**/outcome.json"))


def test_a_folder_with_other_things_is_left_alone(refused):
    Path("mine").mkdir()
    Path("mine/letter").write_text("dear")
    err = refused(sweep.main, *SMALL, "--sweep-dir", "mine")
    assert "mine holds other files; name a new folder" in err
    assert os.listdir("mine") == ["letter"]


# What comes of it


def test_a_sweep_ends_in_a_table_and_a_chart(capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", matplotlib)
    words = [*SMALL, "--lr", "1e-5,0.05", "--seeds", "2", "--epochs", "2", "--sweep-dir", "s"]
    assert call(*words) == 0

    out, err = capfd.readouterr()
    head, best, worst, judged, files = out.splitlines()
    assert head.split() == ["validation", "%", "n", "failed", "seconds", "setting"]
    assert re.fullmatch(r"\d+\.\d\d \+- \d+\.\d\d  2       0      \d\.\d  --lr 0.05", best.strip())
    assert worst.endswith("--lr 1e-05")
    assert judged == "judged by 10 validation images; the test images were not looked at"
    assert files == "files  s (s/chart.svg)"
    assert len([line for line in err.splitlines() if line.startswith("trial")]) == 4
    assert b"<svg" in Path("s/chart.svg").read_bytes()
    assert call("--resume", "s", "--chart", "again.png") == 0
    assert Path("again.png").read_bytes().startswith(b"\x89PNG")
    assert not list(Path("s").glob("**/result.json"))


def test_json_is_one_object_and_a_finished_sweep_only_prints_again(capfd):
    words = [*SMALL, "--lr", "0.02,0.05", "--epochs", "1", "--sweep-dir", "s"]
    assert call(*words, "--json", "--quiet") == 0
    out, err = capfd.readouterr()
    before = finished("s")
    assert call("--resume", "s", "--json") == 0
    again = capfd.readouterr().out

    assert err.startswith("warning: s/chart.svg is not drawn: it needs matplotlib")
    assert err.count("\n") == 1
    summary = json.loads(out)
    assert summary["judged_by"] == "validation"
    assert summary["fixed"] == {"limit": 100, "preset": "dense", "epochs": 1, "augment": "none"}
    rows = summary["settings"]
    assert {row["setting"]["lr"] for row in rows} == {0.02, 0.05}
    assert [row["validation_mean"] for row in rows] == [row["validation"][0] for row in rows]
    assert {row["validation_deviation"] for row in rows} == {None}
    assert json.loads(again) == summary
    assert summary["chart"] is None
    assert finished("s") == before


def test_the_chart_does_not_replace_what_the_sweep_reads(refused):
    Path("chart.svg").symlink_to("s/plan.json")
    words = [*SMALL, "--epochs", "1", "--sweep-dir", "s", "--quiet", "--chart", "chart.svg"]
    assert "chart.svg is an input" in refused(sweep.main, *words)


def test_it_is_tested_only_when_that_is_asked_for(capfd):
    call(*SMALL, "--epochs", "2", "--sweep-dir", "s", "--quiet")
    assert call("--resume", "s", "--test", "--quiet", "--jobs", "1", "--threads", "1") == 0

    untested, tested = capfd.readouterr().out.split("files  s (no chart)\n")[:2]
    head, row, judged = tested.splitlines()
    assert "test %" not in untested
    assert head.split()[:4] == ["validation", "%", "test", "%"]
    assert judged == "judged by 10 validation images, and tested"
    result = json.loads(Path("s/trials/seed-0/result.json").read_text())
    assert row.split()[1] == f"{100 * result['test_accuracy']:.2f}"


def test_a_trial_that_diverges_is_a_result_too(capfd):
    # Steps of 10 with all of the weights as decay: each changes their sign and makes them larger.
    words = [*SMALL, "--lr", "10", "--weight-decay", "0,1", "--epochs", "30", "--sweep-dir", "s"]
    assert call(*words) == 1
    out, err = capfd.readouterr()
    assert "failed: training diverged in epoch" in err
    assert re.search(r"^ *- +0 +1 +- +--weight-decay 1.0$", out, re.M)
    before = finished("s")
    assert call("--resume", "s", "--quiet") == 1
    assert finished("s") == before


def test_the_table_has_dashes_for_missing_numbers():
    rows = [
        SettingResult({"lr": 0.1}, ["a", "b"], [0.9, 0.8], [], [1.0, 2.0]),
        SettingResult({}, failed=2),
    ]
    assert results_table(rows).splitlines()[1:] == [
        "85.00 +- 7.07  2       0      1.5  --lr 0.1",
        "            -  0       2        -  defaults",
    ]
    assert rows[0].as_dict()["validation_deviation"] == pytest.approx(np.std([0.9, 0.8], ddof=1))


# Nothing lost, nothing twice


def test_a_killed_sweep_goes_on_to_the_same_bytes_and_leaves_finished_runs_alone(uninterrupted):
    process = started(*SMALL, *LONG, "--sweep-dir", "s")
    until(lambda: in_the_middle("s"))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = finished("s")
    left = 4 - len(list(Path("s").glob("trials/*/outcome.json")))

    again = started("--resume", "s", "--jobs", "1", "--threads", "1")
    _, err = again.communicate()

    assert again.returncode == 0, err
    assert err.count("\ntrial ") == left
    assert 0 < left < 4
    assert finished("s").items() >= before.items()
    assert weights("s") == uninterrupted


def test_ctrl_c_ends_cleanly_and_says_the_command_that_goes_on(uninterrupted):
    process = started(*SMALL, *LONG, "--sweep-dir", "s")
    until(lambda: in_the_middle("s"))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    out, err = process.communicate(timeout=120)
    before = finished("s")

    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert re.search(r"stopped with \d of 4 trials to go; everything is saved. To resume:\n", err)
    assert err.endswith("  python -m tinycnn.sweep --resume s --jobs 1 --threads 1\n")
    until(lambda: none_left(process.pid), seconds=60)
    assert call(*err.split()[-6:], "--quiet") == 0
    assert finished("s").items() >= before.items()
    assert weights("s") == uninterrupted


def test_workers_whose_sweep_was_killed_stop_by_themselves():
    process = started(*SMALL, *LONG, "--sweep-dir", "s")
    until(lambda: in_the_middle("s"))
    process.kill()
    process.communicate()
    until(lambda: none_left(process.pid), seconds=60)
    assert len(list(Path("s").glob("trials/*/outcome.json"))) < 4


def order(folder, **changes):
    digits = load_dataset()
    facts = {"source": Source.of(digits, "mnist10k"), "threads": 1, "parent": None, "test": False}
    return Order(folder=folder.path, token=folder.take_lease(), **{**facts, **changes})


def test_a_new_lease_stops_the_workers_of_the_earlier_one(tmp_path):
    folder = SweepFolder(tmp_path)
    first = order(folder)
    assert first.is_wanted()
    second = order(folder)
    assert not first.is_wanted()
    folder.end_lease(first.token)
    assert second.is_wanted()
    folder.end_lease(second.token)
    assert not second.is_wanted()
    assert not order(folder, parent=os.getppid() + 1).is_wanted()


def test_a_worker_saves_and_stops_when_the_lease_ends(tmp_path, monkeypatch):
    folder = SweepFolder(tmp_path)
    given = order(folder)
    recipe = Recipe.for_data(100, preset="dense", limit=100, epochs=9, augment="none", seed=0)
    monkeypatch.setattr("tinycnn.sweep.trial.LOOK_SECONDS", 0)
    looks = iter([True] * 12)
    monkeypatch.setattr(Order, "is_wanted", lambda self: next(looks, False))

    assert run_trial(given, "t", recipe) is False
    assert folder.outcome("t") is None
    done = len(folder.trial("t").metrics.read_text().splitlines())
    assert 0 < done < 9

    monkeypatch.undo()
    assert run_trial(order(folder), "t", recipe) is True
    assert folder.outcome("t")["best_epoch"] <= 9


def test_another_plan_in_the_same_folder_is_refused_with_the_differences(capfd):
    words = ["--epochs", "1", "--sweep-dir", "s", "--quiet"]
    assert call(*SMALL, *words, "--lr", "0.02,0.05") == 0
    before = {path: path.read_bytes() for path in Path("s").rglob("*.json")}
    capfd.readouterr()

    assert call(*SMALL, *words, "--lr", "0.02,0.1", "--seeds", "2", "--momentum", "0.5") == 2

    err = capfd.readouterr().err
    assert err.startswith(
        "error: the sweep in s can only go on with its own settings, not with seeds 2"
    )
    assert "seeds 2 (it has 1); lr 0.02, 0.1 (it has 0.02, 0.05); momentum 0.5 (it has none)" in err
    assert {path: path.read_bytes() for path in Path("s").rglob("*.json")} == before
    assert call(*SMALL, *words, "--lr", "0.02,0.05") == 0  # the same one goes on


def test_other_combinations_of_the_same_values_are_another_plan(tmp_path):
    source = Source("mnist10k", None, "1", "2")
    one = SweepPlan({}, ({"lr": 1, "epochs": 1}, {"lr": 2, "epochs": 2}), 1)
    other = SweepPlan({}, ({"lr": 1, "epochs": 2}, {"lr": 2, "epochs": 1}), 1)
    SweepFolder(tmp_path / "s").open(one, source)
    with pytest.raises(RunError, match="not with other combinations of the same values"):
        SweepFolder(tmp_path / "s").open(other, source)


# Who does the work


def test_processes_share_the_processors(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    assert share_processors(None, None, 20) == (8, 1)
    assert share_processors(None, None, 3) == (3, 2)
    assert share_processors(2, None, 20) == (2, 4)
    assert share_processors(None, 4, 20) == (2, 4)
    with pytest.raises(RunError, match="`jobs` 3 with `threads` 4 does not fit the 8 processors"):
        share_processors(3, 4, 20)


def test_a_worker_has_no_more_threads_than_it_was_promised():
    with local_workers(1, 1) as executor:
        assert executor.submit(get_threads).result() == 1
        assert executor.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
        assert executor.submit(os.getpid).result() != os.getpid()


def test_missing_packages_are_named(monkeypatch, capfd):
    for name, words in (("joblib", []), ("distributed", ["--scheduler", "tcp://127.0.0.1:1"])):
        monkeypatch.setitem(sys.modules, name, None)
        assert call(*TINY, "--sweep-dir", name, *words) == 3
        assert f"needs {name}: pip install 'tinycnn[sweep]'" in capfd.readouterr().err


CLUSTER = """
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


@contextlib.contextmanager
def cluster(folder):
    """The address of a scheduler with two workers, processes on this machine."""
    program = folder / "cluster.py"
    program.write_text(CLUSTER)
    process = subprocess.Popen(
        [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate("\n")


def test_a_dask_cluster_comes_to_the_same_bytes_stopped_or_not(tmp_path, uninterrupted):
    pytest.importorskip("distributed")
    with cluster(tmp_path) as address:
        process = started(*TINY, *LONG, "--sweep-dir", "s", "--scheduler", address)
        until(lambda: in_the_middle("s"))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 130, err
        assert err.endswith(f"--resume s --threads 1 --scheduler {address}\n")

        again = started("--resume", "s", "--scheduler", address)
        out, err = again.communicate(timeout=240)
        assert again.returncode == 0, err
    assert "judged by 100 validation images" in out
    assert weights("s") == uninterrupted


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch, capfd):
    pytest.importorskip("distributed")
    monkeypatch.setattr(launch, "CONNECT_SECONDS", 0.5)
    assert call(*TINY, "--scheduler", "tcp://127.0.0.1:1") == 3
    err = capfd.readouterr().err
    assert "error: no Dask scheduler answers at tcp://127.0.0.1:1; start one with" in err
    assert "Traceback" not in err
