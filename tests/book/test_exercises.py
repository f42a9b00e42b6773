"""The exercises of the book: right answers pass, blanks and well-known mistakes do not."""

import importlib
import inspect
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import exercise_answers
import pytest
from exercise_answers import CHAPTERS as ANSWERS

ROOT = Path(__file__).parents[2]
EXERCISES = ROOT / "docs" / "exercises"
FILES = {int(path.name[2:4]): path.stem for path in sorted(EXERCISES.glob("ch[0-9]*.py"))}
HALF_DONE = {13}  # nothing is blank there: the reader begins with what is right, and slow


def checks_of(chapter):
    return importlib.import_module("check").checks_of(chapter)


def judge(chapter, answers):
    return importlib.import_module("checking").judge(answers, checks_of(chapter))


def answers_with(chapter, name, function):
    """The right answers of a chapter but for one."""
    right = ANSWERS[chapter]
    chosen = {n: getattr(right, n) for n in checks_of(chapter)}
    return SimpleNamespace(**chosen | {name: function})


@pytest.mark.parametrize("chapter", FILES)
def test_every_function_of_an_exercise_has_a_check_and_an_answer(chapter):
    assert ANSWERS.keys() == FILES.keys() == set(range(1, 14))
    blank = importlib.import_module(FILES[chapter])
    public = {n for n, f in vars(blank).items() if callable(f) and not n.startswith("_")}
    assert set(checks_of(chapter)) <= public
    if chapter not in HALF_DONE:
        file = (EXERCISES / f"{FILES[chapter]}.py").read_text()
        assert set(checks_of(chapter)) == set(re.findall(r"^def (\w+)", file, re.MULTILINE))


@pytest.mark.parametrize("chapter", FILES)
def test_right_answers_pass(chapter, monkeypatch):
    monkeypatch.setattr("checks.ch13.ENOUGH", 0.0)  # times as fast: clocks decide no test
    for verdict in judge(chapter, ANSWERS[chapter]):
        assert verdict.word == "right", str(verdict)


def skip_if_begun(chapter, blank, count):
    """Skip in the copy of a reader who works through the book."""
    if (EXERCISES / f"{FILES[chapter]}.py").read_text().count(blank) != count:
        pytest.skip("a reader has begun with this chapter")


@pytest.mark.parametrize("chapter", sorted(FILES.keys() - HALF_DONE))
def test_blanks_are_not_written_yet(chapter):
    skip_if_begun(chapter, "raise NotImplementedError", len(checks_of(chapter)))
    verdicts = judge(chapter, importlib.import_module(FILES[chapter]))
    assert {verdict.word for verdict in verdicts} == {"not written yet"}


@pytest.mark.parametrize("chapter", sorted(FILES.keys() - HALF_DONE))
@pytest.mark.parametrize("nothing", [None, ..., 0.0, "text"], ids=["None", "...", "0", "text"])
def test_nothing_is_no_answer(chapter, nothing):
    idle = SimpleNamespace(**dict.fromkeys(checks_of(chapter), lambda *_, **__: nothing))
    assert {verdict.word for verdict in judge(chapter, idle)} == {"wrong"}


MISTAKES = [
    (1, "mean_image", "dtype=float", "dtype=np.uint8", "begin again at 0"),
    (2, "neuron_backward", "dy @ x,", "x.sum(axis=0),", "dy is missing"),
    (3, "relu_backward", "dy * (y > 0)", "np.maximum(dy, 0)", "below zero"),
    (4, "conv2d", "w[u, v]", "w[-1 - u, -1 - v]", "you turned the filter"),
    (4, "conv2d_backward_input", "+=", "=", "do not assign"),
    (5, "maxpool2d_backward", "dy * (winner == place)", "dy / 4", "gradient of a mean"),
    (6, "softmax", " - logits.max(axis=1, keepdims=True)", "", "maximum off first"),
    (6, "cross_entropy_backward", " / len(p)", "", "divide by N"),
    (7, "sgd_update", "velocity[...] =", "velocity =", "not changed in place"),
    (7, "adam_update", " / (1 - 0.9**step), square / (1 - 0.999**step)", ", square", "corrections"),
    (8, "dropout", " / (1 - rate)", "", "scale up"),
    (8, "batchnorm_backward", " - z * (dz * z).mean(axis=0)", "", "the variance depends on x"),
    (9, "numerical_gradient", "f(z - nudge)) / 2e-5", "f(z)) / 1e-5", "nudge both ways"),
    (10, "offset_to_center", "math.ceil", "round", "not 13.5"),
    (11, "save", "beside = ", "return path.write_bytes(payload)  # ", "the file itself"),
    (11, "order_of_epoch", "[seed, epoch]", "seed + epoch", "add them"),
    (12, "dw_of_the_living", "rate(winner)", "rate(winner % 4)", "no winner is alive"),
    (13, "sgd_update", "z += momentum * velocity - step", "z += velocity", "plain momentum"),
]
"""Chapter, exercise, what is changed in its right answer to what, and a part of the hint."""


@pytest.mark.parametrize(("chapter", "name", "old", "new", "hint"), MISTAKES)
def test_a_well_known_mistake_is_named(chapter, name, old, new, hint):
    source = textwrap.dedent(inspect.getsource(getattr(ANSWERS[chapter], name)))
    assert old in source
    names = dict(vars(exercise_answers))
    exec(source.replace(old, new), names)
    verdicts = {v.name: v for v in judge(chapter, answers_with(chapter, name, names[name]))}
    assert verdicts[name].word == "wrong"
    assert hint in verdicts[name].detail


def test_an_error_in_an_answer_is_told_and_ends_nothing():
    first, second = judge(2, answers_with(2, "neuron", lambda x, w, b: x * w[1:]))
    assert first.word == "wrong"
    assert "ValueError" in first.detail
    assert second.word == "right"


def check(*arguments):
    return subprocess.run(
        [sys.executable, str(EXERCISES / "check.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_the_command_says_what_is_not_written_yet_and_which_chapters_there_are():
    skip_if_begun(3, "raise NotImplementedError", 2)
    done = check("3")
    assert done.returncode == 1
    assert "not written yet  network_backward" in done.stdout
    assert done.stdout.endswith("0 of 2 right\n")
    done = check("14")
    assert (done.returncode, done.stdout) == (2, "")
    assert "1 to 13" in done.stderr
