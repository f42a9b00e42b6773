"""python -m tinycnn.train: what it prints, what it refuses, and how it is stopped."""

import contextlib
import io
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from rich.console import Console

from tinycnn.cli import run_command
from tinycnn.data import write_idx
from tinycnn.evaluate import __main__ as evaluate
from tinycnn.kernels.jit import UNCOMPILED
from tinycnn.nn import Sequential
from tinycnn.train import __main__ as train
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.folder import find_weights
from tinycnn.train.progress import kept
from tinycnn.train.state import EpochRecord, State

QUICK = ["--epochs", "2", "--threads", "1"]

pytestmark = pytest.mark.usefixtures("one_thread")


def call(*words):
    return run_command(train.main, [str(word) for word in words])


def command(*words):
    return [sys.executable, "-m", "tinycnn.train", *map(str, words)]


# What it prints


def test_training_prints_accuracy_time_files_and_what_to_type_next(easy_folder, capsys):
    assert call("--data-dir", easy_folder, *QUICK, "--run-dir", "my run") == 0

    out, err = capsys.readouterr()
    assert re.search(r"^test   \d+\.\d\d % right \(\d+ errors of 40; 95 % interval", out)
    assert "images/s" in out
    assert out.endswith("next   python -m tinycnn.evaluate 'my run/weights.safetensors'\n")
    assert "easy: 90 images to train on, 10 to validate on (numbers 90 to 99), 40 to test" in err
    lines = [line for line in err.splitlines() if line.startswith("epoch")]
    assert [line[:9] for line in lines] == ["epoch 1/2", "epoch 2/2"]
    assert all(re.search(r"loss \d\.\d+  validation \d+\.\d\d %  lr", line) for line in lines)


def carried_out(text, start):
    """Do what ``text`` says after ``start``, in this process; returns the exit code."""
    program, *words = shlex.split(text.split(start)[1].split("\n")[0].split("python -m ")[1])
    return run_command(
        {"tinycnn.evaluate": evaluate.main, "tinycnn.train": train.main}[program], words
    )


@pytest.mark.parametrize("name", ["my run", "-run", "last", "it's"])
def test_the_command_that_is_printed_next_works_wherever_the_data_and_the_run_lie(
    easy_folder, capsys, name
):
    data = easy_folder.rename(easy_folder.with_name("mnist"))  # which they are not
    words = ["--data-dir", data, *QUICK, "--limit", "60", f"--run-dir={name}"]
    assert call(*words) == 0
    assert carried_out(capsys.readouterr().out, "next ") == 0
    assert capsys.readouterr().out.startswith("mnist, test part: ")


def test_a_data_set_of_one_class_is_refused_before_training(easy_folder, easy_arrays, refused):
    for name, array in easy_arrays.items():
        write_idx(easy_folder / name, 0 * array if "labels" in name else array)
    said = refused(train.main, "--data-dir", easy_folder, *QUICK, "--run-dir", "my run")
    assert "easy has only one class; there is nothing to tell apart" in said
    assert not Path("my run").exists()


def test_a_run_remembers_where_its_data_have_moved(easy_folder, capsys, monkeypatch):
    words = ["--data-dir", easy_folder, *QUICK, "--run-dir", "runs/r"]
    Path("runs").mkdir()
    with monkeypatch.context() as patch:
        stop_in("rehearse", patch, signal.SIGINT)
        assert call(*words) == 130
    moved = easy_folder.rename(easy_folder.with_name("moved away"))
    assert call("--resume", "last", "--threads", "1") == 2
    err = capsys.readouterr().err
    assert f"there is no folder {easy_folder}; if the data have moved, give their --data-dir" in err

    assert call("--resume", "last", "--data-dir", moved, "--threads", "1") == 0
    assert carried_out(capsys.readouterr().out, "next ") == 0
    assert run_command(evaluate.main, ["last"]) == 0


def stop_in(function, monkeypatch, number):
    """Send a signal when a run calls this."""
    monkeypatch.setattr(f"tinycnn.train.run.{function}", lambda *_: os.kill(os.getpid(), number))


def test_kept_weights_and_the_reason_are_printed_once_and_marked_beside_the_epoch(
    easy_folder, capsys
):
    assert call("--data-dir", easy_folder, "--epochs", "6", "--threads", "1") == 0
    err = capsys.readouterr().err
    marked = [line for line in err.splitlines() if line.endswith("  kept")]
    (told,) = re.findall(r"^kept   weights of epoch (\d+), .* accuracy \(\d+\.\d\d %", err, re.M)
    assert marked[-1].startswith(f"epoch {told}/6 ")
    assert Sequential.load(find_weights("last")).description["training"]["best_epoch"] == int(told)


def of_accuracy(*accuracies):
    records = [EpochRecord(n, 1, 1, p, 0.1, 1, 1) for n, p in enumerate(accuracies, 1)]
    return State(best_epoch=len(records), history=records)


def test_weights_are_called_the_best_only_if_they_are():
    assert kept(of_accuracy(0.9, 0.985, 0.985)) == (
        "kept   weights of epoch 3, the best validation accuracy (98.50 %, epoch 3)"
    )
    assert kept(of_accuracy(0.98, 0.99, 0.985)) == (
        "kept   weights of epoch 3, the last within one standard error of the best validation "
        "accuracy (99.00 %, epoch 2)"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--epochs", "10"], "mild until epoch 8, then shown as they are"),
        (["--epochs", "5", "--augment", "strong"], "strong until epoch 4, then shown as they are"),
        (["--epochs", "4"], "mild in all epochs"),
        (["--epochs", "10", "--augment", "none"], "none in all epochs"),
        (["--epochs", "10", "--augment", "drawings"], "drawings in all epochs"),
    ],
)
def test_training_names_its_augmentation_and_its_end(monkeypatch, capsys, words, told):
    stop_in("rehearse", monkeypatch, signal.SIGINT)
    assert call("--limit", "40", *words) == 130
    assert f"\nimages augment {told}\n" in capsys.readouterr().err


def test_a_broken_matplotlib_costs_the_curves_and_one_warning(
    easy_folder, place, monkeypatch, capsys
):
    (place / "lib" / "matplotlib").mkdir(parents=True)
    (place / "lib" / "matplotlib" / "__init__.py").write_text("raise ImportError('bad ABI')")
    monkeypatch.delitem(sys.modules, "matplotlib")
    monkeypatch.syspath_prepend(place / "lib")
    words = ["--data-dir", easy_folder, *QUICK, "--run-dir", "run", "--quiet", "--json"]
    assert call(*words) == 0

    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads(Path("run/result.json").read_bytes())
    assert err == "warning: run/curves.svg is not drawn: bad ABI\n"
    assert not os.path.exists("run/curves.svg")


def test_json_is_one_object_with_the_documented_keys(easy_folder, capsys):
    assert call("--data-dir", easy_folder, *QUICK, "--json", "--quiet") == 0

    out, err = capsys.readouterr()
    result = json.loads(out)
    assert err == ""
    keys = "test_accuracy errors n seconds images_per_second peak_memory_mb run_dir weights"
    assert list(result) == keys.split()
    assert result["n"] == 40
    assert result["test_accuracy"] == (40 - result["errors"]) / 40
    assert Sequential.load(result["weights"]).input_shape == (16, 16, 1)
    files = ".lock checkpoint.prev.safetensors checkpoint.safetensors config.json metrics.jsonl"
    files += " result.json weights.safetensors"
    assert sorted(os.listdir(result["run_dir"])) == files.split()


@pytest.mark.skipif(UNCOMPILED, reason="nothing is compiled")
@pytest.mark.parametrize("terminal", [False, True])
def test_compilation_is_announced_and_measured_once(terminal):
    @numba.njit
    def double(x):
        return 2 * x

    log = io.StringIO()
    console = Console(file=log, force_terminal=terminal, width=200, highlight=False)
    for _ in range(2):  # what is compiled already is not announced again
        with compilation_shown(console):
            assert double(21) == 42
    (said,) = re.findall(r"compiled in \d+\.\d s\n", log.getvalue())
    assert log.getvalue().endswith(said)
    assert "compiling kernels (first run only)" in log.getvalue()


def test_on_a_terminal_there_is_a_bar(easy_folder):
    main, other = pty.openpty()
    words = command("--data-dir", easy_folder, "--epochs", "30", "--threads", "1")
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    with subprocess.Popen(words, stdout=other, stderr=other, env=environment) as process:
        os.close(other)
        seen = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while chunk := os.read(main, 65536):
                seen += chunk
    os.close(main)

    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
    assert re.search(r"epoch \d+/30 .*━.*%.*loss \d\.\d+.*validation .*images/s.*left", text)
    assert re.search(r"test   \d+\.\d\d % right", text)


# What it refuses


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--epochs", "0"], "--epochs must be a whole number from 1 to 100,000, not 0"),
        (["--epochs", "ten"], "argument --epochs: invalid int value: 'ten'"),
        (["--batch-size", "0"], "--batch-size must be a whole number of at least 1, not 0"),
        (["--batch-size", "1000"], "--batch-size 1000 is more than the 90 images"),
        (["--lr", "-1"], "--lr must be a number above 0 and at most 10, not -1"),
        (["--optimizer", "magic"], "there is no --optimizer magic; choose from sgd, adam"),
        (["--schedule", "magic"], "there is no --schedule magic"),
        (["--augment", "magic"], "there is no --augment magic"),
        (["--limit", "0"], "--limit must be"),
        (["--limit", "4"], "0.1 of 4 training images cannot be kept apart"),
        (["--threads", "0"], "--threads must be between 1 and"),
        (["--checkpoint-every", "0"], "--checkpoint-every must be"),
        (["--preset", "magic"], "there is no preset 'magic'"),
        (["--dataset", "magic"], "there is no data set 'magic'; choose from mnist10k"),
        (["--resume", "nowhere"], "there is no run to resume in nowhere"),
        (["--resume", "last"], "there is no last run"),
        (["--resume", "x", "--run-dir", "y"], "--run-dir is for new runs"),
        (["--resume", "x", "--weights", "default"], "--weights is for new runs"),
        (["--preset", "lenet", "--weights", "default"], "--preset, --layers, --network and"),
        (["--layers", "Dense(10)", "--preset", "lenet"], "argument --preset: not allowed with"),
        (["--resume", ""], "there is no run to resume in"),
        (["--magic"], "unrecognized arguments: --magic"),
    ],
)
def test_options_that_make_no_sense_end_in_one_sentence(
    easy_folder, place, refused, words, sentence
):
    if "--dataset" not in words:
        words = ["--data-dir", easy_folder, *words]
    assert refused(train.main, *words).startswith(f"error: {sentence}")
    assert not list(place.iterdir())


# How it is stopped and resumed


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_while_kernels_are_compiled_a_run_can_go_on_and_is_the_last_one(
    easy_folder, monkeypatch, capsys, number, code
):
    words = ["--data-dir", easy_folder, *QUICK]
    assert call(*words, "--quiet", "--json") == 0
    before = json.loads(capsys.readouterr().out)
    with monkeypatch.context() as patch:
        stop_in("rehearse", patch, number)
        assert call(*words, "--seed", "1") == code
        err = capsys.readouterr().err
        assert "stopped in epoch 1 of 2, after 0 of its batches; everything is saved." in err
        assert call("--resume", "last") == code, "and once more, before anything is compiled"
    assert carried_out(capsys.readouterr().err, "To resume:\n") == 0
    assert f"files  {before['run_dir']}\n" not in capsys.readouterr().out
    assert call("--resume", "last", "--seed", "1", "--json") == 0
    assert json.loads(capsys.readouterr().out)["run_dir"] != before["run_dir"]


def test_a_reader_who_leaves_stops_training_with_all_saved_and_a_full_log_stops_nothing(
    easy_folder, place
):
    words = command("--data-dir", easy_folder, *QUICK, "--run-dir", "run")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout.readline().startswith(b"data ")
        process.stdout.close()
        assert process.wait() == 141
    full = command("--resume", "run", "--threads", "1")
    with open("/dev/full", "w") as log:
        done = subprocess.run(full, stdout=subprocess.PIPE, stderr=log)
    assert done.returncode == 0
    assert done.stdout.startswith(b"test ")
    assert call("--data-dir", easy_folder, *QUICK, "--run-dir", "whole", "--quiet") == 0
    run, whole = (Path(name, "weights.safetensors").read_bytes() for name in ("run", "whole"))
    assert run == whole


def test_a_finished_run_tells_its_result_again(easy_folder, capsys):
    assert call("--data-dir", easy_folder, *QUICK, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    weights = Path(first["weights"]).read_bytes()
    os.rename(first["run_dir"], "moved")
    assert call("--resume", "moved", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert [again[key] for key in ("errors", "run_dir")] == [first["errors"], "moved"]
    assert Path("moved/weights.safetensors").read_bytes() == weights
