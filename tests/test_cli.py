"""However the standard streams are, a command ends in a sentence or a signal's exit code."""

import atexit
import gc
import importlib
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import tinycnn
from tinycnn import cli
from tinycnn.cli import run_command
from tinycnn.console import Console
from tinycnn.data import write_idx
from tinycnn.nn import Dense, Flatten, Sequential

ESCAPE = "\x1b]0;owned\x1b[2J\u202e7\x9b\x7f"
ESCAPED = r"\x1b]0;owned\x1b[2J\u202e7\x9b\x7f"


def printing(text, file="stdout"):
    """A command that prints a line."""

    def main(argv):
        print(text, file=getattr(sys, file))
        return 0

    return main


@pytest.fixture
def full():
    """A stream on a full disk."""
    with open("/dev/full", "w") as stream:
        yield stream


@pytest.fixture
def left():
    """A stream whose reader has left."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", buffering=1) as stream:
        yield stream


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_says_that_its_output_is_lost(name, capsys, monkeypatch, full):
    main = importlib.import_module(cli.COMMANDS[name][0]).main
    for stream, reason in ((full, "No space left on device"), (None, "Bad file descriptor")):
        monkeypatch.setattr(sys, "stdout", stream)
        assert run_command(main, ["--help"]) == 3
        told = f"error: standard output cannot be written: {reason}\n"
        assert capsys.readouterr().err == told


@pytest.mark.parametrize("size", [1, 100_000])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_lost_output_is_told_once_and_a_reader_who_left_ends_a_command_in_silence(
    name, size, capsys, monkeypatch, full, left
):
    monkeypatch.setattr(sys, name, left)
    assert run_command(printing(size * "x", name)) == 141
    assert "".join(capsys.readouterr()) == ""
    monkeypatch.undo()
    monkeypatch.setattr(sys, "stdout", full)
    assert run_command(printing(size * "x")) == 3
    assert capsys.readouterr().err.count("error: standard output cannot be written") == 1


def test_progress_that_cannot_be_told_costs_nothing(capsys, monkeypatch, full):
    def main(argv):
        print("progress", file=sys.stderr, flush=True)
        Console(stderr=True).print("more of it")
        print("done")
        return 0

    for stream in (full, None):
        monkeypatch.setattr(sys, "stderr", stream)
        assert run_command(main) == 0
        assert capsys.readouterr().out == "done\n"


def test_what_cannot_be_encoded_is_escaped(monkeypatch):
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", ascii_only)
    assert run_command(printing("Zürich \udcff 7")) == 0
    assert ascii_only.buffer.getvalue() == b"Z\\xfcrich \\udcff 7\n"


@pytest.mark.parametrize(
    ("refusal", "code", "sentence"),
    [
        (FileNotFoundError(2, "No such file", "a"), 3, "a cannot be used: No such file"),
        (OSError(9, "Bad file descriptor"), 3, "Bad file descriptor"),
        (io.UnsupportedOperation("not readable"), 3, "not readable"),
        (MemoryError(), 3, "there is not enough memory"),
        (MemoryError("2 GiB"), 3, "there is not enough memory: 2 GiB"),
        (tinycnn.TinyCNNError("`a_b` 9; `None` stays"), 2, "--a-b 9; `None` stays"),
    ],
)
def test_a_refusal_is_a_sentence_that_names_options_and_a_bug_keeps_its_traceback(
    refusal, code, sentence, refused
):
    def main(argv):
        raise refusal if argv else ZeroDivisionError

    assert refused(main, "x", code=code) == f"error: {sentence}\n"
    with pytest.raises(ZeroDivisionError):
        run_command(main, [])


def test_debug_shows_the_traceback_of_an_error_wherever_it_is_typed(capsys):
    def main(argv):
        assert argv == ["x"]
        raise tinycnn.TinyCNNError("no")

    for arguments in (["--debug", "x"], ["x", "--debug"]):
        assert run_command(main, arguments) == 2
        assert capsys.readouterr().err.startswith("Traceback (most recent call last):")
    assert run_command(main, ["x"]) == 2
    assert capsys.readouterr().err == "error: no\n"


def test_the_end_of_a_command_does_not_look_for_garbage(monkeypatch):
    at_the_end = []
    monkeypatch.setattr(atexit, "register", at_the_end.append)
    assert run_command(lambda argv: 0, []) == 0
    assert at_the_end == [gc.freeze]


def test_help_of_a_command_does_not_wait_for_its_package():
    program = (
        "import sys; from tinycnn import cli\n"
        "for name in 'train evaluate predict report compare explain sweep export'.split():\n"
        "    assert cli.main([name, '--help']) == 0\n"
        "slow = {'numba', 'jinja2', 'matplotlib', 'sklearn', 'PIL', 'joblib'}\n"
        "print(slow & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.endswith("set()\n"), done.stdout[-300:] + done.stderr


def test_no_text_steers_the_terminal(capsys):
    def main(argv):
        print(ESCAPE)
        print(ESCAPE, file=sys.stderr)
        Console(highlight=False).print(ESCAPE, markup=False)
        raise tinycnn.TinyCNNError(ESCAPE)

    run_command(main)
    out, err = capsys.readouterr()
    assert out == f"{ESCAPED}\n{ESCAPED}\n"
    assert err == f"{ESCAPED}\nerror: {ESCAPED}\n"


def test_class_names_are_escaped_for_people_and_exact_for_machines(tmp_path, capsys):
    weights, images = tmp_path / "strange.safetensors", tmp_path / f"images{ESCAPE}"
    names = [f"{ESCAPE}{digit}" for digit in range(10)]
    Sequential([Flatten(), Dense(10)], (28, 28, 1)).save(weights, classes=names)
    write_idx(images, np.full((1, 28, 28), 200, np.uint8))
    command = ["predict", str(images), "--weights", str(weights)]

    assert cli.main(command) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{tmp_path}/images{ESCAPED}[0]: {ESCAPED}")
    assert "\x1b" not in out
    assert cli.main([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["file"] == str(images)
    assert answer["digits"][0]["name"] in names


def test_code_that_keeps_the_stream_may_reset_colors_when_the_command_is_over(capsys):
    kept = []
    run_command(lambda argv: kept.append(sys.stdout) or 0)
    kept[0].write("\x1b[0m")
    assert capsys.readouterr().out == "\x1b[0m"


def test_real_processes_with_closed_streams_write_no_file_of_theirs_instead(tmp_path):
    command = f"exec {sys.executable} -m tinycnn convert x.onnx -o y.safetensors <&- >&- 2>&-"
    assert subprocess.run(command, shell=True, cwd=tmp_path).returncode == 2
    command = f"exec {sys.executable} -m tinycnn --version >&-"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == "error: standard output cannot be written: Bad file descriptor\n"


def test_the_package_is_the_command_and_tells_its_version_and_its_commands(capfd, refused):
    command = [sys.executable, "-m", "tinycnn", "--version"]
    assert subprocess.check_output(command, text=True) == f"tinycnn {tinycnn.__version__}\n"
    assert cli.main(["--help"]) == 0
    listed = capfd.readouterr().out
    assert all(name in listed for name in cli.COMMANDS)
    assert "required: COMMAND; tinycnn --help tells more" in refused(cli.main)
    assert "invalid choice: 'frobnicate'" in refused(cli.main, "frobnicate")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("tinycnn pre", {"predict"}),
        ("tinycnn train --epochs 3 --mom", {"--momentum"}),
        ("tinycnn train --log t", {"tensorboard"}),
    ],
)
def test_the_shell_completes_commands_options_and_choices(line, offered, tmp_path):
    pytest.importorskip("argcomplete")
    asked = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    asked |= {"COMP_TYPE": "9", "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "offered")}
    subprocess.run([sys.executable, "-m", "tinycnn"], env=os.environ | asked, check=True)
    assert set((tmp_path / "offered").read_text().replace("\v", " ").split()) == offered
